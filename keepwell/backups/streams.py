"""Kafka's side of a backup: which records were on their way at an instant, and which came after it.

Offsets say it exactly. A record that the relays had published by the backup's instant, and that a group had not handled
by then, was on its way: it stands in the backup and is brought back. A record after that instant tells of a time that
a restore takes back: no service may hear of it again.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from keepwell.tools.contracts import blank_services
from shared.bus.address import Address, options
from shared.bus.consumer import group_of
from shared.bus.producer import Producer, Record
from shared.events import Topic
from shared.protection import Keyring
from shared.web.tokens import Tokens

FETCH_MS: Final = 500
AT_ONCE: Final = 500
"""Records that are sent again in one go."""
EVENTS: Final = tuple(sorted(str(topic) for topic in Topic if topic is not Topic.DEAD_LETTERS))

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True)
class Flow:
    """Kafka's offsets at an instant.

    Attributes:
        cluster: Kafka's own id.
        handled: up to where every group that listens to a partition had handled it.
        ends: up to where records were written.
    """

    cluster: str
    handled: Offsets
    ends: Offsets


class Stream:
    """A connection that reads topics without being a member of any group."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._admin = admin

    async def cluster(self) -> str:
        """Return Kafka's own id."""
        return str((await self._admin.describe_cluster()).get("cluster_id", ""))

    async def partitions(self) -> list[TopicPartition]:
        """Return every partition of the events' topics."""
        described = await self._admin.describe_topics(list(EVENTS))
        return [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]

    async def beginnings(self) -> Offsets:
        """Return the oldest offset of each partition."""
        found: Offsets = await self._consumer.beginning_offsets(await self.partitions())
        return found

    async def ends(self) -> Offsets:
        """Return the offset after the newest record of each partition."""
        found: Offsets = await self._consumer.end_offsets(await self.partitions())
        return found

    async def handled(self) -> Offsets:
        """Return up to where all who listen to a partition have handled it; nobody listens: its end."""
        beginnings, ends = await self.beginnings(), await self.ends()
        lowest = dict(ends)
        for group, topic in (await listeners()).items():
            coordinator = await self._admin.find_coordinator(group)
            mine = [part for part in beginnings if part.topic == topic]
            committed = await self._admin.list_consumer_group_offsets(
                group, group_coordinator_id=coordinator, partitions=mine
            )
            for part in mine:
                at = committed[part].offset if part in committed else -1
                lowest[part] = min(lowest[part], at if at >= 0 else beginnings[part])
        return lowest

    async def records(self, starts: Offsets, ends: Offsets) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
        """Yield the records from some offsets up to others, a partition after the other."""
        for part, end in sorted(ends.items()):
            start = starts.get(part, end)
            if start >= end:
                continue
            self._consumer.assign([part])
            self._consumer.seek(part, start)
            while await self._consumer.position(part) < end:
                batch = await self._consumer.getmany(part, timeout_ms=FETCH_MS)
                for record in batch.get(part, []):
                    if record.offset < end:
                        yield record


@asynccontextmanager
async def reading(kafka: Address) -> AsyncIterator[Stream]:
    """Connect to read; raises `KafkaError` where Kafka is away."""
    consumer = AIOKafkaConsumer(**options(kafka), enable_auto_commit=False, auto_offset_reset="earliest")
    admin = AIOKafkaAdminClient(**options(kafka))
    try:
        await consumer.start()
        await admin.start()
        yield Stream(consumer, admin)
    finally:
        await consumer.stop()
        await admin.close()


async def listeners() -> dict[str, str]:
    """Return the topic of each group of this version."""
    tokens = Tokens(Keyring.from_text(Keyring.generate()))
    services = blank_services(tokens)
    return {group_of(one.name, topic): str(topic) for one in services for topic in one.handlers.topics}


async def go_to(kafka: Address, offsets: Offsets) -> None:
    """Let every group go on from these offsets; none of them may have a member.

    Raises:
        KafkaError: a group has one, or Kafka is away.
    """

    async def move(group: str, topic: str) -> None:
        mine = {part: OffsetAndMetadata(at, "") for part, at in offsets.items() if part.topic == topic}
        consumer = AIOKafkaConsumer(**options(kafka), group_id=group, enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign(list(mine))
            await consumer.commit(mine)
        finally:
            await consumer.stop()

    await asyncio.gather(*(move(group, topic) for group, topic in (await listeners()).items()))


async def send_again(kafka: Address, records: Sequence[Record]) -> None:
    """Write records to their topics, in order; who had handled one knows it by its id."""
    producer = Producer(kafka)
    try:
        for start in range(0, len(records), AT_ONCE):
            await producer.send(records[start : start + AT_ONCE])
    finally:
        await producer.close()
