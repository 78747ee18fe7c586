"""Events of the assessments service: check-ins, safety alerts, interval proposals.

What a patient answered, why an alert was raised and why an interval is proposed are health data: they travel sealed.
"""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.base import Event, Instant, PatientEvent, SealedText, Topic

Direction = Annotated[str, Field(description="shorten, hold or lengthen; may grow", examples=["hold"])]
Decision = Annotated[str, Field(description="approve, change or refuse; may grow", examples=["approve"])]


class CheckinEvent(PatientEvent):
    """What every event of a check-in carries."""

    TOPIC: ClassVar = Topic.ASSESSMENTS

    checkin: UUID
    occurrence: str
    instruments: tuple[str, ...]
    asked_for: date


class CheckinOpened(CheckinEvent):
    """A check-in waits for answers; `link` is the patient's address, sealed for the context `link`.

    Said again, with a newer version and another link, where the one before died: the way that it was sent by is no
    longer the patient's, or staff let the patient answer anew. Whoever sends a link must know the patient at least as
    they are in `patient_version`, or it would go where they no longer are.
    """

    TYPE: ClassVar = "checkin.opened"

    expires_at: Instant
    link: SealedText
    begun: bool = Field(False, description="some of it was answered before")
    patient_version: int = Field(0, description="of the patient, when the link was made")


class CheckinCompleted(CheckinEvent):
    """All was answered; `result` is JSON, sealed for the context `result`.

    `voided` is what `checkin.result-changed` says of it, absent where all that was answered counts.
    """

    TYPE: ClassVar = "checkin.completed"

    completed_at: Instant
    result: SealedText
    voided: SealedText | None = None


class ResultChanged(CheckinEvent):
    """What is on record of a check-in's answers, other than by their completion.

    Staff voided or corrected a score, or the check-in ended with some of it answered. `result` is JSON as that of a
    completion, of the scores that count; `voided` those that do not any more, each with `void`: who, when and why. Both
    are sealed for the context `result`.
    """

    TYPE: ClassVar = "checkin.result-changed"
    SCHEMA: ClassVar = 2

    state: str = Field(description="open, partial, completed or expired; may grow", examples=["completed"])
    completed_at: Instant | None
    result: SealedText
    voided: SealedText


class AnswersSetAside(CheckinEvent):
    """Answers came that count as no score; `content` is JSON, sealed for the context `result`.

    `why` is `late` (after the check-in had ended), `again` (it was answered before, otherwise) or `unfinished` (it
    ended before all was answered). `version` is of these answers.
    """

    TYPE: ClassVar = "answers.set-aside"
    SCHEMA: ClassVar = 2

    answers: UUID
    why: str = Field(description="late, again or unfinished; may grow", examples=["late"])
    at: Instant
    content: SealedText


class CheckinExpired(CheckinEvent):
    """A check-in was not answered in time. Fired by a timer that completion cancels."""

    TYPE: ClassVar = "checkin.expired"


class AlertEvent(Event):
    """What every event of an alert carries.

    Since schema 2 `patient` is absent where a text came from a number that is no patient's.
    """

    TOPIC: ClassVar = Topic.ASSESSMENTS
    SCHEMA: ClassVar = 2

    patient: UUID | None
    alert: UUID

    @property
    def key(self) -> UUID:
        """Return the patient's id, or the clinic's for an alert about nobody known."""
        return self.patient or self.clinic


class AlertRaised(AlertEvent):
    """An answer or a text needs a person, or needs one more than before; `cause` is sealed for the context `cause`.

    An alert that was acknowledged is open again. Since schema 2 `level` may grow and `page_number` is 0 where nobody
    is paged: of a `task`, which waits on Today.
    """

    TYPE: ClassVar = "alert.raised"

    level: str = Field(description="task, elevated or high", examples=["high"])
    cause: SealedText
    raised_at: Instant
    page_number: int = 1
    checkin: UUID | None = Field(None, description="whose answers raised it")
    reply: UUID | None = Field(None, description="the text that raised it")


class AlertOverdue(AlertRaised):
    """Nobody has acknowledged or closed an alert in time: page again. Fired by a timer that either cancels."""

    TYPE: ClassVar = "alert.overdue"

    next_page_at: Instant | None = Field(
        default=None, description="when those on call are paged after this, unless it is closed before; null: not said"
    )


class AlertAcknowledged(AlertEvent):
    """A person has seen an alert."""

    TYPE: ClassVar = "alert.acknowledged"

    by: str
    staff: UUID | None = Field(None, description="the account of `by`; absent for a program's token")
    at: Instant
    next_page_at: Instant | None = Field(
        default=None, description="when those on call are paged again, unless it is closed before; null: they are not"
    )


class AlertClosed(AlertEvent):
    """A person has dealt with an alert; `disposition` is sealed for the context `disposition`."""

    TYPE: ClassVar = "alert.closed"

    by: str
    staff: UUID | None = Field(None, description="the account of `by`; absent for a program's token")
    at: Instant
    disposition: SealedText


class IntervalProposed(PatientEvent):
    """A rule proposes the next interval; `detail` is JSON (reasons, evidence), sealed for the context `proposal`.

    One that holds the interval needs no decision: it tells why.
    """

    TYPE: ClassVar = "interval.proposed"
    TOPIC: ClassVar = Topic.ASSESSMENTS
    SCHEMA: ClassVar = 2

    proposal: UUID
    plan: UUID
    direction: Direction
    from_days: int
    to_days: int
    rule: str
    rule_version: int
    detail: SealedText
    expires_at: Instant
    needs_decision: bool = True


class IntervalExpired(PatientEvent):
    """Nobody decided a proposal in time, or newer facts have overtaken it. Fired by a timer that a decision cancels."""

    TYPE: ClassVar = "interval.expired"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    proposal: UUID
    plan: UUID
    overtaken: bool = False


class IntervalDecided(PatientEvent):
    """A clinician decided; `interval_days` is what now holds, absent where the proposal was refused.

    `reason` is the clinician's, sealed for the context `decision-reason`. `overruled` is JSON (what stood against the
    decision, and why it was taken all the same), sealed for the context `decision-overruled`.
    """

    TYPE: ClassVar = "interval.decided"
    TOPIC: ClassVar = Topic.ASSESSMENTS
    SCHEMA: ClassVar = 2

    proposal: UUID
    plan: UUID
    decision: Decision
    interval_days: int | None
    by: str
    at: Instant
    reason: SealedText | None = None
    overruled: SealedText | None = None


class IntervalTakenBack(PatientEvent):
    """A clinician took a decision back: it counts no more, and what held before it holds again.

    `decision`, `interval_days`, `decided_by` and `decided_at` say what was decided. `reason` is why it was taken back,
    sealed for the context `decision-taken-back`. What is decided again comes as another proposal.
    """

    TYPE: ClassVar = "interval.taken-back"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    proposal: UUID
    plan: UUID
    decision: Decision
    interval_days: int | None
    decided_by: str
    decided_at: Instant
    by: str
    staff: UUID | None = Field(None, description="the account of `by`; absent for a program's token")
    at: Instant
    reason: SealedText
