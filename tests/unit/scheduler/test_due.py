from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.model.catalogue import CADENCE_1
from services.scheduler.model.due import booking_due, reminders
from services.scheduler.model.sessions import Slot, slot
from shared.walltime import parse_wall, to_instant, to_wall
from shared.zones import zone_names

NEW_YORK = "America/New_York"

zones = st.sampled_from(sorted(zone_names()))
walls = st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2040-01-01"))
spans = st.timedeltas(timedelta(minutes=1), timedelta(days=40))


def at(text: str, zone: str = NEW_YORK) -> datetime:
    return to_instant(parse_wall(text), zone)


def session(text: str, zone: str = NEW_YORK) -> Slot:
    return slot(parse_wall(text), zone, 60)


def occurrences(booked: Slot, now: datetime) -> list[str]:
    return [reminder.occurrence for reminder in reminders(booked, CADENCE_1, now)]


def test_a_session_booked_well_ahead_is_reminded_three_days_and_one_day_before() -> None:
    assert occurrences(session("2026-12-10T09:00"), at("2026-12-01T12:00")) == ["3d", "1d"]


def test_a_reminder_at_any_offset_follows_from_the_protocols_data_alone() -> None:
    four = replace(CADENCE_1, reminder_days=(1, 14, 3, 7))
    due = reminders(session("2026-12-20T09:00"), four, at("2026-12-01T12:00"))
    assert [(one.occurrence, one.days) for one in due] == [("14d", 14), ("7d", 7), ("3d", 3), ("1d", 1)]
    assert due[1].at == at("2026-12-13T09:00")


def test_a_session_booked_two_days_ahead_is_reminded_one_day_before_alone() -> None:
    assert occurrences(session("2026-12-10T09:00"), at("2026-12-08T12:00")) == ["1d"]


def test_a_session_booked_the_evening_before_is_not_reminded() -> None:
    assert occurrences(session("2026-12-10T09:00"), at("2026-12-09T18:00")) == []


def test_a_reminder_whose_instant_is_now_is_not_ahead() -> None:
    assert occurrences(session("2026-12-10T09:00"), at("2026-12-07T09:00")) == ["1d"]


def test_reminders_keep_the_wall_time_in_the_week_the_clocks_change() -> None:
    due = reminders(session("2027-03-15T10:00"), CADENCE_1, at("2027-03-01T10:00"))
    assert [to_wall(reminder.at, NEW_YORK) for reminder in due] == [
        parse_wall("2027-03-12T10:00"),
        parse_wall("2027-03-14T10:00"),
    ]


def test_a_reminder_that_falls_into_the_gap_comes_when_the_clocks_have_moved() -> None:
    due = reminders(session("2027-03-15T02:30"), CADENCE_1, at("2027-03-13T10:00"))
    assert [to_wall(reminder.at, NEW_YORK) for reminder in due] == [parse_wall("2027-03-14T03:30")]


def test_booking_is_asked_for_a_week_before_the_due_day_at_ten() -> None:
    due = booking_due(date(2026, 12, 29), NEW_YORK, CADENCE_1, at("2026-12-01T12:00"), booked=False)
    assert due == at("2026-12-22T10:00")


def test_booking_is_not_asked_for_when_something_is_booked() -> None:
    assert booking_due(date(2026, 12, 29), NEW_YORK, CADENCE_1, at("2026-12-01T12:00"), booked=True) is None


def test_booking_is_not_asked_for_in_the_past() -> None:
    assert booking_due(date(2026, 12, 4), NEW_YORK, CADENCE_1, at("2026-12-01T12:00"), booked=False) is None


@given(walls, zones, spans)
def test_no_reminder_lies_outside_the_time_from_booking_to_the_session(
    wall: datetime, zone: str, ahead: timedelta
) -> None:
    booked = slot(wall, zone, 60)
    now = booked.starts_at_utc - ahead
    due = reminders(booked, CADENCE_1, now)
    assert all(now < reminder.at < booked.starts_at_utc for reminder in due)
    assert [reminder.occurrence for reminder in due] in (["3d", "1d"], ["1d"], [])


@given(walls, zones, spans, spans)
def test_later_bookings_have_no_more_reminders(wall: datetime, zone: str, first: timedelta, more: timedelta) -> None:
    booked = slot(wall, zone, 60)
    late = occurrences(booked, booked.starts_at_utc - first)
    early = occurrences(booked, booked.starts_at_utc - first - more)
    assert early[len(early) - len(late) :] == late
