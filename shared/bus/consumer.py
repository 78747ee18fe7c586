"""The consumer: batches in, one transaction each, and a bad record never stops its neighbours.

The inbox is written first; only events that are new to it are handled; state and new events commit together; then the
offset. A batch that fails is halved until the bad record stands alone; that one is tried again a bounded number of
times and then kept as a dead letter. What is the environment's fault (a lost database) is waited out instead, or a
whole batch would become dead letters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, KafkaError, UnsupportedCodecError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from sqlalchemy import text

from shared.bus import gaps
from shared.bus.consumer_spans import batch_span
from shared.bus.dead_letters import letter
from shared.bus.envelope import Received, Undecodable, decode
from shared.bus.handlers import Handlers, NotYet
from shared.bus.outage import is_outage
from shared.bus.producer import Producer
from shared.database import Database, Transaction
from shared.events import Topic
from shared.telemetry.log import get_logger
from shared.telemetry.metrics import counter

log = get_logger(__name__)

READ_MS: Final = 5000
"""How long a read waits for a first record; it returns as soon as one is there."""
FETCH_MS: Final = 1000
"""How long Kafka does, for a read; what is asked of it meanwhile on the same connection waits for that, such as the
records of a partition that was taken over just now."""
RECORDS: Final = 500
REWINDS: Final = 3
"""Times that one place is begun again at, where Kafka leaves out records that it has; then they count as gone."""
RETRIES: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""Real seconds before each further attempt at a single record; together far below the poll interval."""
NOT_YET_RETRIES: Final = (*RETRIES, 3.0, *(4.0,) * 6)
"""The same where something has not arrived: what it waits for may stand in the queue of a consumer that died, which is
missed for the session timeout, or of a process that is being started again."""
BATCH_PATIENCE: Final = 60.0
"""Real seconds that all records of a batch are waited for together; then each has one further attempt. A group gives up
a consumer whose batch takes longer than the poll interval (300 s), and the next one would begin with the same batch."""
ENVIRONMENT_PAUSE: Final = 1.0
"""Real seconds before a batch is taken again after the database or the dead letters were away."""
WORN_OUT: Final = 3
"""Reads in a row that Kafka's client failed (FastStream waits 5 s between them) after which a consumer begins anew. Its
background task, once it has died of an error that nobody foresaw, is never started again: each further read fails."""
SESSION_TIMEOUT_MS: Final = 6000
_BYTES_AT_FAULT: Final = (CorruptRecordException, UnsupportedCodecError)
"""Kafka's own errors that a record's bytes cause; the others say that a broker is away."""

_HANDLED = counter("events_handled", "Events that a service handled.", "service", "topic")
_REPEATED = counter("events_repeated", "Events that a service had already handled.", "service", "topic")
_DEAD = counter("dead_letters", "Records that became dead letters.", "service", "topic")

_REGISTER: Final = text(
    "INSERT INTO inbox (id) SELECT unnest(CAST(:ids AS uuid[])) ON CONFLICT DO NOTHING RETURNING id"
)
"""One parameter however many ids: a statement with one for each is built anew for every batch."""

Records = Sequence[ConsumerRecord[bytes, bytes]]


@dataclass
class _Patience:
    """Real seconds that the records of one batch may still be waited for."""

    left: float = BATCH_PATIENCE


def group_of(service: str, topic: Topic) -> str:
    """Return the consumer group of a service for a topic.

    One group for each: members of one group with different topics would all stop whenever one of them joins or leaves.
    """
    return f"keepwell.{service}.{topic.name.lower()}"


class Consumer:
    """Consumes one topic for one service.

    Attributes:
        blocked: why the batch at hand cannot be handled now, or None.
        handling: whether a batch is being handled.
        seen: records that were handled since the start, also those that came twice.
        failing: what the last read failed of in Kafka's client, or None.
    """

    def __init__(self, *, database: Database, handlers: Handlers, topic: Topic, dead_letters: Producer) -> None:
        self.service = database.schema
        self.topic = topic
        self.group = group_of(database.schema, topic)
        self.blocked: str | None = None
        self.handling = False
        self.seen = 0
        self.failing: str | None = None
        self._failures = 0
        self._tries: Counter[tuple[TopicPartition, int]] = Counter()
        self._next: dict[TopicPartition, int] = {}
        self._database = database
        self._handlers = handlers
        self._dead_letters = dead_letters
        for metric in (_HANDLED, _REPEATED, _DEAD):
            metric.labels(self.service, topic)

    def subscribe(self, broker: KafkaBroker, *, instance: str | None) -> None:
        """Register with a broker that is not started yet.

        Args:
            broker: the process's broker.
            instance: a name that this process keeps over a restart (static membership), where it has one.
        """
        subscriber = broker.subscriber(
            str(self.topic),
            group_id=self.group,
            group_instance_id=f"{instance}.{self.group}" if instance else None,
            batch=True,
            max_records=RECORDS,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            fetch_max_wait_ms=FETCH_MS,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            parser=_raw_parser,
            decoder=_raw_decoder,
        )
        subscriber(self.consume)
        # FastStream's own looks a hundred times a second at a topic on which nothing is said.
        subscriber.get_msg = self._read  # type: ignore[method-assign]
        self._subscriber = subscriber

    @property
    def worn_out(self) -> bool:
        """Tell whether Kafka's client has failed so often in a row that it will go on failing."""
        return self._failures >= WORN_OUT

    async def renew(self) -> None:
        """Begin anew with another client; what was not committed comes again.

        Raises:
            KafkaError: Kafka is away.
        """
        log.warning("consumer.renewed", service=self.service, topic=self.topic, error=self.failing)
        await self._subscriber.stop()
        await self._subscriber.start()
        self._failures = 0

    async def _read(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord[bytes, bytes], ...]:
        """Return the next batch as soon as there is one; none after some seconds, or where it cannot be taken apart.

        It then has gone past what it had read of other partitions in the same call, which would be committed over.
        """
        try:
            read = await consumer.getmany(timeout_ms=READ_MS, max_records=RECORDS)
        except Exception as error:
            if isinstance(error, KafkaError | ConsumerStoppedError) and not isinstance(error, _BYTES_AT_FAULT):
                self._failures += 1
                self.failing = f"{type(error).__name__}: {error}"
                raise
            self._block(error)
            for partition in consumer.assignment():
                consumer.seek(partition, await consumer.committed(partition) or 0)
            await self._database.clock.pause(ENVIRONMENT_PAUSE)
            return ()
        self._failures, self.failing = 0, None
        firsts = {part: records[0].offset for part, records in read.items()}
        return tuple(chain.from_iterable(read.values())) if await self._follows(consumer, firsts) else ()

    async def _follows(self, consumer: AIOKafkaConsumer, firsts: Mapping[TopicPartition, int]) -> bool:
        """Tell whether records follow on what the group handled; where not, begin again at what lies between.

        Args:
            consumer: which has read them.
            firsts: the offset of the first of them, by partition.
        """
        try:
            again = await self._passed_over(consumer, firsts)
        except Exception as error:  # noqa: BLE001 - whatever it was: the batch comes again, and `blocked` says why
            self._block(error)
            _rewind(consumer, firsts)
            await self._database.clock.pause(ENVIRONMENT_PAUSE)
            return False
        if again:
            _rewind(consumer, {**firsts, **again})
        return not again

    async def _passed_over(
        self, consumer: AIOKafkaConsumer, firsts: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        """Return where to begin again, by partition; what is gone from the log is written down.

        Kafka's client goes on at the oldest record that is left where those it was to read are gone, and says nothing.
        An offset may also have been committed late by a process that had lost the partition: what lies between was
        handled, and is only read once more.
        """
        again, missing = {}, []
        for part, first in firsts.items():
            expected = self._next.get(part)
            if expected == first:
                continue
            if expected is None or expected < first:
                # Another process may have read on meanwhile: what the group committed it has handled.
                committed = await consumer.committed(part)
                expected = max((at for at in (expected, committed) if at is not None), default=first)
            if expected >= first:
                continue
            oldest = min((await consumer.beginning_offsets([part]))[part], first)
            if max(expected, oldest) < first and self._tries[part, expected] < REWINDS:
                self._tries[part, expected] += 1
                again[part] = max(expected, oldest)
                log.warning(
                    "consumer.rewound", service=self.service, topic=part.topic, at=again[part], instead_of=first
                )
            else:
                oldest = first
            if expected < oldest:
                missing.append(gaps.Gap(part.topic, part.partition, expected, oldest))
        if missing:
            async with self._database.transaction() as tx:
                await gaps.note(tx, missing)
        return again

    def _block(self, error: Exception) -> None:
        self.blocked = f"{type(error).__name__}: {error}"
        log.warning("consumer.blocked", service=self.service, topic=self.topic, error=self.blocked)

    async def consume(self, records: tuple[ConsumerRecord[bytes, bytes], ...]) -> None:
        """Handle a batch; return only when each record was handled, was known, or is a dead letter.

        Raises:
            Exception: the environment's fault; FastStream seeks back and the batch comes again.
        """
        self.handling = True
        try:
            with batch_span(self.service, self.group, str(self.topic), records):
                await self._isolate(records, _Patience())
            self._next.update({TopicPartition(one.topic, one.partition): one.offset + 1 for one in records})
        except Exception as error:
            self._block(error)
            await self._database.clock.pause(ENVIRONMENT_PAUSE)
            raise
        finally:
            self.handling = False
        self.seen += len(records)
        self.blocked = None

    async def _isolate(self, records: Records, patience: _Patience) -> None:
        try:
            await self._handle(records)
        except Exception as error:
            if is_outage(error):
                raise
            failure = error
        else:
            return
        # Outside the `except`: a later record's error would carry this one along.
        if len(records) == 1:
            await self._single(records, failure, patience)
            return
        middle = len(records) // 2
        await self._isolate(records[:middle], patience)
        await self._isolate(records[middle:], patience)

    async def _single(self, records: Records, error: Exception, patience: _Patience) -> None:
        for tries, pause in enumerate(NOT_YET_RETRIES):
            if isinstance(error, Undecodable) or (tries >= len(RETRIES) and not isinstance(error, NotYet)):
                break
            if tries > 0 and pause > patience.left:
                break
            patience.left -= pause
            await self._database.clock.pause(pause)
            try:
                await self._handle(records)
            except Exception as again:
                if is_outage(again):
                    raise
                error = again
            else:
                return
        record = records[0]
        reason = f"{type(error).__name__}: {error}"
        now = self._database.clock.now()
        await self._dead_letters.send([letter(record, group=self.group, error=reason, now=now)])
        _DEAD.labels(self.service, self.topic).inc()
        log.error(
            "record.dead",
            service=self.service,
            topic=self.topic,
            partition=record.partition,
            offset=record.offset,
            error=reason,
            exc_info=None if isinstance(error, Undecodable) else error,
        )

    async def _handle(self, records: Records) -> None:
        received = [decode(record.headers, record.value) for record in records]
        wanted = [each for each in received if self._handlers.wants(each.type)]
        if not wanted:
            return
        async with self._database.transaction() as tx:
            new = await self._register(tx, wanted)
            # One key's events stay in order; the keys go in one order in every batch, for handlers lock by key, and
            # two batches that lock the same patients in two orders would wait for each other.
            await self._handlers.handle_all(tx, sorted(new, key=lambda one: one.event.key))
        _HANDLED.labels(self.service, self.topic).inc(len(new))
        _REPEATED.labels(self.service, self.topic).inc(len(wanted) - len(new))

    async def _register(self, tx: Transaction, wanted: Sequence[Received]) -> list[Received]:
        ids = list(dict.fromkeys(each.id for each in wanted))
        result = await tx.execute(_REGISTER.bindparams(ids=ids))
        unseen = {row.id for row in result}
        new: list[Received] = []
        for each in wanted:
            if each.id in unseen:
                unseen.discard(each.id)
                new.append(each)
        return new


def _rewind(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
    """Begin again at these offsets, where the partitions are still this process's own."""
    for part in consumer.assignment() & offsets.keys():
        consumer.seek(part, offsets[part])


async def _raw_parser(records: Any, default: Any) -> Any:
    # A null or non-UTF-8 header would make FastStream's parser skip the whole batch and commit over it.
    message = await default((replace(records[0], headers=()),))
    message.raw_message = records
    return message


async def _raw_decoder(message: Any) -> Any:
    return message.raw_message
