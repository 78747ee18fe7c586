"""Fixtures that every kind of test may ask for; none of them starts anything until it is asked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import structlog
from hypothesis import HealthCheck, settings

from shared.clock import SteppedClock
from tests.support.databases import Databases, cluster

# Drawing a pretty traceback takes longer than the test that logs it.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A busy machine is no fault of what is tested: no example has a time to keep to, nor has the drawing of one.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

LONGEST = (
    "tests/integration/fuzz",
    "tests/kafka/test_simulation.py",
    "tests/kafka/test_backup.py",
    "tests/kafka/test_demo.py",
    "tests/kafka/test_stop.py",
    "tests/kafka/cases",
    "tests/containers/test_life.py",
    "tests/containers/test_three_brokers.py",
)
"""What a suite of several processes begins with: at its end one long file would keep a single process busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


TUESDAY_NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
"""Tuesday 1 December 2026, noon in New York."""


@pytest.fixture
def clock() -> SteppedClock:
    """Trial time, at Tuesday noon in New York."""
    return SteppedClock(TUESDAY_NOON)


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[Databases]:
    """A PostgreSQL of this run."""
    async with cluster() as url:
        yield Databases(url)
