"""Due instants: in time, in order within a lane, and nothing held up by a failure."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.sandbox.caller import NotLoopbackError, require_loopback
from services.sandbox.timers import Job, Timers
from shared.clock import SteppedClock

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def note(done: list[str], name: str) -> Job:
    async def job() -> None:
        done.append(name)

    return job


async def test_jobs_are_done_when_they_are_due_and_in_the_order_of_their_names() -> None:
    clock, done = SteppedClock(NOON), list[str]()
    timers = Timers(clock)
    for name in ("b", "c", "a"):
        timers.add(NOON + timedelta(hours=1), name, "lane", note(done, name))
    timers.add(NOON + timedelta(hours=2), "later", "lane", note(done, "later"))
    await timers.run_due()
    assert done == []
    assert timers.next_due() == NOON + timedelta(hours=1)
    await clock.move_by(timedelta(hours=1))
    assert timers.busy()
    await timers.run_due()
    assert done == ["a", "b", "c"]
    assert not timers.busy()


async def test_a_started_pump_notices_an_earlier_job_and_the_moving_clock() -> None:
    clock, seen = SteppedClock(NOON), asyncio.Event()
    timers = Timers(clock)
    await timers.start()
    timers.add(NOON + timedelta(days=9), "late", "one", note([], ""))

    async def job() -> None:
        seen.set()

    timers.add(NOON + timedelta(hours=1), "early", "two", job)
    await clock.move_by(timedelta(hours=1))
    async with asyncio.timeout(5):
        await seen.wait()
    await timers.stop()


async def test_a_failing_job_holds_up_nothing() -> None:
    done: list[str] = []
    timers = Timers(SteppedClock(NOON))

    async def failing() -> None:
        raise ValueError("planted")

    timers.add(NOON, "a", "lane", failing)
    timers.add(NOON, "b", "lane", note(done, "b"))
    await timers.run_due()
    assert done == ["b"]


async def test_what_was_cleared_is_not_done() -> None:
    done: list[str] = []
    timers = Timers(SteppedClock(NOON))
    timers.add(NOON, "a", "lane", note(done, "a"))
    timers.clear()
    await timers.run_due()
    assert done == []


@pytest.mark.parametrize(
    "url", ["http://localhost:80/x", "http://127.0.0.1/x", "https://[::1]:8443/", "http://a.localhost/"]
)
def test_addresses_of_this_machine_are_called(url: str) -> None:
    assert require_loopback(url) == url


@pytest.mark.parametrize(
    "url", ["http://example.org/", "http://10.0.0.1/", "ftp://localhost/", "http://localhost.example.org/", "/path", ""]
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(NotLoopbackError, match="only addresses of this machine"):
        require_loopback(url)


def test_a_host_that_was_allowed_is_called_and_no_other_beside_it() -> None:
    also = frozenset({"clinic"})
    assert require_loopback("http://Clinic:8080/webhooks", also) == "http://Clinic:8080/webhooks"
    with pytest.raises(NotLoopbackError):
        require_loopback("http://clinic.example.org/", also)
