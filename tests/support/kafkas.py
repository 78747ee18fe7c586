"""A Kafka for the tests: the one named by TEST_KAFKA, or one of our own."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from shared.bus.topics import create_topics
from shared.embedded.kafka import kafka
from shared.events import Topic
from tests.support.bench import eventually

PARTITIONS = 4


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """Give the bootstrap address of a Kafka."""
    given = os.environ.get("TEST_KAFKA")
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="kwk", dir="/tmp") as place:
        async with kafka(Path(place)) as address:
            yield address.bootstrap_servers


async def fresh_topics(bootstrap_servers: str) -> None:
    """Make Keepwell's topics anew and empty; Kafka forgets the groups' offsets with them."""
    ours = {str(topic) for topic in Topic}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()

    async def gone() -> bool:
        return not ours & set(await admin.list_topics())

    async def led() -> bool:
        found = await admin.describe_topics(sorted(ours))
        parts = [part for topic in found for part in topic["partitions"]]
        return len(parts) > len(ours) and all(part["leader"] >= 0 for part in parts)

    try:
        await admin.delete_topics(sorted(ours & set(await admin.list_topics())))
        # A topic that is still being deleted "exists already", and is gone a moment after it was made.
        await eventually(gone, seconds=30)
        await create_topics(
            bootstrap_servers, partitions=PARTITIONS, replication=1, min_in_sync=1, retention_ms=24 * 60 * 60 * 1000
        )
        await eventually(led, seconds=30)
    finally:
        await admin.close()
