from collections.abc import AsyncIterator

import pytest

from services.scheduler.history import HISTORY
from shared.clock import SteppedClock
from shared.database import Database
from tests.support.databases import Databases


@pytest.fixture
async def database(databases: Databases, clock: SteppedClock) -> AsyncIterator[Database]:
    """A service's database, for what holds for every service's."""
    async with databases.lent(HISTORY, clock) as database:
        yield database
