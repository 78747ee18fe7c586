"""Events of the scheduler: plans, sessions, and what is due."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.base import Instant, PatientEvent, SealedText, Topic, WallTime

Phase = Literal["induction", "maintenance"]
SessionKind = Literal["treatment", "consultation"]
SessionState = Literal["booked", "confirmed", "attended", "missed", "cancelled"]


class PlanStarted(PatientEvent):
    """A patient began a protocol."""

    TYPE: ClassVar = "plan.started"
    TOPIC: ClassVar = Topic.SCHEDULING

    plan: UUID
    protocol: str
    protocol_version: int
    phase: Phase
    interval_days: int
    next_due_on: date
    induction_complete: bool
    attended: int
    why: str
    induction_completed_on: date | None = Field(
        default=None, description="the day of the induction's last session, once it is complete"
    )
    active: bool = Field(default=True, description="false once the plan has ended: the patient was discharged")


class PlanChanged(PlanStarted):
    """A plan's phase, interval or next due date changed."""

    TYPE: ClassVar = "plan.changed"


class SessionEvent(PatientEvent):
    """What every event of a session carries: the session as it now stands."""

    TOPIC: ClassVar = Topic.SCHEDULING

    session: UUID
    plan: UUID | None
    starts_at: WallTime
    zone: str
    starts_at_utc: Instant
    minutes: int
    state: SessionState
    number: int | None = None
    kind: SessionKind = "treatment"


class SessionBooked(SessionEvent):
    """A session was booked."""

    TYPE: ClassVar = "session.booked"


class SessionMoved(SessionEvent):
    """A session was moved to another time."""

    TYPE: ClassVar = "session.moved"


class SessionConfirmed(SessionEvent):
    """The patient said that they will come."""

    TYPE: ClassVar = "session.confirmed"


class SessionCancelled(SessionEvent):
    """A session will not take place."""

    TYPE: ClassVar = "session.cancelled"


class SessionAttended(SessionEvent):
    """A session took place."""

    TYPE: ClassVar = "session.attended"

    attended_at: Instant
    attended_on: date | None = Field(default=None, description="the day on which it took place, at its place")
    not_asked: tuple[str, ...] = Field(
        default=(), description="questions whose day was over before the session was recorded, such as day-1"
    )


class SessionMissed(SessionEvent):
    """The patient did not come."""

    TYPE: ClassVar = "session.missed"


class SessionUnconfirmed(SessionEvent):
    """The patient took back that they will come: the session is booked, as before they had said so."""

    TYPE: ClassVar = "session.unconfirmed"


class SessionCorrected(SessionEvent):
    """What was recorded of a session was wrong: it carries how it now stands, and what was on record before.

    `reason` is sealed for the context `correction`.
    """

    TYPE: ClassVar = "session.corrected"

    before: SessionState
    by: str
    at: Instant
    reason: SealedText
    attended_at: Instant | None = None
    attended_on: date | None = None
    not_asked: tuple[str, ...] = ()


class SessionDue(PatientEvent):
    """A session is near: `3d` or `1d` before. Fired by a timer; void when the session has a newer version."""

    TYPE: ClassVar = "session.due"
    TOPIC: ClassVar = Topic.SCHEDULING

    session: UUID
    occurrence: Literal["3d", "1d"]
    starts_at: WallTime
    zone: str
    starts_at_utc: Instant
    minutes: int


class BookingDue(PatientEvent):
    """A plan's next session is near and nothing is booked. Fired by a timer."""

    TYPE: ClassVar = "booking.due"
    TOPIC: ClassVar = Topic.SCHEDULING

    plan: UUID
    due_on: date


class CheckinDue(PatientEvent):
    """It is time to ask how the patient is. Fired by a timer.

    A check-in after a session carries it, and `version` is the session's: void when it has a newer one. One of the plan
    (a baseline, a week of the induction) carries none, and `version` is the plan's as it was set; later ones leave it
    as it is. Version 1 of this form always carried a session.
    """

    TYPE: ClassVar = "checkin.due"
    TOPIC: ClassVar = Topic.SCHEDULING
    SCHEMA: ClassVar = 2

    session: UUID | None = None
    plan: UUID | None
    occurrence: str
    asked_for: date
    instruments: tuple[str, ...]
