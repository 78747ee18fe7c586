from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.assessments.model.interval.cycles import window
from services.assessments.model.interval.history import Change, Direction, History, Parameters, Plan
from services.assessments.model.interval.interval_rule import evaluate
from tests.unit.assessments.interval.courses import LADDERS, course, on, plan

IV = LADDERS["iv-ketamine"]
totals = st.integers(0, 27)
cycles = st.lists(totals, min_size=0, max_size=4)
parameters = st.builds(Parameters, beyond_28_days=st.booleans(), memory_cycles=st.integers(6, 12))
changes = st.lists(
    st.builds(Change, on=st.integers(-20, 56).map(on), from_days=st.sampled_from(IV), to_days=st.sampled_from(IV)),
    max_size=3,
).map(tuple)


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, Plan]:
    """Any scores in two cycles, any decided changes, on any interval, of the ladder or not."""
    history, the_plan = course(draw(cycles), draw(cycles), draw(st.integers(1, 100)))
    skipped = draw(st.lists(st.integers(1, 55).map(on), max_size=4))
    return replace(history, changes=draw(changes), asked=(*history.asked, *skipped)), the_plan


@given(histories(), parameters)
def test_it_never_moves_by_more_than_one_rung(given_course: tuple[History, Plan], chosen: Parameters) -> None:
    verdict = evaluate(*given_course, chosen)
    between = [rung for rung in IV if min(verdict.from_days, verdict.to_days) < rung]
    between = [rung for rung in between if rung < max(verdict.from_days, verdict.to_days)]
    assert between == []
    assert verdict.to_days == verdict.from_days or verdict.to_days in IV


@given(histories(), parameters)
def test_direction_and_days_say_the_same(given_course: tuple[History, Plan], chosen: Parameters) -> None:
    verdict = evaluate(*given_course, chosen)
    expected = {
        Direction.SHORTEN: verdict.to_days < verdict.from_days,
        Direction.HOLD: verdict.to_days == verdict.from_days,
        Direction.LENGTHEN: verdict.to_days > verdict.from_days,
    }
    assert expected[verdict.direction]
    assert verdict.reasons
    assert verdict.from_days == given_course[1].interval_days


@given(histories(), parameters, st.integers(1, 3))
def test_with_an_open_safety_alert_it_never_moves(
    given_course: tuple[History, Plan], chosen: Parameters, alerts: int
) -> None:
    history, the_plan = given_course
    verdict = evaluate(replace(history, open_alerts=alerts), the_plan, chosen)
    assert verdict.direction is Direction.HOLD
    assert verdict.review


@given(histories(), parameters)
def test_in_induction_it_never_moves(given_course: tuple[History, Plan], chosen: Parameters) -> None:
    history, the_plan = given_course
    induction = replace(the_plan, maintenance=False, induction_completed_on=None)
    assert evaluate(history, induction, chosen).direction is Direction.HOLD


@given(histories(), parameters)
def test_it_never_lengthens_on_missing_data(given_course: tuple[History, Plan], chosen: Parameters) -> None:
    history, the_plan = given_course
    current = window(history, _newest(history))
    for looked_at in (current, window(history, current.begins or _newest(history))):
        first = looked_at.begins or on(-100)
        answered = [one for one in history.readings if first < one.asked_for <= _newest(history)]
        if len(answered) < 2 or 2 * len(looked_at.readings) < looked_at.asked:
            assert evaluate(history, the_plan, chosen).direction is not Direction.LENGTHEN


@given(histories(), parameters)
def test_the_first_version_never_lengthens_on_a_cycle_with_missing_data(
    given_course: tuple[History, Plan], chosen: Parameters
) -> None:
    history, the_plan = given_course
    for first_day, last_day in ((1, 28), (29, 56)):
        in_cycle = [one for one in history.readings if on(first_day) <= one.asked_for <= on(last_day)]
        asked = [day for day in history.asked if on(first_day) <= day <= on(last_day) and day <= _newest(history)]
        if len(in_cycle) < 2 or 2 * len(in_cycle) < len(asked):
            # The newest reading may lie in the first cycle; induction lies before that, and is no cycle to build on.
            assert evaluate(history, the_plan, chosen, version=1).direction is not Direction.LENGTHEN


@given(histories())
def test_it_never_lengthens_above_28_days_without_the_opt_in(given_course: tuple[History, Plan]) -> None:
    verdict = evaluate(*given_course, Parameters())
    assert verdict.direction is not Direction.LENGTHEN or verdict.to_days <= 28


@given(histories(), parameters)
def test_it_never_lengthens_to_a_rung_that_had_to_be_shortened(
    given_course: tuple[History, Plan], chosen: Parameters
) -> None:
    history, the_plan = given_course
    failed = Change(on(1), from_days=the_plan.interval_days + 1, to_days=max(1, the_plan.interval_days - 1))
    verdict = evaluate(replace(history, changes=(failed,)), the_plan, chosen)
    assert verdict.direction is not Direction.LENGTHEN or verdict.to_days < failed.from_days


@given(histories(), parameters, st.integers(0, 27), st.integers(0, 27))
def test_raising_the_late_scores_never_turns_shorten_into_lengthen(
    given_course: tuple[History, Plan], chosen: Parameters, more: int, and_more: int
) -> None:
    history, the_plan = given_course
    if evaluate(history, the_plan, chosen).direction is not Direction.SHORTEN:
        return
    *before, first, last = sorted(history.readings, key=lambda one: one.asked_for)
    raised = (
        replace(first, total=min(27, first.total + more)),
        replace(last, total=min(27, last.total + and_more)),
    )
    worse = evaluate(replace(history, readings=(*before, *raised)), the_plan, chosen)
    assert worse.direction is not Direction.LENGTHEN


@given(st.integers(4, 27), st.integers(4, 27), st.integers(0, 23), st.integers(0, 23))
def test_with_a_settled_best_worse_late_scores_never_ask_for_a_longer_interval(
    first: int, last: int, more: int, and_more: int
) -> None:
    order = [Direction.LENGTHEN, Direction.HOLD, Direction.SHORTEN]

    def direction(one: int, other: int) -> int:
        history, _ = course(current=(4, 4, min(27, one), min(27, other)))
        return order.index(evaluate(history, plan(21), Parameters()).direction)

    assert direction(first + more, last + and_more) >= direction(first, last)


@given(histories(), parameters)
def test_the_order_in_which_readings_are_told_makes_no_difference(
    given_course: tuple[History, Plan], chosen: Parameters
) -> None:
    history, the_plan = given_course
    backwards = replace(history, readings=history.readings[::-1], asked=history.asked[::-1])
    assert evaluate(backwards, the_plan, chosen) == evaluate(history, the_plan, chosen)


def _newest(history: History) -> date:
    return max(one.asked_for for one in history.readings)


@given(histories(), parameters, st.integers(29, 56))
def test_a_cycle_lengthens_once_at_most(given_course: tuple[History, Plan], chosen: Parameters, day: int) -> None:
    history, the_plan = given_course
    raised = Change(on(day), from_days=max(1, the_plan.interval_days - 7), to_days=the_plan.interval_days)
    verdict = evaluate(replace(history, changes=(*history.changes, raised)), the_plan, chosen)
    assert verdict.direction is not Direction.LENGTHEN or _newest(history) <= on(28)
