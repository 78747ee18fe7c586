from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from sqlalchemy import text
from structlog.testing import capture_logs

from shared.bus import cancel_timers, publish
from shared.bus.claim import BATCH
from shared.bus.producer import NotSent, Producer, Record
from shared.bus.tables import SHARDS
from shared.database import Database
from shared.events import PatientDischarged, Topic
from tests.kafka.bus.conftest import CLINIC, Toy
from tests.support.bench import eventually


async def test_an_event_arrives_once_its_transaction_has_committed(toy: Toy) -> None:
    await toy.make_engine().start()
    patient = uuid4()
    await toy.say(patient)
    await toy.quiet()
    assert [event.patient for event in toy.heard] == [patient]


@pytest.mark.parametrize("later", [None, timedelta(hours=1)], ids=["at once", "a timer"])
async def test_what_another_process_wrote_never_waits_for_this_one_to_write(toy: Toy, later: timedelta | None) -> None:
    await toy.make_engine().start()
    await toy.quiet()
    other = Database(toy.database.url, schema="toy", clock=toy.clock)
    try:
        async with other.transaction() as tx:
            event = PatientDischarged(clinic=CLINIC, patient=uuid4(), version=1)
            timer = {} if later is None else {"at": toy.clock.now() + later, "timer": "later"}
            await publish(tx, event, **timer)  # type: ignore[arg-type]
    finally:
        await other.close()
    if later is not None:
        await toy.clock.move_by(later)

    async def heard() -> bool:
        return len(toy.heard) == 1

    with capture_logs() as said:
        await eventually(heard, seconds=10)
    assert [each for each in said if each["log_level"] in {"warning", "error"}] == []


async def test_a_transaction_that_rolls_back_says_nothing(toy: Toy) -> None:
    await toy.make_engine().start()

    async def change_ones_mind() -> None:
        async with toy.database.transaction() as tx:
            await publish(tx, PatientDischarged(clinic=CLINIC, patient=uuid4(), version=1))
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await change_ones_mind()
    await toy.quiet()
    assert toy.heard == []


async def test_a_timer_fires_when_its_instant_has_come_and_not_before(toy: Toy) -> None:
    await toy.make_engine().start()
    await toy.say(uuid4(), at=toy.clock.now() + timedelta(days=3), timer="later")
    await toy.clock.move_by(timedelta(days=3, seconds=-1))
    await toy.quiet()
    assert toy.heard == []
    await toy.clock.move_by(timedelta(seconds=1))
    await toy.quiet()
    assert len(toy.heard) == 1


async def test_a_replaced_timer_fires_once_as_it_was_last_set(toy: Toy) -> None:
    await toy.make_engine().start()
    patient = uuid4()
    for version in (1, 2, 3):
        at = toy.clock.now() + timedelta(hours=version)
        await toy.say(patient, version, at=at, timer="again")
    await toy.clock.move_by(timedelta(hours=5))
    await toy.quiet()
    assert [event.version for event in toy.heard] == [3]


async def test_a_cancelled_timer_never_fires(toy: Toy) -> None:
    await toy.make_engine().start()
    await toy.say(uuid4(), at=toy.clock.now() + timedelta(hours=1), timer="session:1:3d")
    await toy.say(uuid4(), at=toy.clock.now() + timedelta(hours=1), timer="session:2:3d")
    async with toy.database.transaction() as tx:
        assert await cancel_timers(tx, "session:1:") == 1
    await toy.clock.move_by(timedelta(hours=2))
    await toy.quiet()
    assert len(toy.heard) == 1


async def test_one_patients_events_keep_their_order(toy: Toy) -> None:
    await toy.make_engine().start()
    patients = [uuid4() for _ in range(10)]
    for version in range(1, 41):
        for patient in patients:
            await toy.say(patient, version)
    await toy.quiet()
    for patient in patients:
        assert [event.version for event in toy.heard if event.patient == patient] == list(range(1, 41))


async def test_what_fell_due_while_nobody_relayed_is_sent_at_the_next_start(toy: Toy) -> None:
    await toy.say(uuid4(), at=toy.clock.now() + timedelta(minutes=1), timer="missed")
    await toy.clock.move_by(timedelta(days=2))
    await toy.make_engine().start()
    await toy.quiet()
    assert len(toy.heard) == 1


async def test_a_record_is_a_cloud_event_in_binary_mode(toy: Toy) -> None:
    patient = uuid4()
    event_id = await toy.say(patient)
    await toy.make_engine().start()
    await toy.quiet()
    consumer = AIOKafkaConsumer(
        str(Topic.CLINIC), bootstrap_servers=toy.kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()
    headers = {name: value.decode() for name, value in record.headers}
    assert record.key == str(patient).encode()
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == str(event_id)
    assert headers["ce_type"] == "patient.discharged"
    assert headers["ce_source"] == "/keepwell/toy"
    assert headers["ce_subject"] == str(patient)
    assert headers["ce_dataschema"].endswith("/patient.discharged/1")
    assert headers["content-type"] == "application/json"
    assert headers["traceparent"].startswith("00-")


async def test_a_backlog_of_many_batches_keeps_each_patients_order(toy: Toy) -> None:
    patients = [uuid4() for _ in range(7)]
    async with toy.database.transaction() as tx:
        for version in range(1, BATCH // 2):
            for patient in patients:
                await publish(tx, PatientDischarged(clinic=CLINIC, patient=patient, version=version))
    await toy.make_engine().start()
    await toy.quiet()
    for patient in patients:
        assert [event.version for event in toy.heard if event.patient == patient] == list(range(1, BATCH // 2))


async def test_what_kafka_did_not_take_stays_in_the_outbox_and_goes_out_once_it_does(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, refused = Producer.send, 0

    async def refuse_thrice(producer: Producer, records: Sequence[Record]) -> None:
        nonlocal refused
        refused += 1
        if refused <= 3:
            await send(producer, records[:1])  # some of it arrives all the same
            await producer.discard()
            raise NotSent("only the first was acknowledged")
        await send(producer, records)

    monkeypatch.setattr(Producer, "send", refuse_thrice)
    patient = uuid4()
    for version in range(1, 6):
        await toy.say(patient, version)
    await toy.make_engine().start()
    await toy.quiet()
    assert refused == 4
    assert [event.version for event in toy.heard] == [1, 2, 3, 4, 5]


async def test_a_relay_that_failed_owns_its_shards_again_and_leaves_no_lock_behind(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = toy.make_engine()
    await engine.start()
    send = Producer.send

    async def refuse(_producer: Producer, _records: Sequence[Record]) -> None:
        monkeypatch.setattr(Producer, "send", send)
        raise NotSent("Kafka is away")

    for _ in range(3):
        monkeypatch.setattr(Producer, "send", refuse)
        await toy.say(uuid4())
        await toy.quiet()
    async with toy.database.reading() as reader:
        held = await reader.all(
            text(
                "SELECT pid, count(*) AS shards FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid"
            )
        )
    assert [row.shards for row in held] == [SHARDS]
    assert len(toy.heard) == 3
