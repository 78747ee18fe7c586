"""Words of a later version are kept, and nothing about anybody's treatment follows from them."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from services.scheduler.commands import timers
from services.scheduler.model.catalogue import WITHOUT_PLAN
from services.scheduler.tables import decisions
from shared.events import PlanChanged, SessionDue
from tests.integration.scheduler.harness import SchedulerHarness


async def test_no_interval_changes_by_a_decision_that_is_not_understood(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    await harness.decide(plan["id"], "try-for-a-month", 42)
    assert (await harness.plan())["version"] == plan["version"]
    assert await harness.said(PlanChanged) == []
    async with harness.bench.database.reading() as reader:
        (row,) = await reader.all(select(decisions))
    assert (row.decision, row.interval_days, row.outcome) == ("try-for-a-month", 42, "not-known-here")


async def test_an_answer_of_an_intent_not_known_here_moves_no_session(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-04T10:00")
    await harness.reply(session["id"], 1, intent="asks-for-a-call")
    answer = await harness.bench.call("GET", f"/sessions/{session['id']}")
    assert (answer.json["state"], answer.json["version"]) == ("booked", 1)


async def test_a_plan_tells_its_ladder_its_kind_and_how_far_its_series_is(harness: SchedulerHarness) -> None:
    await harness.start()
    await harness.attend_at("2026-12-01T15:00")
    (changed,) = await harness.said(PlanChanged)
    assert (changed.ladder, changed.opt_in_above) == ((7, 14, 21, 28, 42, 56, 84), 28)
    assert (changed.phase_kind, changed.session, changed.sessions) == ("induction", 2, 6)
    assert (changed.modality, changed.route) == ("ketamine", "intravenous")


async def test_a_reminder_that_the_protocol_alone_names_becomes_due_with_its_days(
    harness: SchedulerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "WITHOUT_PLAN", replace(WITHOUT_PLAN, reminder_days=(14, 7, 3, 1)))
    await harness.book("2026-12-17T10:00")
    fired = [event for event in await harness.until("2026-12-16T12:00") if isinstance(event, SessionDue)]
    assert [(event.occurrence, event.days, event.days_before) for event in fired] == [
        ("14d", 14, 14),
        ("7d", 7, 7),
        ("3d", 3, 3),
        ("1d", 1, 1),
    ]
