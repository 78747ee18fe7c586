"""Events of the scheduler: plans, sessions, and what is due."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.base import Instant, PatientEvent, Topic, WallTime

Phase = Literal["induction", "maintenance"]
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


class SessionMissed(SessionEvent):
    """The patient did not come."""

    TYPE: ClassVar = "session.missed"


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
    """It is time to ask how the patient is. Fired by a timer; `version` is the session's."""

    TYPE: ClassVar = "checkin.due"
    TOPIC: ClassVar = Topic.SCHEDULING

    session: UUID
    plan: UUID | None
    occurrence: str
    asked_for: date
    instruments: tuple[str, ...]
