from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.scheduler.model.catalogue import IV_KETAMINE_1
from services.scheduler.model.due import reminders
from services.scheduler.model.sessions import (
    IllegalTransitionError,
    NothingToCorrectError,
    NotYetMissedError,
    Session,
    SessionState,
    TooEarlyError,
    attend,
    cancel,
    confirm,
    correct,
    miss,
    move,
    slot,
)
from shared.ids import ClinicId, PatientId, SessionId, new_id
from shared.walltime import parse_wall, to_instant

NEW_YORK = "America/New_York"
START = slot(parse_wall("2026-12-01T10:00"), NEW_YORK, 60)
DURING = START.starts_at_utc + timedelta(minutes=30)


def booked() -> Session:
    return Session(
        id=SessionId(new_id()),
        clinic=ClinicId(new_id()),
        patient=PatientId(new_id()),
        plan=None,
        version=1,
        state=SessionState.BOOKED,
        slot=START,
    )


FINAL = [attend(booked(), DURING), miss(booked(), DURING), cancel(booked())]


def test_a_slot_knows_its_instant() -> None:
    assert START.starts_at_utc == datetime(2026, 12, 1, 15, tzinfo=UTC)


def test_a_slot_in_the_gap_is_kept_as_what_the_clocks_then_show() -> None:
    assert slot(parse_wall("2027-03-14T02:30"), NEW_YORK, 60).starts_at == parse_wall("2027-03-14T03:30")


def test_slots_that_touch_do_not_overlap() -> None:
    after = slot(parse_wall("2026-12-01T11:00"), NEW_YORK, 60)
    assert not START.overlaps(after)
    assert not after.overlaps(START)


def test_slots_in_two_zones_overlap_by_their_instants() -> None:
    assert START.overlaps(slot(parse_wall("2026-12-01T16:30"), "Europe/Madrid", 30))


def test_a_confirmed_session_that_moves_is_booked_again() -> None:
    moved = move(confirm(booked()), slot(parse_wall("2026-12-02T10:00"), NEW_YORK, 60))
    assert (moved.state, moved.version) == (SessionState.BOOKED, 3)


def test_a_session_is_confirmed_once() -> None:
    with pytest.raises(IllegalTransitionError, match="is confirmed; it cannot be confirmed"):
        confirm(confirm(booked()))


STEPS: list[Callable[[Session], Session]] = [
    lambda session: move(session, START),
    confirm,
    lambda session: attend(session, DURING),
    lambda session: miss(session, DURING),
    cancel,
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("session", FINAL, ids=lambda session: session.state.value)
def test_a_final_state_allows_nothing(session: Session, step: Callable[[Session], Session]) -> None:
    with pytest.raises(IllegalTransitionError, match=f"The session is {session.state.value}"):
        step(session)


def test_a_session_recorded_days_later_took_place_on_its_booked_day() -> None:
    assert attend(booked(), DURING + timedelta(days=3)).attended_on == START.starts_at.date()


def test_a_patient_who_came_the_day_before_attended_on_that_day() -> None:
    assert (
        attend(booked(), START.starts_at_utc - timedelta(hours=20)).attended_on == parse_wall("2026-11-30T00:00").date()
    )


def test_a_patient_who_came_the_evening_before_attended_on_that_evening_by_the_wall_and_not_in_utc() -> None:
    evening = to_instant(parse_wall("2026-11-30T20:00"), NEW_YORK)
    assert attend(booked(), evening).attended_on == parse_wall("2026-11-30T00:00").date()


def test_a_session_recorded_after_midnight_utc_belongs_to_the_evening_it_took_place() -> None:
    late = slot(parse_wall("2026-12-01T20:00"), NEW_YORK, 60)
    session = attend(move(booked(), late), late.ends_at_utc)
    assert session.attended_on == parse_wall("2026-12-01T00:00").date()


def test_a_session_more_than_a_day_ahead_was_not_attended_yet() -> None:
    attend(booked(), START.starts_at_utc - timedelta(days=1))
    with pytest.raises(TooEarlyError, match="more than a day ahead"):
        attend(booked(), START.starts_at_utc - timedelta(days=1, seconds=1))


def test_nobody_has_missed_a_session_four_minutes_before_it_begins() -> None:
    with pytest.raises(NotYetMissedError, match="the patient may still come"):
        miss(booked(), START.starts_at_utc - timedelta(minutes=4))
    assert miss(booked(), START.starts_at_utc).state is SessionState.MISSED


@pytest.mark.parametrize(
    "state", [SessionState.ATTENDED, SessionState.MISSED, SessionState.CANCELLED, SessionState.BOOKED]
)
@pytest.mark.parametrize("session", FINAL, ids=lambda session: session.state.value)
def test_a_wrong_record_is_never_final(session: Session, state: SessionState) -> None:
    if state is session.state:
        with pytest.raises(NothingToCorrectError, match=f"recorded as {state} already"):
            correct(session, state, DURING)
        return
    corrected = correct(session, state, DURING)
    assert (corrected.state, corrected.version) == (state, session.version + 1)
    assert (corrected.attended_on is not None) == (state is SessionState.ATTENDED)


def test_what_was_never_recorded_is_recorded_and_not_corrected() -> None:
    with pytest.raises(NothingToCorrectError, match="Record that first"):
        correct(booked(), SessionState.MISSED, DURING)
    with pytest.raises(NotYetMissedError):
        correct(cancel(booked()), SessionState.MISSED, START.starts_at_utc - timedelta(minutes=1))


class SessionLife(RuleBasedStateMachine):
    """Any order of orders: versions rise by one, final is final, and reminders belong to the present time alone."""

    session: Session
    now: datetime

    @initialize()
    def book(self) -> None:
        self.session = booked()
        self.now = START.starts_at_utc - timedelta(days=10)

    @rule(hours=st.integers(1, 200))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def order(self, step: Callable[[], Session], allowed: bool) -> None:
        before = self.session
        try:
            self.session = step()
        except IllegalTransitionError:
            assert not allowed
        except TooEarlyError:
            assert before.slot.starts_at_utc - self.now > timedelta(days=1)
        except NotYetMissedError:
            assert before.slot.starts_at_utc > self.now
        else:
            assert allowed
            assert self.session.version == before.version + 1

    @rule(days=st.integers(1, 30))
    def move(self, days: int) -> None:
        to = slot(self.session.slot.starts_at + timedelta(days=days), NEW_YORK, 45)
        self.order(lambda: move(self.session, to), self.session.open)

    @rule()
    def confirm(self) -> None:
        self.order(lambda: confirm(self.session), self.session.state is SessionState.BOOKED)

    @rule()
    def attend(self) -> None:
        self.order(lambda: attend(self.session, self.now), self.session.open)

    @rule()
    def miss(self) -> None:
        begun = self.session.slot.starts_at_utc <= self.now
        self.order(lambda: miss(self.session, self.now), self.session.open and begun)

    @precondition(lambda self: self.session.version > 2)
    @rule()
    def cancel(self) -> None:
        self.order(lambda: cancel(self.session), self.session.open)

    @invariant()
    def only_the_attended_have_a_day(self) -> None:
        attended = self.session.state is SessionState.ATTENDED
        assert attended == (self.session.attended_at is not None) == (self.session.attended_on is not None)

    @invariant()
    def reminders_lie_between_now_and_the_session(self) -> None:
        due = reminders(self.session.slot, IV_KETAMINE_1.cadence, self.now)
        assert all(self.now < reminder.at < self.session.slot.starts_at_utc for reminder in due)


TestSessionLife = SessionLife.TestCase
