"""A batch that fails while another process takes partitions over: what stays here is handled here."""

from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from sqlalchemy import func, select

from keepwell.host.engine import Engine
from shared.bus.consumer import group_of
from shared.database import Transaction
from shared.events import PatientDischarged, Topic
from tests.kafka.bus.conftest import BUS, Toy
from tests.support.bench import eventually

PATIENTS = 60


def client_of(engine: Engine) -> Any:
    """Return Kafka's client of the engine's only consumer."""
    (consumer,) = engine.consumers
    return consumer._subscriber.consumer


async def test_a_batch_that_fails_while_partitions_are_taken_over_loses_no_record(toy: Toy) -> None:
    said = {uuid4() for _ in range(PATIENTS)}
    for patient in said:
        await toy.say(patient)
    engine, topic = toy.make_engine(), Topic.CLINIC
    other = AIOKafkaConsumer(
        str(topic), bootstrap_servers=toy.kafka, group_id=group_of("toy", topic), enable_auto_commit=False
    )

    async def all_in_kafka() -> bool:
        async with toy.database.reading() as reader:
            return not await reader.scalar(select(func.count()).select_from(BUS.outbox))

    async def shared() -> bool:
        its, ours = other.assignment(), client_of(engine).assignment()
        return bool(its) and bool(ours) and not its & ours

    async def away(_tx: Transaction, _event: PatientDischarged) -> None:
        if await all_in_kafka():
            # The batch at hand has records of many partitions. The other process reads none of those that it gets.
            await other.start()
            await eventually(shared, seconds=30)
            toy.reaction = None
        raise ConnectionError("the database is away")

    async def read_its_own() -> bool:
        client, (consumer,) = client_of(engine), engine.consumers
        at = [(await client.position(part), client.highwater(part)) for part in client.assignment()]
        return toy.reaction is None and not consumer.handling and all(position == end for position, end in at)

    toy.reaction = away
    await engine.start()
    try:
        await eventually(read_its_own, seconds=60)
    finally:
        await other.stop()
    await toy.quiet()
    assert {event.patient for event in toy.heard} == said
