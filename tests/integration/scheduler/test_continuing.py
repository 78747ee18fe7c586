"""A plan that a discharge ended goes on where it was, once a clinician says so and why."""

from typing import Any

import pytest

from shared.events import CheckinDue, PlanChanged
from tests.integration.scheduler.harness import SchedulerHarness
from tests.integration.scheduler.test_plan import complete_induction
from tests.support.bench import KEYRING

WHY = "Discharged by mistake; maintenance goes on."


@pytest.fixture
async def back(harness: SchedulerHarness) -> Any:
    """Return the plan of a patient in maintenance, whose discharge was taken back."""
    await harness.start()
    await complete_induction(harness)
    plan = await harness.plan()
    await harness.discharge(version=2)
    await harness.reinstate(version=3)
    await harness.bench.said(clear=True)
    return plan


async def go_on(harness: SchedulerHarness, reason: str = WHY) -> Any:
    return await harness.bench.call("POST", f"/patients/{harness.patient}/plan/continue", {"reason": reason})


async def test_a_plan_that_ended_by_mistake_is_never_begun_from_its_first_session(
    harness: SchedulerHarness, back: Any
) -> None:
    answer = await go_on(harness)
    assert answer.status == 200
    kept = ("id", "phase", "attended", "interval_days", "next_due_on", "protocol", "protocol_version", "start_on")
    assert {name: answer.json[name] for name in kept} == {name: back[name] for name in kept}
    assert "It had ended, and goes on since 2026-12-18." in answer.json["why"]
    assert (await harness.plan())["version"] == back["version"] + 2
    (told,) = await harness.bench.said(PlanChanged)
    assert told.active
    assert told.continued is not None
    assert (told.continued.by, KEYRING.open(told.continued.reason, context="reason")) == ("test", WHY)


async def test_what_the_plan_asks_is_asked_again_from_then_on(harness: SchedulerHarness, back: Any) -> None:
    assert await harness.bench.pending() == {}
    await go_on(harness)
    asked = [event for _, event in (await harness.bench.pending()).values() if isinstance(event, CheckinDue)]
    assert {str(event.plan) for event in asked} == {back["id"]}
    assert any(name.endswith("booking") for name in await harness.bench.pending())
    booked = await harness.book(f"{back['next_due_on']}T10:00")
    assert booked["plan"] == back["id"]


async def test_a_plan_of_which_nothing_took_place_asks_its_baseline(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-10")
    await harness.discharge(version=2)
    await harness.reinstate(version=3)
    assert (await go_on(harness)).status == 200
    assert any(name.endswith("baseline") for name in await harness.bench.pending())


async def test_no_plan_goes_on_beside_another_or_for_who_has_left(harness: SchedulerHarness, back: Any) -> None:
    await harness.discharge(version=4)
    refused = await go_on(harness)
    assert (refused.status, "Put them back in care" in refused.json["detail"]) == (409, True)
    await harness.reinstate(version=5)
    await harness.start("2026-12-20")
    refused = await go_on(harness)
    assert (refused.status, "already follows" in refused.json["detail"]) == (409, True)


async def test_where_there_was_none_the_answer_says_what_to_do(harness: SchedulerHarness) -> None:
    refused = await go_on(harness)
    assert (refused.status, refused.json["detail"]) == (409, "The patient has no plan that could go on. Start one.")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
async def test_no_plan_goes_on_without_a_reason(harness: SchedulerHarness, back: Any, reason: str) -> None:
    assert (await go_on(harness, reason)).status == 422
    assert (await harness.bench.call("GET", f"/patients/{harness.patient}/plan")).status == 404
