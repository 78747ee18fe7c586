"""One idempotent Kafka producer that is thrown away after an error.

After a non-retriable error an idempotent producer stays broken for that partition, and a cancelled send is still sent
(see docs/decisions/0004). So on any error the producer is dropped together with whatever it still holds, and a new one
is made.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.telemetry.log import get_logger

log = get_logger(__name__)

MAX_RECORD_BYTES = 1_000_000
"""Refused here before it can reach the broker; topics take a little more (see `shared.bus.topics`)."""
REQUEST_TIMEOUT_MS = 4000
SEND_TIMEOUT = 20.0
"""Real seconds for a batch to be acknowledged; an idempotent send never times out by itself."""


@dataclass(frozen=True)
class Record:
    """What goes to Kafka."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class NotSent(Exception):  # noqa: N818 - reads as what happened
    """Kafka did not acknowledge a batch; some of it may have arrived."""


class Producer:
    """Sends batches in order, all of them acknowledged or an error."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._producer: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[Record]) -> None:
        """Send records in order and return once every one is acknowledged by all in-sync replicas.

        Raises:
            NotSent: at least one was not acknowledged; the order of a later attempt is unharmed.
        """
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                producer = await self._ready()
                acknowledged = [
                    await producer.send(r.topic, key=r.key, value=r.value, headers=list(r.headers)) for r in records
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
                bootstrap_servers=self._servers,
                acks="all",
                enable_idempotence=True,
                max_request_size=MAX_RECORD_BYTES,
                max_batch_size=64 * 1024,
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
