from collections import defaultdict

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from shared.bus.producer import BATCH_BYTES, MAX_RECORD_BYTES, NotSent, Producer, Record
from shared.events import Topic
from tests.support.kafkas import PARTITIONS

TOPIC = str(Topic.CLINIC)
KEYS = [f"patient-{number}".encode() for number in range(20)]


async def everything(servers: str) -> list[ConsumerRecord[bytes, bytes]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    await consumer.start()
    parts = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
    consumer.assign(parts)
    await consumer.seek_to_beginning(*parts)
    ends = await consumer.end_offsets(parts)
    found: list[ConsumerRecord[bytes, bytes]] = []
    while len(found) < sum(ends.values()):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += records
    await consumer.stop()
    return found


def bodies(records: list[ConsumerRecord[bytes, bytes]]) -> dict[bytes, list[int]]:
    by_key: dict[bytes, list[int]] = defaultdict(list)
    for record in sorted(records, key=lambda each: (each.partition, each.offset)):
        by_key[record.key].append(int(record.value[:8]))
    return by_key


async def test_more_than_fits_one_batch_arrives_in_order_for_each_key(kafka: str) -> None:
    producer = Producer(kafka)
    padding = b"." * 4000
    records = [Record(TOPIC, KEYS[number % 20], b"%08d" % number + padding, []) for number in range(1500)]
    assert len(records) * len(padding) > 2 * PARTITIONS * BATCH_BYTES
    await producer.send(records)
    await producer.close()
    assert bodies(await everything(kafka)) == {
        key: list(range(position, 1500, 20)) for position, key in enumerate(KEYS)
    }


async def test_a_key_lies_where_other_clients_put_it(kafka: str) -> None:
    producer, other = Producer(kafka), AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.send([Record(TOPIC, key, b"00000001", []) for key in KEYS])
    await producer.close()
    await other.start()
    for key in KEYS:
        await other.send_and_wait(TOPIC, key=key, value=b"00000002")
    await other.stop()
    places: dict[bytes, set[int]] = defaultdict(set)
    for record in await everything(kafka):
        places[record.key].add(record.partition)
    assert all(len(places[key]) == 1 for key in KEYS)


async def test_a_record_that_is_too_large_is_refused_before_its_neighbours_are_sent(kafka: str) -> None:
    producer = Producer(kafka)
    with pytest.raises(NotSent, match="MessageSizeTooLarge"):
        await producer.send([Record(TOPIC, b"a", b"00000001", []), Record(TOPIC, b"b", b"0" * MAX_RECORD_BYTES, [])])
    await producer.send([Record(TOPIC, b"a", b"00000002", [("name", b"value")])])
    await producer.close()
    (arrived,) = await everything(kafka)
    assert (arrived.key, arrived.value, arrived.headers) == (b"a", b"00000002", (("name", b"value"),))
