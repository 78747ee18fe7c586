"""What is told anew after records were lost is what was told last, ends included."""

from typing import Any

from services.scheduler.retelling import retell
from shared.events import PlanChanged, SessionAttended, SessionBooked, SessionCancelled
from tests.integration.scheduler.harness import SchedulerHarness
from tests.integration.scheduler.test_plan import complete_induction


async def told_again(harness: SchedulerHarness) -> list[Any]:
    await harness.bench.said(clear=True)
    told = await retell(harness.bench.database)
    said: list[Any] = await harness.bench.said()
    assert told == len(said)
    return said


async def test_a_plan_is_told_as_it_was_with_the_day_on_which_its_induction_ended(harness: SchedulerHarness) -> None:
    await harness.start()
    await complete_induction(harness)
    last = (await harness.bench.said(PlanChanged))[-1]
    assert last.induction_completed_on is not None
    assert [event for event in await told_again(harness) if isinstance(event, PlanChanged)] == [last]


async def test_a_plan_that_ended_is_never_left_running_with_who_missed_it(harness: SchedulerHarness) -> None:
    await harness.start()
    await harness.attend_at("2026-12-01T14:00")
    await harness.discharge(version=2)
    ended = (await harness.bench.said(PlanChanged))[-1]
    assert not ended.active
    assert [event for event in await told_again(harness) if isinstance(event, PlanChanged)] == [ended]
    await harness.reinstate(version=3)
    await harness.start("2026-12-10")
    (told,) = [event for event in await told_again(harness) if isinstance(event, PlanChanged)]
    assert (told.active, told.plan != ended.plan) == (True, True)


async def test_each_session_that_may_matter_is_told_in_its_state_and_version(harness: SchedulerHarness) -> None:
    await harness.start()
    await harness.attend_at("2026-12-01T14:00")
    off = await harness.book("2026-12-04T10:00")
    await harness.end(off, "cancel")
    await harness.book("2026-12-05T10:00")
    kinds = (SessionAttended, SessionCancelled, SessionBooked)
    before: list[Any] = await harness.bench.said()
    said = {event.session: event for event in before if isinstance(event, kinds)}
    again = [event for event in await told_again(harness) if isinstance(event, kinds)]
    assert {event.session: event for event in again} == said
