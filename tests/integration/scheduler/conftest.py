"""A scheduler on a real database."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from services.scheduler.history import HISTORY
from services.scheduler.service import build
from shared.clock import SteppedClock
from tests.integration.scheduler.harness import SchedulerHarness
from tests.support.bench import bench_of
from tests.support.databases import Databases


@pytest.fixture
async def harness(databases: Databases, clock: SteppedClock) -> AsyncIterator[SchedulerHarness]:
    """A clinic with one enrolled patient in New York, on Tuesday 1 December 2026 at noon."""
    async with databases.lent(HISTORY, clock) as database, bench_of(build, database, clock) as bench:
        harness = SchedulerHarness(bench, uuid4())
        await harness.open()
        await harness.enrol()
        yield harness
