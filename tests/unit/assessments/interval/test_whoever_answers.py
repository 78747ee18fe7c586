"""Whoever answers everything is never short of data, on any rung of any ladder, however sessions are moved."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessments.model.interval.history import Code, History, Parameters, Plan, Reading
from services.assessments.model.interval.interval_rule import evaluate
from tests.unit.assessments.interval.courses import LADDERS, on

SHORT: Final = frozenset({Code.INSUFFICIENT_DATA, Code.PREVIOUS_CYCLE_INSUFFICIENT})
RUNGS: Final = [(protocol, rung) for protocol, ladder in LADDERS.items() for rung in ladder]
INDUCTION: Final = {"iv-ketamine": (0, 3, 7, 10, 14, 17), "esketamine": (0, 3, 7, 10, 14, 17, 21, 24, 31, 38, 45, 52)}
OPTED_IN: Final = Parameters(beyond_28_days=True)


def asked_for(induction: tuple[int, ...], sessions: list[int]) -> list[int]:
    """The days on which the product asks: a baseline, weekly, and shortly before a session where no week is near it."""
    asked = [-1, *range(6, induction[-1], 7)]
    for last, following in pairwise([induction[-1], *sessions]):
        weekly = list(range(last + 7, following + 1, 7))
        before = [] if any(following - day <= 3 for day in weekly) else [following - 2]
        asked += weekly + [day for day in before if day > last]
    return sorted(set(asked))


def verdicts(protocol: str, rung: int, sessions: list[int], totals: list[int]) -> list[list[Code]]:
    """What the rule says after each answer of a patient who answers all that is asked."""
    induction = INDUCTION[protocol]
    days = asked_for(induction, sessions)
    readings = tuple(
        Reading(UUID(int=place), on(day), datetime.combine(on(day), time(10), UTC), totals[place % len(totals)])
        for place, day in enumerate(days)
    )
    attended = (*(on(day) for day in induction), *(on(day) for day in sessions))
    plan = Plan(
        protocol,
        maintenance=True,
        induction_completed_on=on(induction[-1]),
        interval_days=rung,
        ladder=LADDERS[protocol],
        opt_in_above=28,
    )
    return [
        [one.code for one in evaluate(_up_to(readings[: place + 1], attended), plan, OPTED_IN).reasons]
        for place, reading in enumerate(readings)
        if reading.asked_for > on(induction[-1])
    ]


def _up_to(readings: tuple[Reading, ...], attended: tuple[date, ...]) -> History:
    until = readings[-1].asked_for
    asked = tuple(one.asked_for for one in readings)
    return History(readings, asked, tuple(day for day in attended if day < until + timedelta(days=1)))


@pytest.mark.parametrize(("protocol", "rung"), RUNGS)
def test_no_rung_leaves_a_patient_who_answers_everything_short_of_data(protocol: str, rung: int) -> None:
    end = INDUCTION[protocol][-1]
    sessions = [end + rung * number for number in range(1, 7)]
    said = verdicts(protocol, rung, sessions, [20, 18, 8, 4, 3, 4, 4])
    assert len(said) >= 6
    assert not [codes for codes in said if SHORT.intersection(codes)]


@pytest.mark.parametrize(("protocol", "rung"), RUNGS)
def test_every_rung_can_be_left_upwards_by_who_stays_well(protocol: str, rung: int) -> None:
    end = INDUCTION[protocol][-1]
    said = verdicts(protocol, rung, [end + rung * number for number in range(1, 7)], [20, 12, *[4] * 400])
    top = rung == max(LADDERS[protocol])
    assert any(codes[0] is (Code.AT_LONGEST_RUNG if top else Code.LATE_SCORES_STABLE) for codes in said)


@given(
    st.sampled_from(RUNGS),
    st.lists(st.integers(-3, 10), min_size=4, max_size=8),
    st.lists(st.integers(0, 27), min_size=3, max_size=9),
)
def test_moved_sessions_leave_nobody_who_answers_everything_short_of_data(
    where: tuple[str, int], shifts: list[int], totals: list[int]
) -> None:
    protocol, rung = where
    day, sessions = INDUCTION[protocol][-1], []
    for shift in shifts:
        day += rung + shift
        sessions.append(day)
    assert not [codes for codes in verdicts(protocol, rung, sessions, totals) if SHORT.intersection(codes)]


@pytest.mark.parametrize(("protocol", "rung"), RUNGS)
def test_who_answers_one_in_three_is_held_on_every_rung(protocol: str, rung: int) -> None:
    induction = INDUCTION[protocol]
    sessions = [induction[-1] + rung * number for number in range(1, 7)]
    days = [on(day) for day in asked_for(induction, sessions)]
    attended = tuple(on(day) for day in (*induction, *sessions))
    answered = tuple(
        Reading(UUID(int=place), day, datetime.combine(day, time(10), UTC), 20 if place == 0 else 3)
        for place, day in enumerate(days)
        if place % 3 == 0
    )
    plan = Plan(
        protocol,
        maintenance=True,
        induction_completed_on=on(induction[-1]),
        interval_days=rung,
        ladder=LADDERS[protocol],
        opt_in_above=28,
    )
    for place, one in enumerate(answered):
        if one.asked_for > on(induction[-1]):
            asked = tuple(day for day in days if day <= one.asked_for)
            verdict = evaluate(History(answered[: place + 1], asked, attended), plan, OPTED_IN)
            assert verdict.to_days == rung
