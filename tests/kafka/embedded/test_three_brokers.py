import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.embedded.kafka import KafkaAddress, kafka
from shared.embedded.kafka_probe import ask
from shared.embedded.pause import TICK, pause

COUNT = 3_000


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[KafkaAddress]:
    with TemporaryDirectory(prefix="kw-embedded-") as place:
        async with kafka(Path(place), brokers=3) as address:
            yield address


async def leader_of(servers: str, topic: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    described = await admin.describe_topics([topic])
    await admin.close()
    return int(described[0]["partitions"][0]["leader"])


async def make_topic(servers: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 3)])
    await admin.close()


async def read(servers: str, topic: str) -> list[bytes | None]:
    """Read what is there, once as much is there as was written: a leader that was frozen first shows its old end."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    await consumer.start()
    values: list[bytes | None] = []
    while (
        len(values) < COUNT or await consumer.position(partition) < (await consumer.end_offsets([partition]))[partition]
    ):
        values += [record.value for batch in (await consumer.getmany(timeout_ms=200)).values() for record in batch]
    await consumer.stop()
    return values


async def all_serve(cluster: KafkaAddress) -> None:
    everyone = {broker.id for broker in cluster.brokers}
    for broker in cluster.brokers:
        while (known := await ask(broker.port)) is None or known.brokers != everyone:
            await pause(TICK)


async def write_while(cluster: KafkaAddress, topic: str, fault: str) -> None:
    """Write numbered records one after the other; plant the fault in the leader once a third of them is in."""
    await make_topic(cluster.bootstrap_servers, topic)
    leader = cluster.brokers[await leader_of(cluster.bootstrap_servers, topic) - 1]
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap_servers, acks="all", enable_idempotence=True, request_timeout_ms=4000
    )
    await producer.start()
    planted: asyncio.Task[None] | None = None
    sent: list[asyncio.Future[object]] = []
    for number in range(COUNT):
        sent.append(await producer.send(topic, str(number).encode()))
        if number == COUNT // 3:
            await sent[-1]
            if fault == "kill":
                planted = asyncio.create_task(leader.kill())
            else:
                leader.suspend()
    await asyncio.gather(*sent)
    await producer.stop()
    if planted is not None:
        await planted
        await leader.restart()
    else:
        leader.resume()
    await all_serve(cluster)


async def test_nothing_is_lost_or_doubled_when_the_leader_is_killed(cluster: KafkaAddress) -> None:
    await write_while(cluster, "killed", "kill")
    assert await read(cluster.bootstrap_servers, "killed") == [str(number).encode() for number in range(COUNT)]


async def test_nothing_is_lost_or_doubled_when_the_leader_freezes(cluster: KafkaAddress) -> None:
    await write_while(cluster, "frozen", "suspend")
    assert await read(cluster.bootstrap_servers, "frozen") == [str(number).encode() for number in range(COUNT)]


async def test_a_broker_that_was_stopped_in_order_comes_back(cluster: KafkaAddress) -> None:
    broker = cluster.brokers[1]
    await broker.stop()
    while (known := await ask(cluster.brokers[0].port)) is None or broker.id in known.brokers:
        await pause(TICK)
    await broker.restart()
    await all_serve(cluster)
