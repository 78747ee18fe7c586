"""One idempotent Kafka producer that is thrown away after an error.

After a non-retriable error an idempotent producer stays broken for that partition, and a cancelled send is still sent
(see docs/decisions/0004). So on any error the producer is dropped together with whatever it still holds, and a new one
is made.

Records are put into batches here, one after the other for each partition, instead of one by one through aiokafka's
`send`: that makes a future for each record and takes three times as long. The records of a key share a partition, and
a partition's batches go in order, so a key's records do.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.bus.address import Address, options
from shared.bus.partitions import partition_of
from shared.events import Topic
from shared.telemetry.log import get_logger

log = get_logger(__name__)

MAX_RECORD_BYTES = 1_000_000
"""Refused here before it can reach the broker; topics take a little more (see `shared.bus.topics`)."""
HEADROOM: Final = 48_576
"""Bytes that a topic takes beyond the producer's own limit, so that it is the client that refuses, not the broker."""
BATCH_OVERHEAD: Final = 61
"""Bytes that Kafka's format (version 2) puts around the records of a batch; a topic's limit is a batch's."""
MAX_LETTER_BYTES: Final = 4_000_000
"""The same for a dead letter: the largest record that a topic takes, its key once more in hexadecimal, and why it died.
A letter that does not fit blocks its partition for good."""
BATCH_BYTES: Final = 512 * 1024
"""Of one partition's records in one request; more is a second batch after the first."""
REQUEST_TIMEOUT_MS = 4000
SEND_TIMEOUT = 20.0
"""Real seconds for a batch to be acknowledged; an idempotent send never times out by itself."""


class Record(NamedTuple):
    """What goes to Kafka. A tuple: a relay makes tens of thousands a second."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class NotSent(Exception):  # noqa: N818 - reads as what happened
    """Kafka did not acknowledge a batch; some of it may have arrived."""


class Producer:
    """Sends batches in order, all of them acknowledged or an error.

    Args:
        bootstrap_servers: Kafka's address.
        largest: bytes of the largest record that is sent; a dead letter may have more (`MAX_LETTER_BYTES`).
    """

    def __init__(self, bootstrap_servers: Address, *, largest: int = MAX_RECORD_BYTES) -> None:
        self._servers = bootstrap_servers
        self._largest = largest
        self._producer: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[Record]) -> None:
        """Send records in order and return once every one is acknowledged by all in-sync replicas.

        Raises:
            NotSent: at least one was not acknowledged; the order of a later attempt is unharmed.
        """
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                producer = await self._ready()
                # All are built before the first is sent: one that is too large is refused before anything happened.
                batches = await self._batches(producer, records)
                acknowledged = [
                    await producer.send_batch(batch, topic, partition=partition)
                    for (topic, partition), batch in batches
                ]
                await asyncio.gather(*acknowledged)
        except (KafkaError, TimeoutError, OSError) as error:
            await self.discard()
            raise NotSent(f"{len(records)} records were not acknowledged: {type(error).__name__}: {error}") from error
        except BaseException:
            await self.discard()
            raise

    async def close(self) -> None:
        """Stop the producer; nothing is pending, for `send` waits for every acknowledgement."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **options(self._servers),
                acks="all",
                enable_idempotence=True,
                max_request_size=MAX_LETTER_BYTES,
                max_batch_size=BATCH_BYTES,
                # A leader that froze keeps its connection: with the default of 40 s that is how long everything waits.
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def discard(self) -> None:
        """Drop the producer with what it still holds, so that nothing of it is sent later."""
        if self._producer is None:
            return
        producer, self._producer = self._producer, None
        sender = producer._sender.sender_task  # noqa: SLF001 - `stop()` waits for ever while records are pending
        if sender is not None:
            sender.cancel()
            await asyncio.wait([sender])
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await producer.client.close()
        except (KafkaError, TimeoutError, OSError) as error:
            log.warning("producer.discard_failed", error=type(error).__name__)
        producer._closed = True  # noqa: SLF001 - else its destructor warns of a producer that was not stopped

    async def _batches(
        self, producer: AIOKafkaProducer, records: Sequence[Record]
    ) -> list[tuple[tuple[str, int], Any]]:
        """Return batches in the order in which they go: a partition's records stay in theirs.

        Raises:
            MessageSizeTooLargeError: a record is larger than its topic takes.
        """
        topics = {record.topic for record in records}
        partitions = {topic: len(await producer.partitions_for(topic)) for topic in topics}
        batches: list[tuple[tuple[str, int], Any]] = []
        open_ones: dict[tuple[str, int], Any] = {}
        for topic, key, value, attributes in records:
            headers = attributes if isinstance(attributes, list) else list(attributes)
            place = (topic, partition_of(key, partitions[topic]))
            batch = open_ones.get(place)
            added = None if batch is None else batch.append(timestamp=None, key=key, value=value, headers=headers)
            if added is None:
                batch = open_ones[place] = producer.create_batch()
                batches.append((place, batch))
                added = batch.append(timestamp=None, key=key, value=value, headers=headers)
            if added.size > self._largest and (topic != Topic.DEAD_LETTERS or added.size > MAX_LETTER_BYTES):
                raise MessageSizeTooLargeError(f"A record of {added.size} bytes is more than {topic} takes.")
        return batches
