from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.model.catalogue import IV_KETAMINE_1
from services.scheduler.model.plans import Plan, after_attending, after_decision, ended, start
from services.scheduler.model.protocols import Phase
from shared.ids import ClinicId, PatientId, PlanId, new_id

DAY_0 = date(2026, 12, 1)
days = st.dates(date(2026, 1, 1), date(2030, 1, 1))


def new_plan() -> Plan:
    return start(IV_KETAMINE_1, DAY_0, plan=PlanId(new_id()), clinic=ClinicId(new_id()), patient=PatientId(new_id()))


def after_induction() -> Plan:
    plan = new_plan()
    for _ in range(6):
        plan = after_attending(plan, plan.next_due_on)
    return plan


def test_the_first_session_is_due_on_the_day_the_plan_begins() -> None:
    plan = new_plan()
    assert (plan.next_due_on, plan.phase, plan.interval_days) == (DAY_0, Phase.INDUCTION, 3)


def test_attending_on_the_due_days_walks_the_induction_as_the_protocol_says() -> None:
    plan = new_plan()
    due = [plan.next_due_on]
    for _ in range(5):
        plan = after_attending(plan, plan.next_due_on)
        due.append(plan.next_due_on)
    assert [(day - DAY_0).days for day in due] == [0, 3, 7, 10, 14, 17]
    assert not plan.induction_complete


def test_the_sixth_session_completes_the_induction_and_begins_maintenance_every_28_days() -> None:
    plan = after_induction()
    assert plan.induction_complete
    assert (plan.phase, plan.interval_days) == (Phase.MAINTENANCE, 28)
    assert plan.next_due_on == DAY_0 + timedelta(days=17 + 28)


def test_maintenance_goes_on_at_its_interval() -> None:
    plan = after_attending(after_induction(), date(2027, 1, 20))
    assert plan.next_due_on == date(2027, 2, 17)


def test_a_session_attended_late_counts_from_the_day_it_took_place() -> None:
    plan = after_attending(new_plan(), DAY_0 + timedelta(days=5))
    assert plan.next_due_on == DAY_0 + timedelta(days=8)


def test_a_session_attended_early_counts_from_the_day_it_took_place() -> None:
    plan = after_attending(new_plan(), DAY_0 - timedelta(days=1))
    assert plan.next_due_on == DAY_0 + timedelta(days=2)


def test_an_older_session_recorded_afterwards_counts_but_does_not_pull_the_date_back() -> None:
    later = after_attending(new_plan(), DAY_0 + timedelta(days=4))
    plan = after_attending(later, DAY_0)
    assert plan.attended == 2
    assert plan.next_due_on == DAY_0 + timedelta(days=4 + 4)


def test_a_decision_moves_the_next_date_from_the_last_session() -> None:
    plan = after_induction()
    decided = after_decision(plan, 21, plan.last_attended_on or DAY_0)
    assert decided.interval_days == 21
    assert decided.next_due_on == DAY_0 + timedelta(days=17 + 21)


def test_a_decision_holds_for_the_sessions_after_it() -> None:
    plan = after_decision(after_induction(), 42, date(2027, 1, 1))
    assert after_attending(plan, date(2027, 2, 1)).next_due_on == date(2027, 3, 15)


def test_a_shortened_date_that_has_passed_is_due_on_the_day_of_the_decision() -> None:
    plan = after_induction()
    decided = after_decision(plan, 7, date(2027, 1, 10))
    assert decided.next_due_on == date(2027, 1, 10)
    assert "due now" in decided.why


def test_a_decision_in_induction_sets_the_next_gap_and_the_series_goes_on() -> None:
    plan = after_attending(new_plan(), DAY_0)
    decided = after_decision(plan, 7, DAY_0)
    assert decided.next_due_on == DAY_0 + timedelta(days=7)
    assert after_attending(decided, decided.next_due_on).interval_days == 4


def test_a_decision_before_the_first_session_keeps_the_first_date() -> None:
    decided = after_decision(new_plan(), 14, DAY_0)
    assert (decided.next_due_on, decided.interval_days) == (DAY_0, 14)


def test_an_interval_below_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day, not 0"):
        after_decision(new_plan(), 0, DAY_0)


def test_the_reason_names_the_rule_and_the_days() -> None:
    assert after_attending(new_plan(), DAY_0).why == (
        "Session 1 was attended, the latest on 2026-12-01; session 2 of 6 of the induction follows 3 days later."
    )
    assert "interval of 28 days" in after_induction().why


def test_an_ended_plan_is_no_longer_active() -> None:
    assert not ended(new_plan()).active


@given(st.lists(days, max_size=20))
def test_in_any_order_of_records_the_plan_is_due_after_the_latest_session(attended_on: list[date]) -> None:
    plan = new_plan()
    for on in attended_on:
        plan = after_attending(plan, on)
    assert plan.attended == len(attended_on)
    assert plan.version == 1 + len(attended_on)
    assert plan.induction_complete == (len(attended_on) >= 6) == (plan.phase is Phase.MAINTENANCE)
    if attended_on:
        assert plan.next_due_on == max(attended_on) + timedelta(days=plan.interval_days)


@given(st.integers(1, 365), days)
def test_a_decided_date_never_lies_before_the_decision_or_before_the_interval(interval: int, on: date) -> None:
    plan = after_induction()
    assert plan.last_attended_on is not None
    decided = after_decision(plan, interval, on)
    assert decided.next_due_on == max(on, plan.last_attended_on + timedelta(days=interval))
    assert decided.version == plan.version + 1


@given(st.integers(1, 365), days)
def test_deciding_the_same_twice_changes_no_date(interval: int, on: date) -> None:
    once = after_decision(after_induction(), interval, on)
    assert after_decision(once, interval, on).next_due_on == once.next_due_on
