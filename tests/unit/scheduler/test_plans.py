from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.model.catalogue import IV_KETAMINE_2
from services.scheduler.model.plans import Plan, after_decision, ended, standing, start
from services.scheduler.model.protocols import Series
from shared.ids import ClinicId, PatientId, PlanId, new_id

DAY_0 = date(2026, 12, 1)
INDUCTION = tuple(DAY_0 + timedelta(days=days) for days in (0, 3, 7, 10, 14, 17))
days = st.dates(date(2026, 1, 1), date(2030, 1, 1))


def new_plan() -> Plan:
    return start(IV_KETAMINE_2, DAY_0, plan=PlanId(new_id()), clinic=ClinicId(new_id()), patient=PatientId(new_id()))


def after(*attended_on: date) -> Plan:
    return standing(new_plan(), attended_on)


def after_induction(*more: date) -> Plan:
    return after(*INDUCTION, *more)


def test_the_first_session_is_due_on_the_day_the_plan_begins() -> None:
    plan = new_plan()
    assert (plan.next_due_on, plan.phase, plan.interval_days) == (DAY_0, "induction", 3)


def test_attending_on_the_due_days_walks_the_induction_as_the_protocol_says() -> None:
    held: list[date] = []
    plan = new_plan()
    for _ in range(5):
        held.append(plan.next_due_on)
        plan = standing(plan, held)
    assert [(day - DAY_0).days for day in (*held, plan.next_due_on)] == [0, 3, 7, 10, 14, 17]
    assert not plan.induction_complete


def test_the_sixth_session_completes_the_induction_and_begins_maintenance_every_28_days() -> None:
    plan = after_induction()
    assert plan.induction_complete
    assert (plan.phase, plan.interval_days) == ("maintenance", 28)
    assert plan.next_due_on == DAY_0 + timedelta(days=17 + 28)


def test_a_phase_between_induction_and_maintenance_is_walked_as_its_data_say() -> None:
    consolidation = Series("consolidation", (0, 7, 14, 21), IV_KETAMINE_2.series[0].provenance, after_days=5)
    longer = replace(IV_KETAMINE_2, series=(*IV_KETAMINE_2.series, consolidation))
    held: list[date] = []
    plan = replace(new_plan(), protocol=longer)
    phases = []
    for _ in range(11):
        held.append(plan.next_due_on)
        plan = standing(plan, held)
        phases.append(plan.phase)
    assert [(day - DAY_0).days for day in held] == [0, 3, 7, 10, 14, 17, 22, 29, 36, 43, 71]
    assert phases == ["induction"] * 5 + ["consolidation"] * 4 + ["maintenance"] * 2


def test_the_reason_names_the_phase_and_counts_its_own_sessions() -> None:
    consolidation = Series("consolidation", (0, 7, 14, 21), IV_KETAMINE_2.series[0].provenance, after_days=5)
    longer = replace(new_plan(), protocol=replace(IV_KETAMINE_2, series=(*IV_KETAMINE_2.series, consolidation)))
    said = [standing(longer, [DAY_0 + timedelta(days=n) for n in range(attended)]).why for attended in (6, 7, 10)]
    assert said == [
        "The induction was completed on 2026-12-06. Session 1 of 4 of the consolidation is due 5 days later.",
        "1 session of the 4 of the consolidation took place, the latest on 2026-12-07. Session 2 is due 7 days later.",
        "The consolidation was completed on 2026-12-10. Maintenance begins with 28 days between sessions.",
    ]


def test_maintenance_goes_on_at_its_interval() -> None:
    assert after_induction(date(2027, 1, 20)).next_due_on == date(2027, 2, 17)


def test_a_session_attended_late_counts_from_the_day_it_took_place() -> None:
    assert after(DAY_0 + timedelta(days=5)).next_due_on == DAY_0 + timedelta(days=8)


def test_a_session_attended_early_counts_from_the_day_it_took_place() -> None:
    assert after(DAY_0 - timedelta(days=1)).next_due_on == DAY_0 + timedelta(days=2)


def test_an_older_session_recorded_afterwards_counts_but_does_not_pull_the_date_back() -> None:
    plan = after(DAY_0 + timedelta(days=4), DAY_0)
    assert plan.attended == 2
    assert plan.next_due_on == DAY_0 + timedelta(days=4 + 4)


def test_a_session_taken_back_leaves_the_plan_as_if_it_had_never_been_recorded() -> None:
    six = after_induction()
    five = standing(six, INDUCTION[:5])
    assert (five.phase, five.attended, five.next_due_on) == ("induction", 5, DAY_0 + timedelta(days=17))
    none = standing(five, ())
    assert (none.attended, none.last_attended_on, none.next_due_on) == (0, None, DAY_0)
    assert none.version == five.version + 1 == six.version + 2


def test_a_decision_moves_the_next_date_from_the_last_session() -> None:
    decided = after_decision(after_induction(), 21, INDUCTION[-1], INDUCTION)
    assert decided.interval_days == 21
    assert decided.next_due_on == DAY_0 + timedelta(days=17 + 21)


def test_a_decision_holds_for_the_sessions_after_it() -> None:
    plan = after_decision(after_induction(), 42, date(2027, 1, 1), INDUCTION)
    assert standing(plan, (*INDUCTION, date(2027, 2, 1))).next_due_on == date(2027, 3, 15)


def test_a_shortened_date_that_has_passed_is_due_on_the_day_of_the_decision() -> None:
    decided = after_decision(after_induction(), 7, date(2027, 1, 10), INDUCTION)
    assert decided.next_due_on == date(2027, 1, 10)
    assert "due now" in decided.why


def test_an_interval_decided_in_the_induction_never_replaces_its_series() -> None:
    held = (DAY_0,)
    decided = after_decision(after(*held), 21, DAY_0, held)
    assert (decided.next_due_on, decided.interval_days) == (DAY_0 + timedelta(days=3), 3)
    assert "holds from the end of the induction; its series goes on as it is" in decided.why
    third = standing(decided, INDUCTION[:3])
    assert third.next_due_on == INDUCTION[3]
    complete = standing(third, INDUCTION)
    assert (complete.interval_days, complete.next_due_on) == (21, INDUCTION[-1] + timedelta(days=21))


def test_a_decision_before_the_first_session_keeps_the_first_date() -> None:
    decided = after_decision(new_plan(), 14, DAY_0, ())
    assert (decided.next_due_on, decided.interval_days) == (DAY_0, 3)
    assert standing(decided, INDUCTION).interval_days == 14


def test_an_interval_below_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day, not 0"):
        after_decision(new_plan(), 0, DAY_0, ())


def test_the_reason_names_the_rule_and_the_days() -> None:
    assert after(DAY_0).why == (
        "1 session of the 6 of the induction took place, the latest on 2026-12-01. Session 2 is due 3 days later."
    )
    assert "Maintenance begins with 28 days between sessions" in after_induction().why


def test_an_ended_plan_is_no_longer_active() -> None:
    assert not ended(new_plan()).active


@given(st.lists(days, max_size=20), st.randoms(use_true_random=False))
def test_in_any_order_of_records_the_plan_is_the_same(attended_on: list[date], chance: Random) -> None:
    first = plan = new_plan()
    mixed = list(attended_on)
    chance.shuffle(mixed)
    for count in range(len(mixed) + 1):
        plan = standing(plan, mixed[:count])
    assert replace(plan, version=2) == standing(first, attended_on)
    assert plan.attended == len(attended_on)
    assert plan.induction_complete == (len(attended_on) >= 6) == (plan.phase == "maintenance")
    if attended_on:
        assert plan.next_due_on == max(attended_on) + timedelta(days=plan.interval_days)


@given(st.integers(1, 365), days)
def test_a_decided_date_never_lies_before_the_decision_or_before_the_interval(interval: int, on: date) -> None:
    plan = after_induction()
    decided = after_decision(plan, interval, on, INDUCTION)
    assert decided.next_due_on == max(on, INDUCTION[-1] + timedelta(days=interval))
    assert decided.version == plan.version + 1


@given(st.integers(1, 365), days)
def test_deciding_the_same_twice_changes_no_date(interval: int, on: date) -> None:
    once = after_decision(after_induction(), interval, on, INDUCTION)
    assert after_decision(once, interval, on, INDUCTION).next_due_on == once.next_due_on
