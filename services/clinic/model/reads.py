"""What the console knows of other services, learnt from their events; opened and frozen.

`version` is always the owner's version of the thing, so that a page can tell whether it has caught up with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.clinic.model.chart import Scale
from services.clinic.model.sent_words import SentWords
from shared.ids import AlertId, CheckinId, MessageId, PatientId, PlanId, ProposalId, SessionId
from shared.walltime import to_wall


class SessionState(StrEnum):
    """A session's lifecycle."""

    BOOKED = "booked"
    CONFIRMED = "confirmed"
    ATTENDED = "attended"
    MISSED = "missed"
    CANCELLED = "cancelled"


class CheckinState(StrEnum):
    """A check-in's lifecycle."""

    OPEN = "open"
    PARTIAL = "partial"
    COMPLETED = "completed"
    EXPIRED = "expired"


class AlertState(StrEnum):
    """A safety alert's lifecycle."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


NOT_CLOSED: Final = (AlertState.OPEN, AlertState.ACKNOWLEDGED)
"""Alerts that are somebody's to deal with."""


class ProposalState(StrEnum):
    """An interval proposal's lifecycle; one that is held is information and waits for nobody."""

    OPEN = "open"
    HELD = "held"
    APPROVED = "approved"
    CHANGED = "changed"
    REFUSED = "refused"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    TAKEN_BACK = "taken-back"


class MessageState(StrEnum):
    """What became of a message, as far as the clinic was told."""

    PLANNED = "planned"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHHELD = "withheld"


COMES_LATE: Final = "comes_late"
"""Why somebody should call although a message is planned: the patient acts on what they were told before it comes."""


@dataclass(frozen=True)
class Plan:
    """A patient's newest plan; `active` is false once a discharge has ended it."""

    id: PlanId
    patient: PatientId
    version: int
    protocol: str
    protocol_version: int
    phase: str
    interval_days: int
    next_due_on: date
    induction_complete: bool
    attended: int
    why: str
    active: bool = True


@dataclass(frozen=True)
class Correction:
    """What was recorded of a session before, who corrected it when, and why."""

    before: SessionState | str
    by: str
    at: datetime
    why: str


@dataclass(frozen=True)
class Session:
    """A session; `starts_at` is the wall time in `zone`."""

    id: SessionId
    patient: PatientId
    version: int
    starts_at: datetime
    zone: str
    starts_at_utc: datetime
    minutes: int
    state: SessionState | str
    number: int | None
    kind: str = "treatment"
    not_asked: tuple[str, ...] = ()

    def by_clock_of(self, zone: str) -> "Session":
        """Return the session with the time that a clock in `zone` shows, whatever zone it was booked in."""
        return replace(self, starts_at=to_wall(self.starts_at_utc, zone), zone=zone)


@dataclass(frozen=True)
class Checkin:
    """A check-in that was asked for."""

    id: CheckinId
    patient: PatientId
    version: int
    state: CheckinState | str
    occurrence: str
    instruments: tuple[str, ...]
    asked_for: date
    expires_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True)
class Void:
    """Why a score counts no more; `by` is None where the patient changed the answers before all was sent."""

    by: str | None
    at: datetime
    reason: str | None
    replaced: bool


@dataclass(frozen=True)
class Score:
    """The result of one instrument.

    `total` and `band` are None for questions that are no validated instrument; `flags` are short words such as
    `item9` or `side-effect:nausea`; `words` is what the patient wrote. `quick` says that the answers came so soon after
    their link that a program may have given them, `seconds` how soon. `scale` is what its owner says of the instrument;
    None in scores from before it did.
    """

    checkin: CheckinId
    patient: PatientId
    instrument: str
    total: int | None
    band: str | None
    asked_for: date
    at: datetime
    flags: tuple[str, ...]
    id: UUID | None = None
    answers: Mapping[str, int] = field(default_factory=dict)
    words: str | None = None
    entered_by: str | None = None
    seconds: int | None = None
    quick: bool = False
    voided: Void | None = None
    scale: Scale | None = None

    @property
    def mood(self) -> int | None:
        """Return the mood from 0 to 10 where it was asked."""
        return self.answers.get("mood")


@dataclass(frozen=True)
class Answers:
    """Answers that came: of a check-in, or kept beside one.

    Attributes:
        id: the check-in's, or that of the answers beside it.
        why: `late`, `again` or `unfinished` where they count as no score.
        seen_by: who has looked at them.
    """

    id: UUID
    checkin: CheckinId
    patient: PatientId
    at: datetime
    occurrence: str
    scores: tuple[Score, ...]
    why: str | None
    seen_by: str | None
    seen_at: datetime | None


@dataclass(frozen=True)
class Silent:
    """A patient in care from whom no answer comes, or whom nobody could ask.

    Attributes:
        last: when they last answered, or None where they never did.
        asked: the day of the last question.
        unanswered: questions since then that nobody answered; of those that went out, or of those that could not.
    """

    patient: PatientId
    last: datetime | None
    asked: date
    unanswered: int


@dataclass(frozen=True)
class Page:
    """A message to somebody on call about an alert; `to` is masked."""

    channel: str
    to: str
    state: MessageState
    reason: str | None
    error: str | None
    at: datetime
    why: str | None = None

    @property
    def reached(self) -> bool:
        """Whether the provider has taken it."""
        return self.state in {MessageState.SENT, MessageState.DELIVERED}


@dataclass(frozen=True)
class OnCall:
    """Somebody on call, as the notifier last found them; `trouble` says why no page can reach them."""

    kind: str
    to: str
    trouble: str | None


@dataclass(frozen=True)
class Alert:
    """A safety alert; `patient` is None for a text from a number that is no patient's.

    `next_page_at` is when those on call are paged again while it is acknowledged and not closed; None: not said.
    """

    id: AlertId
    patient: PatientId | None
    version: int
    level: str
    cause: str
    raised_at: datetime
    pages: int
    state: AlertState
    by: str | None
    at: datetime | None
    disposition: str | None
    paged: tuple[Page, ...] = ()
    next_page_at: datetime | None = None

    @property
    def waits_only(self) -> bool:
        """Whether nobody is paged for it."""
        return self.level == "task"


@dataclass(frozen=True)
class Evidence:
    """A score that a rule used."""

    asked_for: date
    total: int


@dataclass(frozen=True)
class Source:
    """Where a rule comes from; `grade` is one of the provenance grades, such as `LABEL`.

    `name` is what the rule is called, `points` what it does, one thing each; empty where only the source is shown.
    """

    text: str
    url: str
    grade: str
    name: str = ""
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakenBack:
    """Who took a decision back, when, and why."""

    by: str
    at: datetime
    why: str


@dataclass(frozen=True)
class Proposal:
    """A proposed interval with its reasons; `review` says that a clinician should look before anything else changes.

    `reason` is the clinician's own; `overruled` is what stood against the decision, `override_reason` why it was taken
    all the same. `ladder` holds the intervals that the protocol allows, in days; none where nobody has said them.
    `taken_back` says who took the decision back; `decision` is what it was.
    """

    id: ProposalId
    patient: PatientId
    plan: PlanId
    version: int
    state: ProposalState | str
    direction: str
    review: bool
    from_days: int
    to_days: int
    rule: str
    rule_version: int
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    proposed_at: datetime
    expires_at: datetime
    decided_days: int | None
    by: str | None
    at: datetime | None
    reason: str | None = None
    overruled: tuple[str, ...] = ()
    override_reason: str | None = None
    ladder: tuple[int, ...] = ()
    decision: str | None = None
    taken_back: TakenBack | None = None


@dataclass(frozen=True)
class Step:
    """One step of a message's story."""

    at: datetime
    what: str
    detail: str | None


@dataclass(frozen=True)
class Message:
    """A message to a patient or a page to staff; `to` is masked, `why` what kept it from them.

    `words` is None where they were not kept, or nobody asked for them.
    """

    id: MessageId
    patient: PatientId | None
    version: int
    purpose: str
    channel: str
    occurrence: str
    to: str
    state: MessageState
    reason: str | None
    error: str | None
    at: datetime
    story: tuple[Step, ...]
    why: str | None = None
    words: SentWords | None = None


@dataclass(frozen=True)
class Reply:
    """A text that a patient sent, or somebody at a number that belongs to no patient.

    Attributes:
        patient: None where the number is nobody's.
        sender: that number, whole: whoever may read the text may call back.
        flags: what else the notifier saw in it.
    """

    id: UUID
    patient: PatientId | None
    intent: str
    text: str
    at: datetime
    read_by: str | None
    flags: tuple[str, ...] = ()
    sender: str | None = None
