"""What waits for the people of a clinic, whatever day it began on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Generic, TypeVar

from services.clinic.model.reads import Answers, Message, MessageState, Reply, Session, Silent
from shared.ids import PatientId, SessionId

T = TypeVar("T")
DUE_SOON: Final = timedelta(days=7)
"""How long before a session is due a missing booking becomes work: as long as patients are asked to book beforehand."""
CHANGES: Final = ("moved", "cancelled", "stands")
"""Occurrences of a message that says: what you were told no longer holds."""
NEEDS_SOMEONE: Final = frozenset(
    {"no_address", "opted_out", "too_late", "daily_limit", "quiet_hours", "bad_address", "wrong_number"}
)
"""Why a message was withheld, where a person can do what it would have done. All other reasons settle themselves: the
session moved, the check-in was answered, a newer message took its place."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """The first of what a query found, and how many there are in all."""

    rows: Sequence[T] = ()
    total: int = 0


@dataclass(frozen=True)
class Due:
    """A patient whose next session is due and not booked; `phase` and `attended` are the plan's."""

    patient: PatientId
    phase: str
    attended: int
    due_on: date


@dataclass(frozen=True)
class OffWindow:
    """A session that is booked too early or too late for the day on which it is due, by the plan's own window.

    Attributes:
        starts_on: the day of the session, on its own clock.
        starts_at_utc: its start, which says of which booking staff speak.
    """

    session: SessionId
    patient: PatientId
    starts_on: date
    starts_at_utc: datetime
    due_on: date

    @property
    def late(self) -> bool:
        """Return whether it is booked after the day that is due."""
        return self.starts_on > self.due_on


@dataclass(frozen=True)
class Failure:
    """Messages that did not go out for one cause.

    Attributes:
        cause: the provider's error code or the reason for which it was withheld; empty where none was given.
        patients: some of those whom the messages were for; none for a page to the person on call.
        people: how many patients in all.
        why: the cause in the notifier's words, and `step` what to do about it; None where it has not said them.
        last: the newest of them. Whoever says that the cause is dealt with says it of those until then.
    """

    state: MessageState
    channel: str
    cause: str
    count: int
    people: int
    patients: tuple[PatientId, ...]
    first: datetime
    last: datetime
    why: str | None = None
    step: str | None = None


@dataclass(frozen=True)
class Dead:
    """A contact point at which nothing arrives: the provider's error code or `staff`, since when, and who said so."""

    kind: str
    why: str
    by: str | None
    at: datetime
    words: str | None = None


@dataclass(frozen=True)
class Unreached:
    """A patient in care with contact points that do not work, or with none at all that may be used.

    Attributes:
        reached: whether another contact point of theirs may be used.
        contacts: how many they have.
    """

    patient: PatientId
    reached: bool
    contacts: int
    dead: tuple[Dead, ...] = ()


@dataclass(frozen=True)
class Worklist:
    """Everything that waits; each is gone only when somebody did what it asks for."""

    unrecorded: Found[Session] = field(default_factory=Found)
    due: Found[Due] = field(default_factory=Found)
    off_window: Found[OffWindow] = field(default_factory=Found)
    replies: Found[Reply] = field(default_factory=Found)
    failures: Found[Failure] = field(default_factory=Found)
    calls: Found[Message] = field(default_factory=Found)
    answers: Found[Answers] = field(default_factory=Found)
    silent: Found[Silent] = field(default_factory=Found)
    unasked: Found[Silent] = field(default_factory=Found)
    unreached: Found[Unreached] = field(default_factory=Found)
