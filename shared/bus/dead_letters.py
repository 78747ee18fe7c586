"""Dead letters: what a service could not handle, kept with its bytes until a person brings it back.

A letter is a record of its own topic: the original key, value and headers, and before them where it came from, which
service could not handle it and why. Ours are told from theirs by their place, for a record's headers may have any name.
A replay writes the original to its topic again; inboxes make that harmless for
those who had handled it. A mark under the same id says that a letter was replayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.bus.address import Address, options
from shared.bus.producer import BATCH_OVERHEAD, HEADROOM, MAX_RECORD_BYTES, Producer, Record
from shared.events import Topic
from shared.ids import derived_id
from shared.telemetry.log import get_logger, scrub

log = get_logger(__name__)

PREFIX: Final = "keepwell-"
_OURS: Final = (
    "group",
    "topic",
    "partition",
    "offset",
    "error",
    "at",
    "key",
    "key-null",
    "value-null",
    "header-nulls",
)
_REPLAYED: Final = "replayed"
_LARGEST_ORIGINAL: Final = MAX_RECORD_BYTES + HEADROOM - BATCH_OVERHEAD
"""Bytes of a record that somebody else sent: as many as a topic takes, which is more than a service of ours sends."""
_LONGEST_ERROR: Final = 2000


@dataclass(frozen=True)
class DeadLetter:
    """A record that a service could not handle."""

    id: UUID
    group: str
    topic: str
    partition: int
    offset: int
    error: str
    died_at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = field(repr=False)
    replayed_at: datetime | None = None

    @property
    def type(self) -> str:
        return (dict(self.headers).get("ce_type") or b"?").decode(errors="replace")


def letter(record: ConsumerRecord[bytes, bytes], *, group: str, error: str, now: datetime) -> Record:
    """Return the dead letter of a record; the same record of the same group always has the same id."""
    origin = {
        "group": group,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "error": scrub(error)[:_LONGEST_ERROR],
        "at": now.isoformat(),
        "key": "" if record.key is None else record.key.hex(),
        "key-null": str(record.key is None),
        "value-null": str(record.value is None),
        "header-nulls": ",".join(str(index) for index, (_, value) in enumerate(record.headers) if value is None),
    }
    ours = [(PREFIX + name, origin[name].encode(errors="backslashreplace")) for name in _OURS]
    theirs = [(name, value or b"") for name, value in record.headers]
    letter_id = derived_id("dead-letter", group, record.topic, str(record.partition), str(record.offset))
    return Record(str(Topic.DEAD_LETTERS), str(letter_id).encode(), record.value or b"", [*ours, *theirs])


async def read_all(bootstrap_servers: Address) -> list[DeadLetter]:
    """Return every dead letter, oldest first, those replayed marked."""
    consumer = AIOKafkaConsumer(**options(bootstrap_servers), enable_auto_commit=False)
    try:
        await consumer.start()
        partition = TopicPartition(str(Topic.DEAD_LETTERS), 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        letters: dict[UUID, DeadLetter] = {}
        while await consumer.position(partition) < end:
            batch = await consumer.getmany(partition, timeout_ms=500)
            for record in batch.get(partition, []):
                try:
                    _fold(letters, record)
                except (KeyError, ValueError) as error:
                    log.warning("dead_letter.unreadable", offset=record.offset, error=type(error).__name__)
        return list(letters.values())
    finally:
        await consumer.stop()


async def replay(bootstrap_servers: Address, letters: Sequence[DeadLetter], *, now: datetime) -> None:
    """Send letters to where they came from, then mark them as replayed.

    Raises:
        NotSent: Kafka did not acknowledge; replaying once more is harmless.
    """
    producer = Producer(bootstrap_servers, largest=_LARGEST_ORIGINAL)
    try:
        for dead in letters:
            await producer.send([Record(dead.topic, dead.key, dead.value, dead.headers)])
            mark = [(PREFIX + _REPLAYED, now.isoformat().encode())]
            await producer.send([Record(str(Topic.DEAD_LETTERS), str(dead.id).encode(), b"", mark)])
    finally:
        await producer.close()


async def put_aside(bootstrap_servers: Address, letters: Sequence[DeadLetter], *, now: datetime) -> None:
    """Mark letters as done with though they were not replayed: what they tell of was taken back by a restore."""
    producer = Producer(bootstrap_servers)
    mark = [(PREFIX + _REPLAYED, now.isoformat().encode())]
    try:
        if letters:
            await producer.send([Record(str(Topic.DEAD_LETTERS), str(dead.id).encode(), b"", mark) for dead in letters])
    finally:
        await producer.close()


def _fold(letters: dict[UUID, DeadLetter], record: ConsumerRecord[bytes, bytes]) -> None:
    """Take a record of the dead letters in.

    Raises:
        KeyError: it is neither a letter nor a mark.
        ValueError: the same, or it is not as we write them.
    """
    first = {name: (value or b"").decode() for name, value in record.headers[: len(_OURS)] if name.startswith(PREFIX)}
    letter_id = UUID((record.key or b"").decode())
    if (PREFIX + _REPLAYED) in first:
        known = letters.get(letter_id)
        if known is not None:
            replayed_at = datetime.fromisoformat(first[PREFIX + _REPLAYED])
            letters[letter_id] = replace(known, replayed_at=replayed_at)
        return
    ours = {name: first[PREFIX + name] for name in _OURS}
    nulls = {int(index) for index in ours["header-nulls"].split(",") if index}
    theirs = enumerate(record.headers[len(_OURS) :])
    letters[letter_id] = DeadLetter(
        id=letter_id,
        group=ours["group"],
        topic=ours["topic"],
        partition=int(ours["partition"]),
        offset=int(ours["offset"]),
        error=ours["error"],
        died_at=datetime.fromisoformat(ours["at"]).astimezone(UTC),
        key=None if ours["key-null"] == "True" else bytes.fromhex(ours["key"]),
        value=None if ours["value-null"] == "True" else record.value,
        headers=tuple((name, None if index in nulls else value) for index, (name, value) in theirs),
    )
