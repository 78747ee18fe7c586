from collections.abc import AsyncIterator

import pytest

from keepwell.host import registry
from shared.clock import SteppedClock
from tests.conftest import TUESDAY_NOON
from tests.integration.fuzz.world import World, service_urls
from tests.support.databases import Databases


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each of these time: some send thousands of requests, beside another suite."""
    for item in items:
        if "tests/integration/fuzz" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="module")
async def world(databases: Databases) -> AsyncIterator[World]:
    """All services, called over HTTP."""
    names = {history.service: await databases.copy(history) for history in registry.histories()}
    world = World(SteppedClock(TUESDAY_NOON), service_urls(names, databases._url))
    world.start()
    yield world
    world.stop()
