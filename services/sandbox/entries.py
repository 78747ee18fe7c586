"""What the ledger is made of: one frozen entry for each thing that happened, as it stands in the journal."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from services.sandbox.model.actions import ActionKind
from services.sandbox.model.profiles import Fault, Profile
from services.sandbox.model.script import Script, Status
from services.sandbox.model.traits import PatientTraits


class Origin(StrEnum):
    """Where a text to a handset comes from."""

    API = "api"
    ANSWER = "answer"
    NETWORK = "network"


class Source(StrEnum):
    """Who typed a text on a handset."""

    PAGE = "page"
    PROGRAM = "program"
    PATIENT = "patient"


class Entry(BaseModel):
    """One line of the journal."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
    once_called: ClassVar[dict[str, str]] = {}
    """What a field was called in journals of versions before, and its name now."""

    @model_validator(mode="before")
    @classmethod
    def _read_former_names(cls, line: Any) -> Any:
        return {cls.once_called.get(name, name): value for name, value in line.items()}


class Born(Entry):
    """A ledger began, empty; every id in it is derived from this instant."""

    kind: Literal["born"] = "born"
    at: datetime


class Tuned(Entry):
    """The network behaves like this from now on: by the settings (`configured`), or by an order while it ran."""

    kind: Literal["tuned"] = "tuned"
    profile: Profile
    seed: int
    configured: bool = False


class TextAccepted(Entry):
    """The network took a text for a handset.

    Attributes:
        sid: its name at the provider.
        sender: the number that the handset shows.
        service: the messaging service that it was sent through, if any.
        key: what the text is, the same in every run of a seed.
        attempt: number of the call that brought it, counted from 0 for calls about the same thing.
        callback: where its states are told.
        fault: what happened to the call that brought it; the text is accepted nevertheless.
        script: what becomes of it.
    """

    kind: Literal["text"] = "text"
    sid: str
    to: str
    sender: str
    service: str | None = None
    body: str
    at: datetime
    key: str
    call: str
    attempt: int
    origin: Origin
    callback: str | None = None
    fault: Fault | None = None
    script: Script


class CallRefused(Entry):
    """A call of the message interface brought no text into the network.

    Attributes:
        code: the provider's error code; 0 for an error or a reset without one.
        call: what the call was about, the same in every run; empty where the call itself was wrong.
    """

    kind: Literal["refused"] = "refused"
    at: datetime
    to: str
    sender: str
    code: int
    fault: Fault | None = None
    call: str = ""
    attempt: int = 0


class CallbackSent(Entry):
    """A status callback was sent, or given up.

    Attributes:
        index: its place in the text's script.
        tries: how often it was posted.
        answer: the HTTP status of the last answer; None where none came.
    """

    kind: Literal["callback"] = "callback"
    sid: str
    index: int
    status: Status
    forged: bool
    at: datetime
    tries: int
    answer: int | None


class TextReceived(Entry):
    """A handset sent a text to Keepwell's number."""

    kind: Literal["inbound"] = "inbound"
    sid: str
    number: str
    to: str
    service: str | None = None
    body: str
    at: datetime
    source: Source


class TextHandedOver(Entry):
    """The webhook for texts from handsets was called, or given up."""

    kind: Literal["handed-over"] = "handed-over"
    sid: str
    at: datetime
    tries: int
    answer: int | None
    problem: str = ""


class HandsetOpened(Entry):
    """Somebody took a handset in hand that had no text yet."""

    kind: Literal["handset"] = "handset"
    number: str
    at: datetime


class MailKept(Entry):
    """The mailbox took a mail; `raw` is what came, byte by byte."""

    kind: Literal["mail"] = "mail"
    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes


class MailRefused(Entry):
    """The mailbox refused a mail, for now (451) or for good (550)."""

    kind: Literal["mail-refused"] = "mail-refused"
    at: datetime
    recipient: str
    code: int
    call: str = ""
    attempt: int = 0


class PatientEnrolled(Entry):
    """From now on a virtual patient holds this handset (or no longer)."""

    once_called = {"temper": "traits"}
    kind: Literal["patient"] = "patient"
    number: str
    virtual: bool
    name: str = ""
    traits: PatientTraits | None = None


class SessionAttended(Entry):
    """A virtual patient was at the clinic for a session."""

    kind: Literal["attended"] = "attended"
    number: str
    at: datetime


class ActPlanned(Entry):
    """A virtual patient will do something at an instant.

    Attributes:
        id: its name in this ledger.
        key: which act it is, the same in every run of a seed.
    """

    once_called = {"doing": "action"}
    kind: Literal["act"] = "act"
    id: str
    number: str
    to: str
    key: str
    action: ActionKind
    at: datetime
    words: str
    stays: bool = True
    tries: int = 0


class ActDone(Entry):
    """A virtual patient did it; `outcome` says how it went."""

    kind: Literal["act-done"] = "act-done"
    id: str
    at: datetime
    outcome: str


AnyEntry = Annotated[
    Born
    | Tuned
    | TextAccepted
    | CallRefused
    | CallbackSent
    | TextReceived
    | TextHandedOver
    | HandsetOpened
    | MailKept
    | MailRefused
    | PatientEnrolled
    | SessionAttended
    | ActPlanned
    | ActDone,
    Field(discriminator="kind"),
]

ENTRIES: TypeAdapter[AnyEntry] = TypeAdapter(AnyEntry)
"""Reads a line of the journal."""
