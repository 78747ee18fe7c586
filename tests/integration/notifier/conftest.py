"""A notifier on a real database, before a phone exchange that fails on demand."""

from collections.abc import AsyncIterator

import pytest

from services.notifier.history import HISTORY
from services.notifier.service import build
from shared.clock import SteppedClock
from shared.settings import NotifierSettings, Settings
from tests.integration.notifier.exchange import Exchange, exchange
from tests.integration.notifier.practice import Practice
from tests.support.bench import bench_of, running
from tests.support.databases import Databases

SETTINGS = Settings(notifier=NotifierSettings(texts_per_day=3, provider_timeout=2, concurrency=8))


@pytest.fixture
async def phones() -> AsyncIterator[Exchange]:
    """The phone network."""
    async with exchange() as here:
        yield here


@pytest.fixture
async def resting(databases: Databases, clock: SteppedClock, phones: Exchange) -> AsyncIterator[Practice]:
    """An open clinic whose sender does not run yet: Tuesday 1 December 2026, noon in New York."""
    async with (
        databases.lent(HISTORY, clock) as database,
        bench_of(build, database, clock, provider=phones.provider(), settings=SETTINGS) as bench,
    ):
        practice = Practice(bench, phones)
        await practice.opens()
        yield practice


@pytest.fixture
async def practice(resting: Practice) -> AsyncIterator[Practice]:
    """The same, at work."""
    async with running(resting.bench.service):
        yield resting
