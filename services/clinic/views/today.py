"""The day: what a clinician sees between two appointments."""

from dataclasses import dataclass
from uuid import UUID

from services.clinic.views.parts import Chip, Moment, Person


@dataclass(frozen=True)
class Tile:
    """A count of the day."""

    number: int
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Visit:
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


@dataclass(frozen=True)
class Hour:
    """The sessions that start within an hour."""

    text: str
    visits: tuple[Visit, ...]


@dataclass(frozen=True)
class AlertRow:
    """An alert that somebody must look at."""

    id: UUID
    version: int
    person: Person
    level: Chip
    cause: str
    raised: Moment
    paged: str
    state: Chip
    can_acknowledge: bool
    closed: str | None
    disposition: str | None


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
    state: Chip


@dataclass(frozen=True)
class ReplyRow:
    """A text that nobody has read yet: from a patient, or from a number that is no patient's."""

    id: UUID
    person: Person | None
    text: str
    at: Moment
    intent: Chip
    sender: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TroubleRow:
    """A message that did not go out, and why."""

    person: Person | None
    what: str
    why: str
    at: Moment
    state: Chip


@dataclass(frozen=True)
class TodayPage:
    """Everything of one day in the clinic's zone."""

    title: str
    day: str
    is_today: bool
    before: str
    after: str
    tiles: tuple[Tile, ...]
    hours: tuple[Hour, ...]
    alerts: tuple[AlertRow, ...]
    checkins: tuple[CheckinRow, ...]
    proposals: tuple[ProposalRow, ...]
    replies: tuple[ReplyRow, ...]
    troubles: tuple[TroubleRow, ...]


@dataclass(frozen=True)
class AlertsPage:
    """Every alert, those to act on first."""

    waiting: tuple[AlertRow, ...]
    seen: tuple[AlertRow, ...]
    closed: tuple[AlertRow, ...]
