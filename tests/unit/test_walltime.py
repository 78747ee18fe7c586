# ruff: noqa: DTZ001 - wall times are naive on purpose
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files

import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from shared.walltime import (
    NotWallTimeError,
    at_wall,
    parse_wall,
    to_instant,
    to_wall,
    wall_text,
)
from shared.zones import zone_names

zones = st.sampled_from(sorted(zone_names()))
walls = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2060, 1, 1))
instants = st.datetimes(
    min_value=datetime(1990, 1, 1), max_value=datetime(2060, 1, 1), timezones=st.just(UTC), allow_imaginary=False
)


@cache
def independent(zone: str) -> tz.tzfile:
    """Read the same rules by python-dateutil, which shares no code with zoneinfo."""
    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as compiled:
        return tz.tzfile(compiled)


def expected(wall: datetime, zone: str) -> datetime:
    real = tz.resolve_imaginary(tz.enfold(wall.replace(tzinfo=independent(zone)), fold=0))
    return real.astimezone(UTC)


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[datetime, str]:
    """Draw a wall time within three hours of a change of offset, where the mistakes are."""
    zone = draw(zones)
    year = draw(st.integers(1990, 2059))
    start = datetime(year, 1, 1, tzinfo=UTC)
    changes = [
        start + timedelta(days=day)
        for day in range(365)
        if to_wall(start + timedelta(days=day + 1), zone) - to_wall(start + timedelta(days=day), zone)
        != timedelta(days=1)
    ]
    day = draw(st.sampled_from(changes or [start]))
    return to_wall(day, zone) + timedelta(minutes=draw(st.integers(-180, 27 * 60))), zone


@given(walls, zones)
def test_an_instant_is_what_an_independent_library_says(wall: datetime, zone: str) -> None:
    assert to_instant(wall, zone) == expected(wall, zone)


@given(near_a_change())
def test_an_instant_near_a_clock_change_is_what_an_independent_library_says(case: tuple[datetime, str]) -> None:
    wall, zone = case
    assert to_instant(wall, zone) == expected(wall, zone)


@given(instants, zones)
def test_the_wall_is_what_an_independent_library_says(instant: datetime, zone: str) -> None:
    assert to_wall(instant, zone) == instant.astimezone(independent(zone)).replace(tzinfo=None)


@given(near_a_change())
def test_a_wall_time_comes_back_unless_the_clocks_skipped_it(case: tuple[datetime, str]) -> None:
    wall, zone = case
    back = to_wall(to_instant(wall, zone), zone)
    skipped = not tz.datetime_exists(wall, independent(zone))
    assert back > wall if skipped else back == wall


@given(near_a_change())
def test_of_two_instants_with_the_same_wall_time_the_first_is_taken(case: tuple[datetime, str]) -> None:
    wall, zone = case
    first = to_instant(wall, zone)
    assert all(to_wall(first - timedelta(minutes=minutes), zone) != to_wall(first, zone) for minutes in (30, 60, 120))


def test_a_time_in_the_gap_moves_forward_by_the_gap() -> None:
    instant = to_instant(datetime(2027, 3, 14, 2, 30), "America/New_York")
    assert to_wall(instant, "America/New_York") == datetime(2027, 3, 14, 3, 30)


def test_a_half_hour_gap_moves_forward_by_half_an_hour() -> None:
    instant = to_instant(datetime(2027, 10, 3, 2, 15), "Australia/Lord_Howe")
    assert to_wall(instant, "Australia/Lord_Howe") == datetime(2027, 10, 3, 2, 45)


def test_a_day_that_a_zone_skipped_moves_to_the_next() -> None:
    instant = to_instant(datetime(2011, 12, 30, 10, 0), "Pacific/Apia")
    assert to_wall(instant, "Pacific/Apia") == datetime(2011, 12, 31, 10, 0)


def test_a_time_that_happens_twice_takes_the_first() -> None:
    assert to_instant(datetime(2026, 11, 1, 1, 30), "America/New_York") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_fold_in_the_input_changes_nothing() -> None:
    second = datetime(2026, 11, 1, 1, 30, fold=1)
    assert to_instant(second, "America/New_York") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_the_wall_never_carries_a_fold() -> None:
    assert to_wall(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "America/New_York").fold == 0


def test_a_zone_without_summer_time_keeps_its_offset() -> None:
    assert at_wall(date(2026, 7, 1), time(10), "America/Phoenix") == datetime(2026, 7, 1, 17, tzinfo=UTC)


def test_an_instant_is_not_taken_for_a_wall_time() -> None:
    with pytest.raises(ValueError, match="carries an offset"):
        to_instant(datetime(2026, 1, 1, tzinfo=UTC), "UTC")


def test_a_wall_time_is_not_taken_for_an_instant() -> None:
    with pytest.raises(ValueError, match="carries no zone"):
        to_wall(datetime(2026, 1, 1), "UTC")


@given(walls)
def test_a_wall_time_reads_back_as_it_was_written(wall: datetime) -> None:
    minute = wall.replace(second=0, microsecond=0)
    assert parse_wall(wall_text(minute)) == minute


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T10:00Z",
        "2026-12-01T10:00+01:00",
        "2026-12-01T10:00:00",
        "2026-12-01 10:00",
        "2026-12-01",
        "2026-13-01T10:00",
        "2026-02-30T10:00",
        "2026-12-01T24:00",
        "\uff12026-12-01T10:00",
        "soon",
        "",
    ],
)
def test_what_is_no_wall_time_is_refused(text: str) -> None:
    with pytest.raises(NotWallTimeError, match="without seconds or offset"):
        parse_wall(text)
