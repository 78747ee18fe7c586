"""The day and what waits: what a member of staff sees between two appointments."""

from dataclasses import dataclass, field
from uuid import UUID

from services.clinic.model.dispositions import DISPOSITIONS
from services.clinic.views.answer_rows import AnswerRow, SilentRow
from services.clinic.views.components import Chip, Moment, Person, Pile


@dataclass(frozen=True)
class Tile:
    """A count of the day; `href` is where its things stand."""

    number: int
    text: str
    href: str
    tone: str = ""


@dataclass(frozen=True)
class SessionOfDay:
    """A session of the day."""

    id: UUID
    version: int
    at: Moment
    time: str
    person: Person
    minutes: int
    state: Chip
    detail: str
    over: bool
    can_attend: bool
    can_miss: bool


@dataclass(frozen=True)
class Hour:
    """The sessions that start within an hour."""

    text: str
    visits: tuple[SessionOfDay, ...]


@dataclass(frozen=True)
class UnrecordedRow:
    """A session of a day that is over, of which nobody said what happened."""

    id: UUID
    version: int
    at: Moment
    age: str
    person: Person
    detail: str


@dataclass(frozen=True)
class DueRow:
    """A patient whose next session is due and not booked."""

    person: Person
    what: str
    due: Chip
    on: Moment


@dataclass(frozen=True)
class OffWindowRow:
    """A session booked away from its due date, with what to ask; the last two say, in a form, which booking it was."""

    session: UUID
    person: Person
    text: str
    due_on: str
    starts_at: str


@dataclass(frozen=True)
class AlertRow:
    """An alert that somebody must look at."""

    id: UUID
    version: int
    person: Person
    level: Chip
    cause: str
    raised: Moment
    age: str
    paged: str
    state: Chip
    can_acknowledge: bool
    closed: str | None
    disposition: str | None
    dispositions: tuple[str, ...] = DISPOSITIONS


@dataclass(frozen=True)
class CheckinRow:
    """A check-in that was asked for; `waits` for answers, by link or by phone."""

    id: UUID
    waits: bool
    person: Person
    what: str
    asked: Moment
    state: Chip


@dataclass(frozen=True)
class ProposalRow:
    """A proposal that waits for a decision, in a line."""

    id: UUID
    person: Person
    change: str
    reason: str
    expires: Moment
    age: str
    state: Chip


@dataclass(frozen=True)
class ReplyRow:
    """A text that nobody has read yet: from a patient, or from a number that is no patient's."""

    id: UUID
    person: Person | None
    text: str
    at: Moment
    age: str
    intent: Chip
    sender: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FailureRow:
    """Messages that did not go out for one cause, with what to do; the last three name them for the form."""

    what: str
    why: str
    step: str
    people: tuple[Person, ...]
    others: int
    span: str
    state: str
    channel: str
    cause: str
    until: str


@dataclass(frozen=True)
class CallRow:
    """A patient to call, and why no message does it."""

    id: UUID
    person: Person | None
    what: str
    why: str
    at: Moment


@dataclass(frozen=True)
class UnreachedRow:
    """A patient whom messages may not reach, why, and what to do about it."""

    person: Person
    reached: Chip
    why: tuple[str, ...]


@dataclass(frozen=True)
class TodayPage:
    """One day in the clinic's zone; what waits, whatever day it began on, stands on the page of today alone.

    Attributes:
        clear: what waits for nobody, in sentences.
    """

    title: str
    day: str
    is_today: bool
    before: str
    after: str
    tiles: tuple[Tile, ...]
    hours: tuple[Hour, ...]
    findings: tuple[str, ...] = ()
    open_alerts: tuple[AlertRow, ...] = ()
    seen_alerts: tuple[AlertRow, ...] = ()
    unrecorded: Pile[UnrecordedRow] = field(default_factory=Pile)
    due: Pile[DueRow] = field(default_factory=Pile)
    off_window: Pile[OffWindowRow] = field(default_factory=Pile)
    checkins: Pile[CheckinRow] = field(default_factory=Pile)
    proposals: Pile[ProposalRow] = field(default_factory=Pile)
    replies: Pile[ReplyRow] = field(default_factory=Pile)
    failures: Pile[FailureRow] = field(default_factory=Pile)
    calls: Pile[CallRow] = field(default_factory=Pile)
    answers: Pile[AnswerRow] = field(default_factory=Pile)
    silent: Pile[SilentRow] = field(default_factory=Pile)
    unasked: Pile[SilentRow] = field(default_factory=Pile)
    unreached: Pile[UnreachedRow] = field(default_factory=Pile)
    clear: tuple[str, ...] = ()


@dataclass(frozen=True)
class WaitingPage:
    """One kind of what waits, page by page; one of the tuples is filled."""

    title: str
    under: str
    path: str
    number: int
    following: int | None
    unrecorded: tuple[UnrecordedRow, ...] = ()
    due: tuple[DueRow, ...] = ()
    bookings: tuple[OffWindowRow, ...] = ()
    replies: tuple[ReplyRow, ...] = ()
    answers: tuple[AnswerRow, ...] = ()
    silent: tuple[SilentRow, ...] = ()
    unasked: tuple[SilentRow, ...] = ()
    contacts: tuple[UnreachedRow, ...] = ()


@dataclass(frozen=True)
class AlertsPage:
    """Every alert, those to act on first."""

    waiting: tuple[AlertRow, ...]
    seen: tuple[AlertRow, ...]
    closed: tuple[AlertRow, ...]
