from dataclasses import replace
from datetime import timedelta

import pytest

from services.assessments.model.interval.history import (
    Change,
    Code,
    Direction,
    History,
    OutsideChange,
    Parameters,
    Plan,
)
from services.assessments.model.interval.interval_rule import evaluate
from services.assessments.model.interval.objections import objections
from tests.unit.assessments.interval.courses import course, on, reading, with_readings

NO_OPT_IN = Parameters()
OPTED_IN = Parameters(beyond_28_days=True)


def codes(history: History, plan: Plan, parameters: Parameters = NO_OPT_IN) -> list[Code]:
    return [reason.code for reason in evaluate(history, plan, parameters).reasons]


def test_two_stable_cycles_lengthen_by_one_rung() -> None:
    verdict = evaluate(*course(interval=21), NO_OPT_IN)
    assert (verdict.direction, verdict.from_days, verdict.to_days) == (Direction.LENGTHEN, 21, 28)
    assert not verdict.review


def test_both_late_scores_at_the_threshold_shorten_by_one_rung() -> None:
    verdict = evaluate(*course(current=(4, 4, 10, 10)), NO_OPT_IN)
    assert (verdict.direction, verdict.from_days, verdict.to_days) == (Direction.SHORTEN, 28, 21)
    assert verdict.reasons[0].code is Code.LATE_SCORES_HIGH
    assert dict(verdict.reasons[0].values) == {"first": 10, "last": 10, "threshold": 10, "best": 4}
    assert "(10 and 10) are at 10 or above" in verdict.reasons[0].text


def test_the_threshold_follows_the_personal_best_when_that_is_high() -> None:
    history, plan = course(previous=(8, 8, 8, 8), current=(8, 8, 12, 12))
    assert evaluate(history, plan, NO_OPT_IN).direction is not Direction.SHORTEN
    history, plan = course(previous=(8, 8, 8, 8), current=(8, 8, 13, 13))
    assert evaluate(history, plan, NO_OPT_IN).direction is Direction.SHORTEN


def test_one_high_score_holds_and_asks_for_a_second_within_72_hours() -> None:
    verdict = evaluate(*course(current=(4, 4, 4, 16)), NO_OPT_IN)
    assert verdict.direction is Direction.HOLD
    assert verdict.reasons[0].code is Code.RISE_UNCONFIRMED
    assert "within 72 hours" in verdict.reasons[0].text


def test_a_marked_rise_confirmed_within_72_hours_shortens() -> None:
    history, plan = course(previous=(2, 2, 2, 2), current=(2, 2))
    history = with_readings(history, reading(50, 8), reading(53, 12))
    verdict = evaluate(history, plan, NO_OPT_IN)
    assert verdict.direction is Direction.SHORTEN
    assert verdict.reasons[0].code is Code.RISE_CONFIRMED


def test_a_confirmation_after_72_hours_is_none() -> None:
    history, plan = course(previous=(2, 2, 2, 2), current=(2, 2))
    history = with_readings(history, reading(50, 8), reading(53, 12, hour=11))
    assert codes(history, plan) == [Code.RISE_UNCONFIRMED]


def test_scores_between_stable_and_high_hold() -> None:
    history, plan = course(previous=(7, 7, 7, 7), current=(7, 7, 7, 7))
    history = replace(history, readings=(*history.readings[:-2], reading(49, 12), reading(56, 11)))
    assert codes(history, plan) == [Code.BETWEEN]


@pytest.mark.parametrize(("scores", "days"), [((4, 4), 14), ((4, 4, 4), 21)])
def test_only_scores_of_the_last_week_before_a_session_lengthen(scores: tuple[int, ...], days: int) -> None:
    early = codes(*course(current=scores, interval=28), OPTED_IN)
    assert (early[0] is Code.CYCLE_NOT_OVER) == (days < 21)


def test_early_scores_of_a_long_cycle_can_still_shorten() -> None:
    assert evaluate(*course(current=(4, 15, 15), interval=84), OPTED_IN).to_days == 56


def test_a_cycle_whose_interval_was_changed_is_not_lengthened_again() -> None:
    history, plan = course(interval=21)
    changed = replace(history, changes=(Change(on(40), 14, 21),))
    assert codes(changed, plan) == [Code.CHANGED_THIS_CYCLE, Code.LATE_SCORES_STABLE]
    before = replace(history, changes=(Change(on(20), 14, 21),))
    assert evaluate(before, plan, NO_OPT_IN).direction is Direction.LENGTHEN


def test_scores_from_before_a_change_do_not_move_the_interval_again() -> None:
    history, plan = course(previous=(4, 4, 4, 15), current=(15,), interval=21)
    changed = replace(history, changes=(Change(on(28), 28, 21),))
    assert codes(changed, plan) == [Code.CHANGED_SINCE, Code.LATE_SCORES_HIGH]
    later = with_readings(changed, reading(42, 15))
    assert evaluate(later, plan, NO_OPT_IN).to_days == 14


def test_one_unstable_cycle_before_holds() -> None:
    history, plan = course(previous=(4, 4, 4, 12))
    assert codes(history, plan) == [Code.PREVIOUS_CYCLE_NOT_STABLE, Code.LATE_SCORES_STABLE]


def test_too_little_answered_in_the_cycle_before_holds() -> None:
    history, plan = course()
    thinner = tuple(one for one in history.readings if one.asked_for not in {on(14), on(21), on(28)})
    assert codes(replace(history, readings=thinner), plan)[0] is Code.PREVIOUS_CYCLE_INSUFFICIENT


def test_the_first_cycle_after_induction_holds_for_a_second_one() -> None:
    history, plan = course(current=(), interval=28)
    assert codes(history, plan, OPTED_IN) == [Code.FIRST_CYCLE, Code.LATE_SCORES_STABLE]


def test_g1_an_open_safety_alert_goes_to_review_before_everything_else() -> None:
    history, plan = course(current=(4, 4, 20, 20))
    induction = replace(plan, maintenance=False, induction_completed_on=None)
    verdict = evaluate(replace(history, open_alerts=1), induction, NO_OPT_IN)
    assert (verdict.direction, verdict.review) == (Direction.HOLD, True)
    assert verdict.reasons[0].code is Code.SAFETY_ALERT_OPEN
    assert verdict.reasons[0].text == "1 safety alert is not closed. Close it first."
    two = evaluate(replace(history, open_alerts=2), induction, NO_OPT_IN)
    assert two.reasons[0].text == "2 safety alerts are not closed. Close them first."


def test_g2_in_induction_it_holds_and_says_so() -> None:
    history, plan = course()
    verdict = evaluate(history, replace(plan, maintenance=False, induction_completed_on=None), NO_OPT_IN)
    assert (verdict.direction, verdict.review, verdict.to_days) == (Direction.HOLD, True, 28)
    assert verdict.reasons[0].text.startswith("Induction not complete")


def test_g2_without_a_documented_response_it_goes_to_review() -> None:
    history, plan = course(previous=(11, 11, 11, 11), current=(11, 11, 11, 11))
    assert codes(history, plan) == [Code.RESPONSE_NOT_DOCUMENTED]
    said = evaluate(history, plan, NO_OPT_IN).reasons[0].text
    assert "the first PHQ-9 was 20, and none after induction is at 10 or below, or below 5." in said
    halved = course(previous=(10, 11, 11, 11), current=(11, 11, 11, 11))
    assert codes(*halved) != [Code.RESPONSE_NOT_DOCUMENTED]
    no_baseline = replace(history, readings=history.readings[1:])
    assert "no PHQ-9 up to the end of induction" in evaluate(no_baseline, plan, NO_OPT_IN).reasons[0].text


def test_g3_a_hold_for_want_of_scores_says_how_many_more_by_when() -> None:
    history, plan = course(current=(4, 4, 4))
    answered = tuple(one for one in history.readings if one.asked_for not in {on(35), on(42)})
    verdict = evaluate(replace(history, readings=answered), plan, NO_OPT_IN)
    assert (verdict.direction, verdict.review) == (Direction.HOLD, False)
    assert [one.text for one in verdict.reasons] == [
        "Insufficient data: 1 of 3 PHQ-9s since 29 January was answered.",
        "With one more score by 5 March it can be judged.",
    ]


def test_g3_who_missed_most_of_what_was_asked_hears_how_much_is_missing() -> None:
    history, plan = course(current=(4, 4, 4, 4))
    often = (*history.asked, *(on(day) for day in (30, 31, 32)))
    answered = tuple(one for one in history.readings if one.asked_for != on(35))
    verdict = evaluate(replace(history, readings=answered[:-1], asked=often), plan, NO_OPT_IN)
    assert verdict.reasons[1].text == "With 2 more scores by 5 March it can be judged."
    assert dict(verdict.reasons[1].values) == {"more": 2}


def test_g3_the_first_version_was_short_of_data_where_it_looked_at_one_cycle() -> None:
    history, plan = course(current=(4,))
    replayed = evaluate(history, plan, NO_OPT_IN, version=1)
    assert (replayed.rule, replayed.rule_version) == ("interval-ladder-a", 1)
    assert replayed.reasons[0].text == "Insufficient data: 1 of 1 PHQ-9s of this cycle was answered."
    now = evaluate(history, plan, NO_OPT_IN)
    assert (now.rule_version, now.reasons[0].code) == (2, Code.CYCLE_NOT_OVER)


def test_g3_fewer_than_half_of_what_was_asked_hold_as_insufficient() -> None:
    history, plan = course(current=(4, 4), interval=21)
    asked = (*history.asked, on(36), on(37))
    assert evaluate(replace(history, asked=asked), plan, OPTED_IN).direction is Direction.LENGTHEN
    assert codes(replace(history, asked=(*asked, on(38))), plan, OPTED_IN)[0] is Code.INSUFFICIENT_DATA


def test_g5_a_protocol_without_a_ladder_goes_to_review() -> None:
    history, plan = course()
    assert codes(history, replace(plan, protocol="tms", ladder=())) == [Code.NO_LADDER]


def test_g5_no_ladder_is_guessed_for_a_plan_that_has_not_said_its_own() -> None:
    history, plan = course(current=(4, 4), interval=21)
    verdict = evaluate(history, replace(plan, ladder=None, opt_in_above=None), OPTED_IN)
    assert (verdict.direction, verdict.review, verdict.to_days) == (Direction.HOLD, True, 21)
    assert [reason.code for reason in verdict.reasons] == [Code.LADDER_NOT_KNOWN]
    assert verdict.reasons[0].text.startswith("The plan has not said which intervals its protocol allows")


def test_g5_a_protocol_that_nobody_has_heard_of_is_climbed_on_its_own_ladder() -> None:
    history, plan = course(current=(4, 4), interval=21)
    own = replace(plan, protocol="tms-left-dlpfc", ladder=(10, 21, 35), opt_in_above=None)
    verdict = evaluate(history, own, NO_OPT_IN)
    assert (verdict.direction, verdict.to_days) == (Direction.LENGTHEN, 35)
    assert codes(history, replace(own, opt_in_above=30), NO_OPT_IN)[0] is Code.OPT_IN_NEEDED


def test_no_interval_is_called_a_step_of_a_ladder_that_is_not_known() -> None:
    history, plan = course(current=(4, 4), interval=21)
    against = objections(history, replace(plan, ladder=None, opt_in_above=None), NO_OPT_IN, 28)
    assert against == ("Which intervals the protocol allows is not known here: the plan has not said it.",)


def test_g5_esketamine_is_never_lengthened_beyond_two_weeks() -> None:
    history, plan = course(interval=14)
    assert codes(history, replace(plan, protocol="esketamine", ladder=(7, 14)), OPTED_IN)[0] is Code.AT_LONGEST_RUNG


def test_g5_above_28_days_waits_for_the_opt_in() -> None:
    history, plan = course()
    assert codes(history, plan) == [Code.OPT_IN_NEEDED, Code.LATE_SCORES_STABLE]
    verdict = evaluate(history, plan, OPTED_IN)
    assert (verdict.direction, verdict.to_days) == (Direction.LENGTHEN, 42)


def test_g6_scores_that_ask_for_less_than_the_shortest_rung_go_to_review() -> None:
    verdict = evaluate(*course(current=(4, 4, 15, 15), interval=7), NO_OPT_IN)
    assert (verdict.direction, verdict.review, verdict.to_days) == (Direction.HOLD, True, 7)
    assert [reason.code for reason in verdict.reasons] == [Code.AT_SHORTEST_RUNG, Code.LATE_SCORES_HIGH]


def test_g6_a_stable_patient_on_the_shortest_rung_may_still_be_lengthened() -> None:
    assert evaluate(*course(interval=7), NO_OPT_IN).to_days == 14


def test_g6_a_second_shortening_within_60_days_goes_to_review() -> None:
    history, plan = course(current=(4, 4, 15, 15), interval=14)
    twice = (Change(on(0), 28, 21), Change(on(20), 21, 14))
    assert codes(replace(history, changes=twice), plan) == [Code.SHORTENED_TWICE]
    long_ago = (Change(on(-5), 28, 21), Change(on(20), 21, 14))
    assert evaluate(replace(history, changes=long_ago), plan, NO_OPT_IN).direction is Direction.SHORTEN


def test_g7_an_outside_change_in_the_cycle_holds() -> None:
    history, plan = course(current=(4, 4, 15, 15))
    moved = replace(history, outside=(OutsideChange(on(40), "medication"),))
    assert codes(moved, plan) == [Code.OUTSIDE_CHANGE]
    before = replace(history, outside=(OutsideChange(on(10), "dose"),))
    assert evaluate(before, plan, NO_OPT_IN).direction is Direction.SHORTEN


def test_a_rung_that_failed_is_not_tried_again_for_twelve_cycles() -> None:
    history, plan = course(interval=21)
    failed = replace(history, changes=(Change(on(2), 28, 21),))
    assert codes(failed, plan)[0] is Code.RUNG_BLOCKED


def test_a_failed_rung_is_tried_again_once_the_memory_has_run_out() -> None:
    history, plan = course(interval=21)
    failed = replace(history, changes=(Change(on(-16), 28, 21),))
    assert codes(failed, plan, Parameters(memory_cycles=7))[0] is Code.RUNG_BLOCKED
    assert evaluate(failed, plan, Parameters(memory_cycles=6)).direction is Direction.LENGTHEN


@pytest.mark.parametrize("cycles", [5, 13])
def test_a_memory_outside_6_to_12_cycles_is_refused(cycles: int) -> None:
    with pytest.raises(ValueError, match="must be 6 to 12"):
        Parameters(memory_cycles=cycles)


def test_a_rise_within_a_week_of_the_session_goes_to_review_and_not_to_shorten() -> None:
    history, plan = course(current=())
    verdict = evaluate(with_readings(history, reading(30, 15), reading(31, 16)), plan, NO_OPT_IN)
    assert (verdict.direction, verdict.review) == (Direction.HOLD, True)
    assert verdict.reasons[0].code is Code.RISE_RIGHT_AFTER_SESSION


def test_an_answer_after_midnight_counts_for_the_day_it_was_asked_for() -> None:
    history, plan = course(current=(4, 4, 15))
    late_at_night = replace(reading(56, 15), completed_at=reading(57, 0).completed_at + timedelta(days=3))
    after_the_next = replace(with_readings(history, late_at_night), sessions=(*history.sessions, on(57)))
    verdict = evaluate(after_the_next, plan, NO_OPT_IN)
    assert verdict.direction is Direction.SHORTEN
    assert verdict.evidence[-1] == late_at_night


def test_the_evidence_is_what_was_used_of_this_cycle() -> None:
    history, plan = course()
    assert evaluate(history, plan, NO_OPT_IN).evidence == history.readings[5:]


def test_without_a_reading_there_is_no_verdict() -> None:
    history, plan = course()
    with pytest.raises(ValueError, match="needs a completed PHQ-9"):
        evaluate(replace(history, readings=()), plan, NO_OPT_IN)
