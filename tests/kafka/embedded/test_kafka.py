import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import Signals
from tempfile import TemporaryDirectory

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.embedded.errors import AlreadyOwnedError, DataDirectoryError
from shared.embedded.identity import identify, is_alive
from shared.embedded.kafka import kafka
from shared.embedded.pause import until

ROOT = Path(__file__).parents[3]
HOLD = Path(__file__).with_name("hold_kafka.py")
TOPIC = "sample"


@pytest.fixture
def data() -> Iterator[Path]:
    with TemporaryDirectory(prefix="kw-embedded-") as place:
        yield Path(place) / "an odd, näme"


async def write(servers: str, values: list[bytes], *, copies: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, copies)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True)
    await producer.start()
    for value in values:
        await producer.send_and_wait(TOPIC, value)
    await producer.stop()


async def read(servers: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(TOPIC, 0)])
    await consumer.start()
    values = [(await consumer.getone()).value for _ in range(count)]
    await consumer.stop()
    return values


async def test_what_was_written_outlives_a_restart_at_the_same_address(data: Path) -> None:
    async with kafka(data) as first:
        await write(first.bootstrap_servers, [b"one", b"two"])
        assert await read(first.bootstrap_servers, 2) == [b"one", b"two"]
        server = identify(first.brokers[0].server.pid or 0)
    assert server is not None
    assert not is_alive(server)
    async with kafka(data) as second:
        assert second.bootstrap_servers == first.bootstrap_servers
        assert await read(second.bootstrap_servers, 2) == [b"one", b"two"]
    assert (data / "broker-1/log/kafka.log").stat().st_size > 0


async def test_what_was_written_outlives_the_killing_of_the_owner(data: Path) -> None:
    with subprocess.Popen(  # noqa: ASYNC220 - of our own; its answer is awaited on purpose
        [sys.executable, str(HOLD), str(data)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        answer = json.loads(owner.stdout.readline())
        await write(answer["bootstrap_servers"], [b"one"])
        with pytest.raises(AlreadyOwnedError) as refused:
            async with kafka(data):
                pass
        assert refused.value.pid == owner.pid
        owner.kill()
    left = identify(answer["server"])
    assert left is not None
    steps: list[str] = []
    async with kafka(data, progress=lambda step: steps.append(step.doing)) as address:
        assert not is_alive(left)
        assert await read(address.bootstrap_servers, 1) == [b"one"]
    assert "Stopped a Kafka that an earlier run had left behind" in steps


async def test_a_broker_that_ends_unasked_is_started_again_at_its_address(data: Path) -> None:
    async with kafka(data) as address:
        await write(address.bootstrap_servers, [b"one"])
        server = address.brokers[0].server
        before = server.pid
        assert os.getsid(before or 0) != os.getsid(0)
        os.kill(before or 0, Signals.SIGKILL)
        assert await until(lambda: server.pid not in {None, before}, seconds=30)
        await address.brokers[0].restart()  # waits for the start that is under way
        assert await read(address.bootstrap_servers, 1) == [b"one"]


async def test_data_of_another_number_of_brokers_is_refused(data: Path) -> None:
    (data / "broker-1").mkdir(parents=True)
    with pytest.raises(DataDirectoryError, match="holds 1 broker"):
        async with kafka(data, brokers=3):
            pass
