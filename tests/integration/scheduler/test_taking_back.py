"""An interval that was decided by mistake is taken back: dates, timers and what is due follow the one of before."""

from typing import Any

import pytest
from sqlalchemy import select

from services.scheduler.tables import decisions
from shared.events import PlanChanged
from shared.ids import new_id
from tests.integration.scheduler.harness import SchedulerHarness, at
from tests.integration.scheduler.test_plan import complete_induction


@pytest.fixture
async def plan(harness: SchedulerHarness) -> Any:
    """A plan in maintenance: every 28 days since the last session, on 18 December."""
    await harness.start()
    await complete_induction(harness)
    found = await harness.plan()
    assert (found["phase"], found["interval_days"], found["next_due_on"]) == ("maintenance", 28, "2027-01-15")
    return found


async def test_a_wrong_click_on_an_interval_is_never_final(harness: SchedulerHarness, plan: Any) -> None:
    before, proposal = await harness.timers(), new_id()
    await harness.decide(plan["id"], "approve", 42, proposal=proposal)
    assert (await harness.plan())["next_due_on"] == "2027-01-29"
    assert await harness.timers() != before
    await harness.take_back(plan["id"], proposal, 42)
    now = await harness.plan()
    assert (now["interval_days"], now["decided_days"], now["next_due_on"]) == (28, None, "2027-01-15")
    assert await harness.timers() == before, "the question to book and the measures are those of before"
    assert "On 2026-12-18 the decision on 42 days was taken back." in now["why"]
    changed = (await harness.said(PlanChanged))[-1]
    assert (changed.taken_back, changed.interval_days) == (proposal, 28)


async def test_the_decision_before_it_holds_again_with_its_own_day(harness: SchedulerHarness, plan: Any) -> None:
    first, second = new_id(), new_id()
    await harness.decide(plan["id"], "change", 14, proposal=first)
    await harness.until("2026-12-20T12:00")
    await harness.decide(plan["id"], "change", 42, proposal=second)
    await harness.take_back(plan["id"], second, 42)
    now = await harness.plan()
    assert (now["interval_days"], now["next_due_on"]) == (14, "2027-01-01")
    assert "A clinician decided on 2026-12-18 on 14 days" in now["why"]
    await harness.take_back(plan["id"], first, 14)
    assert (await harness.plan())["next_due_on"] == "2027-01-15"


async def test_who_is_due_again_by_the_taking_back_is_told_as_due_and_waits_for_no_later_question(
    harness: SchedulerHarness, plan: Any
) -> None:
    proposal = new_id()
    await harness.decide(plan["id"], "change", 84, proposal=proposal)
    await harness.until("2027-01-20T12:00")
    assert (await harness.timers())["booking"] > at("2027-02-20T12:00")
    await harness.take_back(plan["id"], proposal, 84)
    assert (await harness.plan())["next_due_on"] == "2027-01-15"
    assert str((await harness.said(PlanChanged))[-1].next_due_on) == "2027-01-15", "so that staff see who is due"
    assert "booking" not in await harness.timers()


async def test_a_decision_taken_back_never_comes_again_by_a_late_or_repeated_word(
    harness: SchedulerHarness, plan: Any
) -> None:
    proposal = new_id()
    await harness.take_back(plan["id"], proposal, 28)
    assert (await harness.plan())["version"] == plan["version"], "nothing was decided that could be taken back"
    await harness.decide(plan["id"], "approve", 42, proposal=proposal)
    assert (await harness.plan())["interval_days"] == 28
    other = new_id()
    await harness.decide(plan["id"], "approve", 21, proposal=other)
    await harness.take_back(plan["id"], other, 21)
    version = (await harness.plan())["version"]
    await harness.take_back(plan["id"], other, 21)
    await harness.decide(plan["id"], "approve", 21, proposal=other)
    now = await harness.plan()
    assert (now["version"], now["interval_days"]) == (version, 28)


async def test_what_is_decided_again_holds(harness: SchedulerHarness, plan: Any) -> None:
    proposal = new_id()
    await harness.decide(plan["id"], "approve", 28, proposal=proposal)
    await harness.take_back(plan["id"], proposal, 28)
    await harness.decide(plan["id"], "approve", 14)
    assert (await harness.plan())["next_due_on"] == "2027-01-01"


async def test_a_refusal_taken_back_moves_no_plan(harness: SchedulerHarness, plan: Any) -> None:
    proposal = new_id()
    await harness.decide(plan["id"], "refuse", None, proposal=proposal)
    await harness.take_back(plan["id"], proposal, None)
    assert (await harness.plan())["version"] == plan["version"]


async def test_a_decision_kept_for_maintenance_is_not_waiting_there_once_taken_back(harness: SchedulerHarness) -> None:
    plan, proposal = await harness.start(), new_id()
    await harness.decide(plan["id"], "change", 42, proposal=proposal)
    assert (await harness.plan())["decided_days"] == 42
    await harness.take_back(plan["id"], proposal, 42)
    await complete_induction(harness)
    now = await harness.plan()
    assert (now["phase"], now["interval_days"]) == ("maintenance", 28)


async def test_the_plan_of_someone_discharged_stays_ended(harness: SchedulerHarness, plan: Any) -> None:
    proposal = new_id()
    await harness.decide(plan["id"], "approve", 28, proposal=proposal)
    await harness.discharge()
    await harness.take_back(plan["id"], proposal, 28)
    assert await harness.bench.pending() == {}
    async with harness.bench.database.reading() as reader:
        (row,) = await reader.all(select(decisions).where(decisions.c.proposal == proposal))
    assert (row.outcome, row.version) == ("taken-back", 3)
