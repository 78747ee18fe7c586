"""What a patient is asked, as a pure function of the sessions that took place and the one that comes next."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.model.catalogue import CADENCE_1, CADENCE_2, IV_KETAMINE_2
from services.scheduler.model.questions import (
    CHECK,
    Course,
    baseline,
    late,
    measure_before,
    questions,
    retimed,
    still_ahead,
)
from shared.instruments import MEASURE
from shared.walltime import parse_wall, to_instant, to_wall
from shared.zones import zone_names

NEW_YORK = "America/New_York"
DAY_0 = date(2026, 12, 1)
INDUCTION = (0, 3, 7, 10, 14, 17)
MEASURES = CADENCE_2.measures or pytest.fail("the newest cadence has no measures")

zones = st.sampled_from(sorted(zone_names()))
walls = st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2040-01-01"))
spans = st.timedeltas(timedelta(minutes=1), timedelta(days=40))


def at(text: str, zone: str = NEW_YORK) -> datetime:
    return to_instant(parse_wall(text), zone)


def day(number: int) -> date:
    return DAY_0 + timedelta(days=number)


def course(held: Sequence[int], next_on: int | None = None, **more: int) -> Course:
    known = {name: day(number) for name, number in more.items()}
    return Course(
        cadence=CADENCE_2,
        latest_on=day(max(held)) if held else None,
        held_on=tuple(day(number) for number in held),
        series_sessions=6,
        next_on=None if next_on is None else day(next_on),
        **known,
    )


def measured(follows: Course) -> list[int]:
    asked = questions(follows, NEW_YORK)
    return [(one.asked_for - DAY_0).days for one in asked if MEASURE in one.instruments]


def lived(sessions: Sequence[int], *, recorded_at: str = "11:00") -> list[int]:
    """Return the days on which a patient is measured who comes on these days, each booked as the one before is over."""
    asked: dict[int, str] = {}
    before_on = measured_on = None
    for index, (held, following) in enumerate(zip(sessions, [*sessions[1:], None], strict=True)):
        follows = replace(course(sessions[: index + 1], following), measured_on=measured_on, before_on=before_on)
        now = at(f"{day(held)}T{recorded_at}")
        until = None if following is None else at(f"{day(following)}T{recorded_at}")
        for one in questions(follows, NEW_YORK):
            if MEASURE in one.instruments and now < one.at and (until is None or one.at <= until):
                asked[(one.asked_for - DAY_0).days] = one.occurrence
        measured_on = day(max(asked)) if asked else None
        before_on = measure_before(follows) or before_on
    return sorted(asked)


def test_sessions_every_three_days_push_no_measure_of_the_induction_away() -> None:
    assert [asked for asked in lived(INDUCTION) if asked <= 21] == [7, 14, 21]


@pytest.mark.parametrize(
    "sessions", [(0, 2, 4, 7, 9, 11), (0, 3, 6, 9, 12, 15), (0, 7, 14, 21, 28, 35), (0, 5, 6, 12, 20, 33)]
)
@pytest.mark.parametrize("recorded_at", ["09:00", "11:00", "20:00"])
def test_no_rhythm_of_sessions_takes_a_week_of_the_induction_away(sessions: tuple[int, ...], recorded_at: str) -> None:
    last_week = (sessions[-1] // 7 + 1) * 7
    asked = lived(sessions, recorded_at=recorded_at)
    assert set(range(7, last_week + 1, 7)) <= set(asked)


@pytest.mark.parametrize("rung", IV_KETAMINE_2.maintenance.ladder)
@pytest.mark.parametrize("recorded_at", ["09:00", "11:00", "20:00"])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_at_no_rung_of_the_ladder_a_patient_is_left_with_a_single_measure(
    rung: int, recorded_at: str, off: int
) -> None:
    """In any fourteen days of maintenance there are two, and one of them in the last week before the session."""
    sessions = [*INDUCTION, *range(INDUCTION[-1] + rung, 400, rung + off)]
    asked = lived(sessions, recorded_at=recorded_at)
    ends = sessions[-1]
    for session in [one for one in sessions if INDUCTION[-1] < one <= ends]:
        window = [one for one in asked if session - 14 <= one <= session]
        assert len(window) >= 2, (session, asked)
        assert session - max(window) <= 7, (session, asked)


@pytest.mark.parametrize("gap", [4, 5, 6, 8, 9, 10, 12, 13, 15, 17, 23, 30, 35])
@pytest.mark.parametrize("recorded_at", ["09:00", "11:00"])
def test_sessions_a_few_days_apart_never_silence_the_measures_of_maintenance(gap: int, recorded_at: str) -> None:
    sessions = [*INDUCTION, *range(INDUCTION[-1] + gap, 300, gap)]
    asked = [one for one in lived(sessions, recorded_at=recorded_at) if one <= sessions[-1]]
    apart = [later - earlier for earlier, later in pairwise(asked)]
    assert max(apart) <= MEASURES.most_days + 3, asked
    assert min(apart) >= 3, asked


@given(st.lists(st.integers(1, 40), min_size=6, max_size=30), st.sampled_from(["09:00", "11:00", "17:00"]))
def test_whatever_the_gaps_between_sessions_no_fortnight_passes_without_a_measure(
    gaps: list[int], recorded_at: str
) -> None:
    sessions = [sum(gaps[:count]) for count in range(len(gaps) + 1)]
    asked = [one for one in lived(sessions, recorded_at=recorded_at) if one <= sessions[-1]]
    apart = [later - earlier for earlier, later in zip([0, *asked], [*asked, sessions[-1]], strict=True)]
    assert max(apart) <= 14, (sessions, asked)


def test_long_intervals_are_asked_about_weekly_to_their_end() -> None:
    assert [one - 17 for one in lived([*INDUCTION, 17 + 84]) if 21 < one <= 101] == [
        14,
        21,
        28,
        35,
        42,
        49,
        56,
        63,
        70,
        77,
        82,
    ]


def test_the_measure_before_a_session_comes_two_days_ahead_and_stands_for_the_weekly_one_beside_it() -> None:
    assert [one for one in measured(course([*INDUCTION, 45], 73)) if one > 45][:5] == [52, 59, 66, 71, 80]


def test_a_weekly_measure_shortly_before_a_session_is_not_asked_twice() -> None:
    assert [one for one in measured(course([*INDUCTION, 45], 75)) if one > 45][:5] == [52, 59, 66, 73, 80]


def test_a_session_moved_after_its_measure_does_not_ask_the_same_week_twice() -> None:
    follows = course([*INDUCTION, 45], 74, before_on=71)
    assert measure_before(follows) is None
    assert [one for one in measured(follows) if one > 59][:3] == [66, 80, 87]


def test_a_session_that_comes_too_near_for_its_measure_takes_no_weekly_one_away() -> None:
    held, evening = [*INDUCTION, 45], 58
    near = course(held, 59, from_on=evening)
    assert measure_before(near) is None
    assert 59 in measured(near)


def test_a_patient_who_stays_away_is_asked_weekly_for_half_a_year_and_then_left_in_peace() -> None:
    asked = measured(course([0, 3], 7))
    assert (asked[0], asked[-1]) == (7, 182)
    assert len(asked) == 26


def test_a_session_outside_a_plan_starts_no_weeks_of_questions() -> None:
    asked = questions(Course(CADENCE_2, DAY_0), NEW_YORK)
    assert [(one.occurrence, one.instruments) for one in asked] == [("day-1", (CHECK,)), ("day-3", (CHECK,))]


def test_a_measure_and_a_check_of_one_day_are_one_check_in() -> None:
    asked = questions(course([0, 3, 6]), NEW_YORK)
    assert [(one.occurrence, one.instruments) for one in asked[:2]] == [
        ("week-1", (CHECK, MEASURE)),
        ("day-3", (CHECK,)),
    ]


def test_a_running_plan_of_the_first_version_is_asked_as_it_always_was() -> None:
    asked = questions(replace(course([0]), cadence=CADENCE_1), NEW_YORK)
    assert [one.occurrence for one in asked] == ["day-1", "day-3", *(f"day-{7 * week}" for week in range(1, 27))]


def test_a_baseline_is_asked_three_days_before_the_first_session() -> None:
    asked = baseline(date(2026, 12, 10), NEW_YORK, MEASURES, at("2026-12-01T12:00"))
    assert (asked.at, asked.asked_for) == (at("2026-12-07T10:00"), date(2026, 12, 7))


@pytest.mark.parametrize("first_on", [date(2026, 12, 3), date(2026, 12, 1), date(2025, 12, 1)])
def test_a_baseline_of_a_plan_that_begins_soon_does_not_wait(first_on: date) -> None:
    now = at("2026-12-01T12:00")
    asked = baseline(first_on, NEW_YORK, MEASURES, now)
    assert (asked.at, asked.asked_for) == (now, DAY_0)


def test_a_record_in_time_loses_nothing() -> None:
    found = late(course([0, 3]), course([0]), NEW_YORK, at("2026-12-04T18:00"))
    assert (found.ask, found.lost) == (None, ())


def test_a_session_recorded_six_days_late_asks_for_its_effects_at_once_and_says_what_was_lost() -> None:
    now = at("2026-12-07T12:00")
    found = late(course([0]), course([]), NEW_YORK, now)
    assert found.lost == ("day-1", "day-3")
    assert found.ask is not None
    assert (found.ask.occurrence, found.ask.instruments, found.ask.at) == ("day-6", (CHECK,), now)


def test_a_session_recorded_two_days_late_waits_for_the_check_of_the_next_day() -> None:
    found = late(course([0]), course([]), NEW_YORK, at("2026-12-03T12:00"))
    assert (found.ask, found.lost) == (None, ("day-1",))


def test_a_session_recorded_nine_days_late_still_asks_for_the_week_that_nobody_measured() -> None:
    found = late(course([0]), course([]), NEW_YORK, at("2026-12-10T12:00"))
    assert found.lost == ("day-1", "day-3", "week-1")
    assert found.ask is not None
    assert (found.ask.occurrence, found.ask.instruments) == ("day-9", (MEASURE,))


def test_what_was_asked_by_the_plan_before_is_not_lost_by_a_late_record() -> None:
    before, now = course([*INDUCTION], 45), at(f"{day(53)}T12:00")
    assert 52 in measured(before)
    found = late(course([*INDUCTION, 45]), before, NEW_YORK, now)
    assert found.ask is not None or "day-7" not in found.lost
    assert MEASURE not in (found.ask.instruments if found.ask else ())


def test_a_move_to_the_east_asks_at_once_what_has_become_past_but_was_not_asked() -> None:
    now = at("2026-12-02T09:00", "America/Los_Angeles")
    moved = retimed(questions(course([0]), NEW_YORK), {"day-1", "day-3"}, now)
    assert [(one.occurrence, one.at) for one in moved] == [("day-1", now), ("day-3", at("2026-12-04T10:00"))]


def test_a_move_to_the_west_does_not_ask_again_what_was_asked() -> None:
    now = at("2026-12-02T10:30", NEW_YORK)
    moved = retimed(questions(course([0]), "America/Los_Angeles"), {"day-3"}, now)
    assert [one.occurrence for one in moved] == ["day-3"]


@given(walls, zones)
def test_check_ins_rise_and_show_ten_on_the_wall_or_the_first_moment_after_a_gap(wall: datetime, zone: str) -> None:
    asked = questions(replace(course([0]), held_on=(wall.date(),), latest_on=wall.date()), zone)
    instants = [one.at for one in asked]
    assert instants == sorted(set(instants))
    shown = [to_wall(one.at, zone) for one in asked]
    assert all(
        when == datetime.combine(one.asked_for, when.time()) and when.hour == 10
        for when, one in zip(shown, asked, strict=True)
    )


@given(walls, zones, zones, spans)
def test_a_change_of_zone_asks_each_pending_day_once_and_never_in_the_past(
    wall: datetime, old: str, new: str, passed: timedelta
) -> None:
    follows = replace(course([0]), held_on=(wall.date(),), latest_on=wall.date())
    now = to_instant(wall, old) + passed
    pending = {one.occurrence for one in still_ahead(questions(follows, old), now)}
    moved = retimed(questions(follows, new), pending, now)
    assert {one.occurrence for one in moved} == pending
    assert all(one.at >= now for one in moved)
