"""Events of the assessments service: check-ins, safety alerts, interval proposals.

What a patient answered, why an alert was raised and why an interval is proposed are health data: they travel sealed.
"""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.base import Instant, PatientEvent, SealedText, Topic

Direction = Literal["shorten", "hold", "lengthen"]
Decision = Literal["approve", "change", "refuse"]


class CheckinEvent(PatientEvent):
    """What every event of a check-in carries."""

    TOPIC: ClassVar = Topic.ASSESSMENTS

    checkin: UUID
    occurrence: str
    instruments: tuple[str, ...]
    asked_for: date


class CheckinOpened(CheckinEvent):
    """A check-in waits for answers; `link` is the patient's address, sealed for the context `link`."""

    TYPE: ClassVar = "checkin.opened"

    expires_at: Instant
    link: SealedText


class CheckinCompleted(CheckinEvent):
    """All was answered; `result` is JSON, sealed for the context `result`."""

    TYPE: ClassVar = "checkin.completed"

    completed_at: Instant
    result: SealedText


class CheckinExpired(CheckinEvent):
    """A check-in was not answered in time. Fired by a timer that completion cancels."""

    TYPE: ClassVar = "checkin.expired"


class AlertRaised(PatientEvent):
    """An answer needs a person now; `cause` is sealed for the context `cause`."""

    TYPE: ClassVar = "alert.raised"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    alert: UUID
    level: str
    cause: SealedText
    raised_at: Instant
    page_number: int = 1


class AlertOverdue(AlertRaised):
    """Nobody has acknowledged an alert yet: page again. Fired by a timer that acknowledgement cancels."""

    TYPE: ClassVar = "alert.overdue"


class AlertAcknowledged(PatientEvent):
    """A person has seen an alert."""

    TYPE: ClassVar = "alert.acknowledged"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    alert: UUID
    by: str
    at: Instant


class AlertClosed(PatientEvent):
    """A person has dealt with an alert; `disposition` is sealed for the context `disposition`."""

    TYPE: ClassVar = "alert.closed"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    alert: UUID
    by: str
    at: Instant
    disposition: SealedText


class IntervalProposed(PatientEvent):
    """A rule proposes the next interval; `detail` is JSON (reasons, evidence), sealed for the context `proposal`."""

    TYPE: ClassVar = "interval.proposed"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    proposal: UUID
    plan: UUID
    direction: Direction
    from_days: int
    to_days: int
    rule: str
    rule_version: int
    detail: SealedText
    expires_at: Instant


class IntervalExpired(PatientEvent):
    """Nobody decided a proposal in time. Fired by a timer that a decision cancels."""

    TYPE: ClassVar = "interval.expired"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    proposal: UUID
    plan: UUID


class IntervalDecided(PatientEvent):
    """A clinician decided; `interval_days` is what now holds, absent where the proposal was refused."""

    TYPE: ClassVar = "interval.decided"
    TOPIC: ClassVar = Topic.ASSESSMENTS

    proposal: UUID
    plan: UUID
    decision: Decision
    interval_days: int | None
    by: str
    at: Instant
