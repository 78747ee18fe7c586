"""The clock of one process jumps by hours; nothing goes out twice, and nothing is forgotten."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.clock import RealClock
from tests.faults.armed import CLOCK
from tests.faults.record import Order
from tests.faults.stage import Stage

pytestmark = pytest.mark.timeout(600)
HOUR = 3600


class Watch:
    """The clock of one process, which can be set."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, hours: float) -> None:
        """Have it be off by so many hours."""
        new = self.file.with_suffix(".new")
        new.write_text(str(hours * HOUR))
        new.rename(self.file)


@pytest.fixture
async def watch(stage: Stage) -> AsyncIterator[Watch]:
    there = Watch(stage.deployment.folder / "clock")
    yield there
    there.set(0)


async def booked(stage: Stage) -> tuple[str, str]:
    """Book a session whose next reminder is due in five hours; return the number and the session."""
    number, patient, zone = await stage.patient()
    session = await stage.caller.order("POST", "/sessions", stage.booking(patient, zone), Order(RealClock().now()))
    await stage.settled()
    return number, session["id"]


async def test_what_a_fast_scheduler_said_too_early_is_not_said_again(stage: Stage, watch: Watch) -> None:
    await stage.runs("scheduler", {CLOCK: str(watch.file)})
    number, _ = await booked(stage)
    watch.set(+6)
    await stage.until_reminded(number)
    watch.set(0)
    await stage.settled()
    assert await stage.reminders(number) == 1


async def test_what_a_slow_scheduler_kept_goes_out_when_its_clock_is_right_again(stage: Stage, watch: Watch) -> None:
    await stage.runs("scheduler", {CLOCK: str(watch.file)})
    number, session = await booked(stage)
    watch.set(-6)
    await stage.due_now(session)
    other, second = await booked(stage)
    await stage.due_at(second, hours=-7)  # by then nothing of this order waits but the first reminder
    await stage.until_reminded(other)
    assert await stage.reminders(number) == 0
    watch.set(0)
    await stage.until_reminded(number)
    await stage.settled()
    assert await stage.reminders(number) == 1


@pytest.mark.parametrize("seconds", [+20, -20])
async def test_a_call_of_unknown_outcome_is_settled_once_though_the_clock_jumps(
    stage: Stage, watch: Watch, seconds: float
) -> None:
    # No further: what a wrong clock dated into the future waits until the right one gets there.
    await stage.runs("notifier-1", {CLOCK: str(watch.file)})
    number, session = await booked(stage)
    await stage.provider_faults(number, "error-before-write")
    await stage.due_now(session)
    await stage.until_state(number, "unknown")
    watch.set(seconds / HOUR)
    await stage.clock.pause(2)  # so that it is looked up by the wrong clock, then by the right one
    watch.set(0)
    await stage.settled()
    assert await stage.reminders(number) == 1
    assert await stage.states(number) == ["delivered"]
