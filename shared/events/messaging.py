"""Events of the notifier: what was sent, what became of it, and what people answered."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.base import Event, Instant, PatientEvent, Piece, SealedText, Topic
from shared.events.clinic import ContactKind, Purpose

MessagePurpose = Annotated[
    str, Field(description="reminder, checkin, booking, page or reply; may grow", examples=["reminder"])
]


class MessageEvent(Event):
    """What every event of a message carries. `about` is the session, check-in, plan or alert that it speaks of.

    Since schema 2 `purpose` and `channel` may grow: whoever meets a word that it does not know shows it plainly.
    """

    TOPIC: ClassVar = Topic.MESSAGING
    SCHEMA: ClassVar = 2

    patient: UUID | None
    message: UUID
    purpose: MessagePurpose
    channel: ContactKind
    occurrence: str
    about: UUID | None
    to: str
    reason: str | None = None
    error: str | None = None
    at: Instant
    why: str | None = Field(
        None, description="what kept it from its recipient, in words for staff; absent: nothing did"
    )
    step: str | None = Field(None, description="what a person can do about that, where it is known")

    @property
    def key(self) -> UUID:
        """Return the patient's id, or the clinic's for a message to its staff about no patient."""
        return self.patient or self.clinic


class MessagePlanned(MessageEvent):
    """A message was written that says: what you were told of a session no longer holds.

    `goes_at` is when it goes out as things stand, `in_time` whether that is before both the start that the patient was
    told and the one that holds now; where it is not, a person should call.
    """

    TYPE: ClassVar = "message.planned"

    goes_at: Instant
    in_time: bool


SentWords = Annotated[
    SealedText | None,
    Field(
        description="what it said, as JSON of `subject` (of mail alone) and `body`, without the secret of a link; "
        "sealed for the context `sent-words`; absent: they were not kept, or it was never worded"
    ),
]


class MessageSent(MessageEvent):
    """The provider accepted a message."""

    TYPE: ClassVar = "message.sent"

    words: SentWords = None


class MessageDelivered(MessageEvent):
    """The provider says that the message reached the handset or mailbox."""

    TYPE: ClassVar = "message.delivered"


class MessageFailed(MessageEvent):
    """A message will not arrive on this channel."""

    TYPE: ClassVar = "message.failed"

    words: SentWords = None


class MessageWithheld(MessageEvent):
    """A message was held back for good, with the reason."""

    TYPE: ClassVar = "message.withheld"


class MessagesRead(Event):
    """Somebody was shown what a patient was sent, by the interface for programs; the clinic keeps who read what.

    `message` is None where all of a patient's were listed, `staff` where a program read them by a token of that name.
    """

    TYPE: ClassVar = "messages.read"
    TOPIC: ClassVar = Topic.MESSAGING

    patient: UUID | None
    message: UUID | None
    by: str
    staff: UUID | None
    at: Instant

    @property
    def key(self) -> UUID:
        """Return the patient's id, or the clinic's for a message about no patient."""
        return self.patient or self.clinic


class OnCallContact(Piece):
    """Somebody on call; `trouble` says why no page can reach them: stopped, off, or the error of the last one."""

    kind: ContactKind
    to: str = Field(description="masked")
    trouble: str | None = None


class OnCallChecked(Event):
    """Who of those on call a page can reach has changed; the event carries all of them."""

    TYPE: ClassVar = "oncall.checked"
    TOPIC: ClassVar = Topic.MESSAGING
    SCHEMA: ClassVar = 2

    contacts: tuple[OnCallContact, ...]
    at: Instant

    @property
    def key(self) -> UUID:
        return self.clinic


class ConsentChanged(PatientEvent):
    """A patient took back or gave consent on a contact point; `version` counts within the patient."""

    TYPE: ClassVar = "consent.changed"
    TOPIC: ClassVar = Topic.MESSAGING
    SCHEMA: ClassVar = 2

    contact: UUID
    kind: ContactKind
    purposes: tuple[Purpose, ...]
    granted: bool
    how: str
    at: Instant


class ContactChecked(PatientEvent):
    """A contact point was found not to work, or staff say that it does; `version` counts within the patient.

    `why` is the provider's error code or `staff`, `by` the person who said so.
    """

    TYPE: ClassVar = "contact.checked"
    TOPIC: ClassVar = Topic.MESSAGING
    SCHEMA: ClassVar = 2

    contact: UUID
    kind: ContactKind
    works: bool
    why: str
    by: str | None = None
    at: Instant
    words: str | None = Field(None, description="what the provider's code in `why` means, for staff")


class ReplyReceived(PatientEvent):
    """A patient answered by text; `text` is sealed for the context `reply`.

    Since schema 2 `intent` may grow: whoever meets a word that it does not know shows it plainly and goes on.
    """

    TYPE: ClassVar = "reply.received"
    TOPIC: ClassVar = Topic.MESSAGING
    SCHEMA: ClassVar = 2

    reply: UUID
    intent: str = Field(
        description="confirm, decline, stop, start, help, reaction, wrong-number, doubt or other",
        examples=["confirm"],
    )
    session: UUID | None
    session_version: int | None
    text: SealedText
    at: Instant
    wrote: SealedText | None = Field(
        None, description="of it, what its sender wrote, without quotes and reactions; sealed as `text`"
    )
    flags: tuple[str, ...] = Field((), description="what else was seen in it, such as `may-mean-visit` or `dislike`")


class ContactDoubted(PatientEvent):
    """A number was asked whether its texts should go on, or that is settled; in between nothing else goes there.

    `version` counts within the patient. `wrote` is what was not clear, sealed for the context `reply`; absent where it
    is not known any more. `by` is the person who settled it where the number itself did not.
    """

    TYPE: ClassVar = "contact.doubted"
    TOPIC: ClassVar = Topic.MESSAGING

    contact: UUID
    open: bool
    wrote: SealedText | None = None
    by: str | None = None
    at: Instant


class FindingChanged(Event):
    """Something that keeps texts from coming or going, and that a person must mend, began, changed or ended."""

    TYPE: ClassVar = "finding.changed"
    TOPIC: ClassVar = Topic.MESSAGING

    kind: str = Field(description="which finding it is, such as `webhooks`; one of a kind stands at a time")
    what: str | None = Field(description="what is wrong, since when, and the remedy; null: it is over")
    at: Instant

    @property
    def key(self) -> UUID:
        return self.clinic


class UnknownNumberTexted(Event):
    """A text came from a number that belongs to no patient; `number` is sealed for the context `contact`."""

    TYPE: ClassVar = "reply.unmatched"
    TOPIC: ClassVar = Topic.MESSAGING

    reply: UUID
    intent: str
    number: SealedText
    masked: str = Field(description="the number as staff may see it in a list")
    text: SealedText
    at: Instant
    wrote: SealedText | None = None
    flags: tuple[str, ...] = ()

    @property
    def key(self) -> UUID:
        return self.clinic
