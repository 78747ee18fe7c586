"""Events of the scheduler: plans, sessions, and what is due."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events.base import Instant, PatientEvent, SealedText, Topic, WallTime

SessionKind = Annotated[str, Field(description="treatment or consultation; may grow", examples=["treatment"])]
SessionState = Annotated[
    str, Field(description="booked, confirmed, attended, missed or cancelled; may grow", examples=["booked"])
]


def days_before(occurrence: str) -> int | None:
    """Return how many days before a session a reminder comes: 3 for `3d`; None of what is no reminder of whole days.

    The occurrence stays a reminder's name: it is what its message is known by for good.
    """
    number = occurrence.removesuffix("d")
    return int(number) if occurrence.endswith("d") and number.isascii() and number.isdecimal() else None


class Continued(BaseModel):
    """Who had a plan go on that had ended, and why; `reason` is sealed for the context `reason`."""

    model_config = ConfigDict(frozen=True)

    by: str
    staff: UUID | None = Field(None, description="the account of `by`; absent for a program's token")
    at: Instant
    reason: SealedText


class PlanStarted(PatientEvent):
    """A patient began a protocol.

    Since schema 2 `phase` may grow: a protocol has any phases. Who must know what a phase allows reads `phase_kind`.
    """

    TYPE: ClassVar = "plan.started"
    TOPIC: ClassVar = Topic.SCHEDULING
    SCHEMA: ClassVar = 2

    plan: UUID
    protocol: str
    protocol_version: int
    phase: str = Field(description="the phase's name in its protocol", examples=["induction"])
    interval_days: int
    next_due_on: date
    induction_complete: bool
    attended: int
    why: str
    induction_completed_on: date | None = Field(
        default=None, description="the day of the induction's last session, once it is complete"
    )
    active: bool = Field(default=True, description="false once the plan has ended: the patient was discharged")
    phase_kind: str | None = Field(
        default=None, description="induction: a fixed series; maintenance: an interval that may be changed; may grow"
    )
    session: int | None = Field(default=None, description="number of the next session, of `sessions`")
    sessions: int | None = Field(default=None, description="of the phase; null where it has no end")
    ladder: tuple[int, ...] | None = Field(
        default=None, description="intervals in days that may be proposed, rising; null: not said, and so not known"
    )
    opt_in_above: int | None = Field(
        default=None, description="days above which an interval is proposed only where the clinic has opted in"
    )
    modality: str | None = Field(default=None, description="what is given", examples=["ketamine"])
    route: str | None = Field(default=None, description="how it is given", examples=["intravenous"])
    window_earlier_days: int | None = Field(
        default=None, description="how far before `next_due_on` the session may be booked; null: not said, or no limit"
    )
    window_later_days: int | None = Field(default=None, description="the same after `next_due_on`")
    taken_back: UUID | None = Field(
        default=None, description="the proposal whose decision was taken back, where that changed the plan"
    )

    @property
    def maintains(self) -> bool:
        """Return whether the interval of the phase may be changed; events of before the kind said it by the name."""
        return (self.phase_kind or self.phase) == "maintenance"


class PlanChanged(PlanStarted):
    """A plan's phase, interval or next due date changed, or it ended, or goes on after that."""

    TYPE: ClassVar = "plan.changed"

    continued: Continued | None = Field(default=None, description="where it goes on after it had ended")


class SessionEvent(PatientEvent):
    """What every event of a session carries: the session as it now stands.

    Since schema 2 `state` and `kind` may grow: whoever meets a word that it does not know keeps and shows it plainly.
    """

    TOPIC: ClassVar = Topic.SCHEDULING
    SCHEMA: ClassVar = 2

    session: UUID
    plan: UUID | None
    starts_at: WallTime
    zone: str
    starts_at_utc: Instant
    minutes: int
    state: SessionState
    number: int | None = None
    kind: SessionKind = "treatment"
    attended_at: Instant | None = Field(default=None, description="when it was recorded that it took place")
    attended_on: date | None = Field(default=None, description="the day on which it took place, at its place")
    not_asked: tuple[str, ...] = Field(
        default=(), description="questions whose day was over before the session was recorded, such as day-1"
    )


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


class SessionDue(PatientEvent):
    """A session is near. Fired by a timer; void when the session has a newer version.

    Since schema 2 `occurrence` may be of any number of days, which `days` says.
    """

    TYPE: ClassVar = "session.due"
    TOPIC: ClassVar = Topic.SCHEDULING
    SCHEMA: ClassVar = 2

    session: UUID
    occurrence: str = Field(description="names the reminder among those of its session", examples=["3d"])
    starts_at: WallTime
    zone: str
    starts_at_utc: Instant
    minutes: int
    days: int | None = Field(default=None, description="whole days before the session; older events say it by the name")

    @property
    def days_before(self) -> int | None:
        """Return the whole days before the session; None where the reminder is of no whole days."""
        return days_before(self.occurrence) if self.days is None else self.days


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
