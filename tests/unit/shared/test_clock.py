import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import FastClock, LivedClock, RealClock, SteppedClock

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


async def test_a_lived_clock_stands_still_is_moved_and_then_runs() -> None:
    clock = LivedClock(START)
    assert clock.now() == START
    await clock.move_to(START + timedelta(days=1))
    assert clock.now() == START + timedelta(days=1)
    clock.run_at(3_600_000)
    async with asyncio.timeout(5):
        await clock.sleep_until(START + timedelta(days=2))
    with pytest.raises(ValueError, match="runs by itself"):
        await clock.move_to(START + timedelta(days=900))


async def test_a_sleeper_notices_at_once_that_a_lived_clock_runs_and_runs_faster() -> None:
    clock = LivedClock(START)
    sleeper = asyncio.ensure_future(clock.sleep_until(START + timedelta(days=1)))
    await asyncio.sleep(0)  # noqa: TID251 - lets the sleeper begin
    clock.run_at(0.001)
    await asyncio.sleep(0)  # noqa: TID251 - lets it see the slow pace
    assert not sleeper.done()
    clock.run_at(10_000_000)
    async with asyncio.timeout(5):
        await sleeper
