"""A session and its life: booked, confirmed, then attended, missed or cancelled for good."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from services.scheduler.model.patients import Patient
from shared.ids import ClinicId, PatientId, PlanId, SessionId
from shared.walltime import to_instant, to_wall

OUTCOME_AHEAD: Final = timedelta(days=1)
"""How long before its start a session may be recorded as attended: the patient may come earlier."""


class SessionState(StrEnum):
    """Where a session stands; the last three are final."""

    BOOKED = "booked"
    CONFIRMED = "confirmed"
    ATTENDED = "attended"
    MISSED = "missed"
    CANCELLED = "cancelled"


class SessionKind(StrEnum):
    """What a session is for. A consultation is reminded of; it belongs to no plan, and no question follows from it."""

    TREATMENT = "treatment"
    CONSULTATION = "consultation"


OPEN: Final = frozenset({SessionState.BOOKED, SessionState.CONFIRMED})
"""The states in which a session is still to come, or waits for its outcome."""


DISCHARGED: Final = "discharged"
"""The code of why a session was cancelled because its patient left."""
SESSION_REASON: Final = "session-reason"
SESSION_NOTE: Final = "session-note"
"""The contexts that what staff write with a session's end is sealed for."""


class SessionError(Exception):
    """A session does not allow what was asked of it."""


class IllegalTransitionError(SessionError):
    """A session in this state cannot become what was asked."""

    def __init__(self, state: SessionState, wanted: str) -> None:
        self.state = state
        super().__init__(f"The session is {state}; it cannot be {wanted} any more.")


class TooEarlyError(SessionError):
    """The outcome of a session was recorded long before its start."""

    def __init__(self, wanted: str, starts_at: datetime, zone: str) -> None:
        super().__init__(
            f"The session is on {starts_at:%Y-%m-%d at %H:%M} ({zone}), more than a day ahead: "
            f"it cannot be {wanted} yet. Move it first, or cancel it."
        )


class NotYetMissedError(SessionError):
    """Nobody has missed a session that has not begun."""

    def __init__(self, starts_at: datetime, zone: str) -> None:
        super().__init__(
            f"The session begins on {starts_at:%Y-%m-%d at %H:%M} ({zone}): the patient may still come. Record it as "
            "missed after that, or cancel it."
        )


class NothingToCorrectError(SessionError):
    """There is no record to correct."""


@dataclass(frozen=True)
class Slot:
    """When and how long: the wall time at a place, and the instant that follows from both."""

    starts_at: datetime
    zone: str
    starts_at_utc: datetime
    minutes: int

    @property
    def ends_at_utc(self) -> datetime:
        """Return the instant at which the session ends."""
        return self.starts_at_utc + timedelta(minutes=self.minutes)

    def overlaps(self, other: "Slot") -> bool:
        """Return whether the two share any instant; one that begins as the other ends does not."""
        return self.starts_at_utc < other.ends_at_utc and other.starts_at_utc < self.ends_at_utc


def slot(wall: datetime, zone: str, minutes: int) -> Slot:
    """Return the slot of a wall time; one that the clocks skip is kept as what they then show, 03:30 for 02:30."""
    instant = to_instant(wall, zone)
    return Slot(starts_at=to_wall(instant, zone), zone=zone, starts_at_utc=instant, minutes=minutes)


@dataclass(frozen=True)
class Booking:
    """What staff say of a session as they book it."""

    slot: Slot
    kind: SessionKind = SessionKind.TREATMENT


@dataclass(frozen=True)
class Session:
    """A session as it now stands.

    Attributes:
        number: its place among the sessions of the plan; once attended, how many that made.
        attended_at: the instant at which it was recorded as attended.
        attended_on: the day on which it took place, at its place.
        reason: a code of ours for why it was cancelled; of old rows, until they are sealed, what staff wrote.
        note: of old rows, until they are sealed, what else staff wrote.
        sealed_reason: why it was cancelled or missed, as staff wrote it, sealed for the context `session-reason`.
        sealed_note: what else staff wrote when they recorded the outcome, sealed for the context `session-note`.
        not_asked: occurrences of questions whose day was over before it was recorded as attended.
    """

    id: SessionId
    clinic: ClinicId
    patient: PatientId
    plan: PlanId | None
    version: int
    state: SessionState
    slot: Slot
    number: int | None = None
    attended_at: datetime | None = None
    attended_on: date | None = None
    reason: str | None = None
    note: str | None = None
    sealed_reason: str | None = None
    sealed_note: str | None = None
    kind: SessionKind = SessionKind.TREATMENT
    not_asked: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Return whether the session can still change."""
        return self.state in OPEN

    def flat(self) -> dict[str, Any]:
        """Return the fields by name, those of the slot among them: so tables, events and programs have them."""
        nested = {**vars(self), **vars(self.slot)}
        del nested["slot"]
        return nested


def book(wanted: Booking, patient: Patient, new: SessionId, *, plan: PlanId | None, number: int | None) -> Session:
    """Return a new session, which nobody has confirmed yet."""
    return Session(
        id=new,
        clinic=patient.clinic,
        patient=patient.id,
        plan=plan,
        version=1,
        state=SessionState.BOOKED,
        slot=wanted.slot,
        number=number,
        kind=wanted.kind,
    )


def move(session: Session, to: Slot) -> Session:
    """Return the session at another time. What the patient confirmed was the old one, so it is booked again.

    Raises:
        IllegalTransitionError: if it is over or cancelled.
    """
    return replace(_step(session, SessionState.BOOKED, "moved"), slot=to)


def confirm(session: Session) -> Session:
    """Return the session that the patient promised to come to.

    Raises:
        IllegalTransitionError: if it is anything but booked.
    """
    if session.state is not SessionState.BOOKED:
        raise IllegalTransitionError(session.state, "confirmed")
    return _step(session, SessionState.CONFIRMED, "confirmed")


def attend(session: Session, now: datetime) -> Session:
    """Return the session as attended.

    Its day is that of the booking: staff often record it later. Where it is recorded on an earlier day, the patient
    came earlier, and that day counts.

    Raises:
        IllegalTransitionError: if it is over or cancelled.
        TooEarlyError: if it begins more than a day from now.
    """
    after = _step(session, SessionState.ATTENDED, "attended")
    _not_too_early(session, now, "attended")
    today = to_wall(now, session.slot.zone).date()
    day = min(today, session.slot.starts_at.date())
    return replace(after, attended_at=now, attended_on=day)


def miss(session: Session, now: datetime) -> Session:
    """Return the session to which the patient did not come.

    Raises:
        IllegalTransitionError: if it is over or cancelled.
        NotYetMissedError: if it has not begun.
    """
    after = _step(session, SessionState.MISSED, "missed")
    if session.slot.starts_at_utc > now:
        raise NotYetMissedError(session.slot.starts_at, session.slot.zone)
    return after


def unconfirm(session: Session) -> Session:
    """Return the session to which the patient has taken back that they will come.

    Raises:
        IllegalTransitionError: if it is anything but confirmed.
    """
    if session.state is not SessionState.CONFIRMED:
        raise IllegalTransitionError(session.state, "taken back")
    return _step(session, SessionState.BOOKED, "taken back")


def correct(session: Session, state: SessionState, now: datetime) -> Session:
    """Return the session as it should have been recorded; the one place where an ended session changes.

    Args:
        session: recorded as attended, missed or cancelled.
        state: what holds instead; booked again is still to come, or waits for its outcome.
        now: the instant of the correction. An attended session counts for the day on which it was booked, as ever.

    Raises:
        NothingToCorrectError: it is open still, or recorded so already.
        TooEarlyError: the outcome of a session days ahead.
    """
    if session.open:
        raise NothingToCorrectError(
            f"The session is {session.state}: nothing is recorded of it yet. Record that first."
        )
    if state is session.state:
        raise NothingToCorrectError(f"The session is recorded as {state} already.")
    again = replace(
        session,
        state=SessionState.BOOKED,
        version=session.version,
        attended_at=None,
        attended_on=None,
        not_asked=(),
        number=None,
    )
    if state is SessionState.ATTENDED:
        return attend(again, now)
    if state is SessionState.MISSED:
        return miss(again, now)
    return _step(again, state, "corrected")


def cancel(session: Session) -> Session:
    """Return the cancelled session.

    Raises:
        IllegalTransitionError: if it is over or already cancelled.
    """
    return _step(session, SessionState.CANCELLED, "cancelled")


def _step(session: Session, state: SessionState, wanted: str) -> Session:
    if not session.open:
        raise IllegalTransitionError(session.state, wanted)
    return replace(session, state=state, version=session.version + 1)


def _not_too_early(session: Session, now: datetime, wanted: str) -> None:
    if session.slot.starts_at_utc - now > OUTCOME_AHEAD:
        raise TooEarlyError(wanted, session.slot.starts_at, session.slot.zone)
