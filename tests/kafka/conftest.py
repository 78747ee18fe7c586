"""A real Apache Kafka for the tests of what crosses it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.kafkas import broker, fresh_topics


@pytest.fixture(scope="session")
async def kafka_broker() -> AsyncIterator[str]:
    """One broker a run."""
    async with broker() as address:
        yield address


@pytest.fixture
async def kafka(kafka_broker: str) -> str:
    """The broker with Keepwell's topics, made anew for each test."""
    await fresh_topics(kafka_broker)
    return kafka_broker
