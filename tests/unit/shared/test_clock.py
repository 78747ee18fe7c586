import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import FastClock, RealClock, SteppedClock

START = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


async def test_a_stepped_clock_stands_still_until_it_is_moved() -> None:
    clock = SteppedClock(START)
    assert clock.now() == clock.now() == START


async def test_a_sleeper_wakes_when_the_clock_is_moved_to_its_instant() -> None:
    clock = SteppedClock(START)
    sleeper = asyncio.create_task(clock.sleep_until(START + timedelta(hours=1)))
    await clock.move_by(timedelta(minutes=59))
    await asyncio.wait([sleeper], timeout=0.01)
    assert not sleeper.done()
    await clock.move_by(timedelta(minutes=1))
    await asyncio.wait_for(sleeper, 1)


async def test_trial_time_only_moves_forward() -> None:
    clock = SteppedClock(START)
    with pytest.raises(ValueError, match="cannot move back"):
        await clock.move_to(START - timedelta(seconds=1))


async def test_a_fast_clock_runs_by_its_factor() -> None:
    origin = RealClock().now()
    clock = FastClock(10_000, real_origin=origin, origin=START)
    await asyncio.wait_for(clock.sleep_until(START + timedelta(minutes=5)), 2)
    assert clock.now() >= START + timedelta(minutes=5)


@pytest.mark.parametrize("factor", [0, -1])
async def test_a_clock_that_does_not_run_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match=f"not {factor}"):
        FastClock(factor, real_origin=START, origin=START)
