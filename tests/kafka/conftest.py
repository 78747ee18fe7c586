"""A real Apache Kafka for the tests of what crosses it."""

from collections.abc import AsyncIterator, Mapping

import pytest

from shared.settings import SERVICES
from tests.support.databases import Databases, own_url
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


@pytest.fixture(scope="module")
async def servers(kafka_broker: str, databases: Databases) -> Mapping[str, str]:
    """The settings of a whole clinic that brings no servers along: this run's, with a new database and new topics.

    To start its own takes a clinic 5 s of processor; those that are about a clinic's own servers do.
    """
    await fresh_topics(kafka_broker)
    admin = await databases.empty()
    own = {f"KEEPWELL_{name.upper()}__DATABASE_URL": own_url(admin, name) for name in SERVICES}
    return own | {"KEEPWELL_DATABASE_URL": admin, "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS": kafka_broker}
