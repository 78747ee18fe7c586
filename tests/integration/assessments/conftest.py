from collections.abc import AsyncIterator

import pytest

from services.assessments.history import HISTORY
from services.assessments.service import build
from shared.clock import SteppedClock
from shared.settings import Settings
from tests.integration.assessments.harness import AssessmentsHarness
from tests.support.bench import bench_of
from tests.support.databases import Databases


@pytest.fixture
async def harness(databases: Databases, clock: SteppedClock) -> AsyncIterator[AssessmentsHarness]:
    """The service with a clinic, a patient and a plan in induction."""
    async with (
        databases.lent(HISTORY, clock) as database,
        bench_of(build, database, clock, settings=Settings(trial=True)) as bench,
    ):
        harness = AssessmentsHarness(bench)
        await harness.open()
        yield harness
