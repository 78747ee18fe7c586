"""A notifier on a real database, before a phone exchange that fails on demand."""

from collections.abc import AsyncIterator

import pytest

from services.notifier.history import HISTORY
from services.notifier.service import build
from shared.clock import SteppedClock
from shared.settings import NotifierSettings, Settings
from tests.integration.notifier.fake_provider import FakeProvider, fake_provider
from tests.integration.notifier.harness import NotifierHarness
from tests.support.bench import bench_of, running
from tests.support.databases import Databases

SETTINGS = Settings(notifier=NotifierSettings(texts_per_day=3, provider_timeout=2, concurrency=8))


@pytest.fixture
async def phones() -> AsyncIterator[FakeProvider]:
    """The phone network."""
    async with fake_provider() as here:
        yield here


@pytest.fixture
async def resting(databases: Databases, clock: SteppedClock, phones: FakeProvider) -> AsyncIterator[NotifierHarness]:
    """An open clinic whose sender does not run yet: Tuesday 1 December 2026, noon in New York."""
    async with (
        databases.lent(HISTORY, clock) as database,
        bench_of(build, database, clock, provider=phones.provider(), settings=SETTINGS) as bench,
    ):
        harness = NotifierHarness(bench, phones)
        await harness.opens()
        yield harness


@pytest.fixture
async def harness(resting: NotifierHarness) -> AsyncIterator[NotifierHarness]:
    """The same, at work."""
    async with running(resting.bench.service):
        yield resting
