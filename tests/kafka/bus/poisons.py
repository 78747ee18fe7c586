"""Poisons for a consumer, a way to give them to it, and one judge of what became of them and their neighbours.

The judge speaks in sentences and knows nothing of how the consumer works, so that the same judge can be asked with a
protection taken out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from shared.bus import dead_letters
from shared.bus.dead_letters import DeadLetter
from shared.bus.envelope import headers
from shared.database import Transaction
from shared.events import PatientDischarged, Topic
from shared.ids import derived_id, new_id
from tests.conftest import TUESDAY_NOON
from tests.kafka.bus.conftest import CLINIC, Toy
from tests.support.bench import eventually
from tests.support.kafkas import PARTITIONS

TOPIC: Final = str(Topic.CLINIC)
GROUP: Final = "keepwell.toy.clinic"
LARGEST_TAKEN: Final = 1_048_000
"""Bytes of a body that a topic just takes with our headers: its limit is 1,048,576 bytes a batch."""
Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Raw:
    """A record as somebody else might write it."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def event(name: str = "") -> PatientDischarged:
    """Return an event of a new patient, or of the patient of that name."""
    return PatientDischarged(clinic=CLINIC, patient=derived_id("patient", name) if name else new_id(), version=1)


def good(one: PatientDischarged) -> Raw:
    """Return the record of an event as we write it."""
    attributes = headers(
        event_id=new_id(),
        event_type=one.TYPE,
        service="toy",
        time=TUESDAY_NOON,
        subject=str(one.patient),
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return Raw(str(one.patient).encode(), one.model_dump_json().encode(), attributes)


def _header(one: PatientDischarged, name: str, value: bytes | None) -> Raw:
    record = good(one)
    return Raw(record.key, record.value, [(key, value if key == name else old) for key, old in record.headers])


def _body(one: PatientDischarged, value: bytes | None) -> Raw:
    record = good(one)
    return Raw(record.key, value, record.headers)


def _more(one: PatientDischarged, *more: tuple[str, bytes | None]) -> Raw:
    record = good(one)
    return Raw(record.key, record.value, [*record.headers, *more])


SCHEMAS: Final = b"https://keepwell.dev/schemas"
POISONS: Final[dict[str, Callable[[PatientDischarged], Raw]]] = {
    "an undecodable record": lambda one: _body(one, b"{nonsense"),
    "a truncated body": lambda one: _body(one, one.model_dump_json().encode()[:-7]),
    "an unknown type": lambda one: _header(one, "ce_type", b"patient.teleported"),
    "a newer schema version": lambda one: _header(one, "ce_dataschema", SCHEMAS + b"/patient.discharged/99"),
    "another type's schema": lambda one: _header(one, "ce_dataschema", SCHEMAS + b"/plan.started/1"),
    "a null header": lambda one: _header(one, "ce_id", None),
    "a null header that nobody needs": lambda one: _more(one, ("colour", None)),
    "a header that came twice": lambda one: _more(one, ("ce_id", str(new_id()).encode())),
    "a non-UTF-8 header": lambda one: _header(one, "traceparent", b"\xff\xfe"),
    "a null body": lambda one: _body(one, None),
    "a 1 MB body": lambda one: _body(one, b"x" * 1_000_000),
    "a body as large as the topic takes": lambda one: _body(one, b"x" * LARGEST_TAKEN),
    "a key of half a megabyte": lambda one: Raw(b"k" * 500_000, b"{nonsense", good(one).headers),
    "no headers at all": lambda one: Raw(b"k", one.model_dump_json().encode(), []),
    "headers with names of ours": lambda one: Raw(
        str(one.patient).encode(),
        b"{nonsense",
        [("keepwell-partition", b"\xff"), ("keepwell-replayed", None), ("keepwell-header-nulls", b"9")],
    ),
    "numbers in quotation marks": lambda one: _body(
        one, one.model_dump_json().replace('"version":1', '"version":"1"').encode()
    ),
}


async def put(toy: Toy, records: Sequence[Raw], *, partition: int = 0) -> None:
    """Write records straight to the topic."""
    producer = AIOKafkaProducer(bootstrap_servers=toy.kafka, max_request_size=2_000_000)
    await producer.start()
    try:
        for record in records:
            await producer.send_and_wait(
                TOPIC, key=record.key, value=record.value, headers=record.headers, partition=partition
            )
    finally:
        await producer.stop()


class _NoText(str):
    """Text that is written as bytes which are none."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


async def put_unreadable(toy: Toy, *, partition: int = PARTITIONS - 1) -> None:
    """Write a record with a header whose very name is no UTF-8, which Kafka's clients for Python refuse to read."""
    producer = AIOKafkaProducer(bootstrap_servers=toy.kafka)
    await producer.start()
    batch: BatchBuilder = producer.create_batch()
    batch._builder = _DefaultRecordBatchBuilderPy(
        2, 0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=16_384
    )
    batch.append(timestamp=None, key=b"k", value=b"{}", headers=[(_NoText("name"), b"value")])
    await (await producer.send_batch(batch, TOPIC, partition=partition))
    await producer.stop()


async def rest(toy: Toy) -> None:
    """Wait until all is quiet, or the consumer says that it cannot go on.

    What a consumer has passed over without a word is committed over with the next batch, so it gets one more record.
    """
    engine = toy.engine
    assert engine is not None

    async def found() -> bool:
        if any(consumer.blocked for consumer in engine.consumers):
            return True
        return await engine.idle() and await engine.watch.quiet(engine.idle)

    try:
        await eventually(found, seconds=5)
    except TimeoutError:
        await put(toy, [good(event("later"))])
        await eventually(found, seconds=30)


def blocked(toy: Toy) -> list[str]:
    """Return why consumers cannot go on."""
    assert toy.engine is not None
    return [consumer.blocked for consumer in toy.engine.consumers if consumer.blocked]


def times(toy: Toy, one: PatientDischarged) -> int:
    """Return how often an event was handled."""
    return sum(each.patient == one.patient for each in toy.heard)


async def letters_of(toy: Toy) -> list[DeadLetter] | str:
    """Return the dead letters, or why they cannot be read."""
    try:
        return await dead_letters.read_all(toy.kafka)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the judge has to say
        return f"{type(error).__name__}"


async def verdict(toy: Toy, bad: Raw, *, reason: str, neighbours: int = 1) -> list[str]:
    """Give a consumer a poison between neighbours; return what went wrong, in sentences.

    Args:
        toy: whose consumer is not started yet.
        bad: the poison.
        reason: how the letter must say why it died, from its beginning.
        neighbours: good records on either side.
    """
    before, after = [[event(f"{side} {n}") for n in range(neighbours)] for side in ("before", "after")]
    await put(toy, [*map(good, before), bad, *map(good, after)])
    await toy.make_engine().start()
    await rest(toy)
    found = [f"the consumer is blocked: {why.partition(':')[0]}" for why in blocked(toy)]
    for side, ones in (("before", before), ("after", after)):
        if any(times(toy, one) == 0 for one in ones):
            found.append(f"a neighbour {side} it was not handled")
        if any(times(toy, one) > 1 for one in ones):
            found.append(f"a neighbour {side} it was handled twice")
    if {each.patient for each in toy.heard} - {each.patient for each in (*before, *after, event("later"))}:
        found.append("the poison was handled")
    return found + await _about_letters(toy, bad, reason)


async def _about_letters(toy: Toy, bad: Raw, reason: str) -> list[str]:
    letters = await letters_of(toy)
    if isinstance(letters, str):
        return [f"the dead letters cannot be read: {letters}"]
    its = [one for one in letters if (one.key, one.value, list(one.headers)) == (bad.key, bad.value, list(bad.headers))]
    found = [] if its else ["no letter holds its bytes"]
    if len(its) > 1:
        found.append("it has two letters")
    if len(letters) > len(its):
        found.append("something else has a letter")
    found += [
        f"the letter does not say why: {one.error}"
        for one in its
        if not one.error.startswith(reason) or (one.topic, one.group) != (TOPIC, GROUP)
    ]
    return found


def refusing(*cursed: UUID) -> Callable[[Transaction, PatientDischarged], Any]:
    """Return a reaction that fails for some patients; for all of them when none is named."""

    async def refuse(_tx: Transaction, one: PatientDischarged) -> None:
        if not cursed or one.patient in cursed:
            raise ValueError("no such ward")

    return refuse
