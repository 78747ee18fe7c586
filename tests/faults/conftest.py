"""One deployment for all tests of a module."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.stage import Stage, staged


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """A deployment that works."""
    async with staged() as there:
        yield there
