from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from shared.bus import NotYet, dead_letters
from shared.bus.envelope import headers
from shared.database import Transaction
from shared.events import PatientDischarged, Topic
from shared.ids import new_id
from tests.conftest import TUESDAY_NOON
from tests.kafka.bus.conftest import CLINIC, Toy

TOPIC = str(Topic.CLINIC)


def good(event: PatientDischarged) -> list[tuple[str, bytes]]:
    return headers(
        event_id=new_id(),
        event_type=event.TYPE,
        service="toy",
        time=TUESDAY_NOON,
        subject=str(event.patient),
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


Raw = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]


async def put(toy: Toy, records: Sequence[Raw]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=toy.kafka)
    await producer.start()
    for key, value, attributes in records:
        await producer.send_and_wait(TOPIC, key=key, value=value, headers=attributes, partition=0)
    await producer.stop()


def event() -> PatientDischarged:
    return PatientDischarged(clinic=CLINIC, patient=uuid4(), version=1)


def replaced(attributes: list[tuple[str, bytes]], name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    return [(key, value if key == name else old) for key, old in attributes]


POISONS: dict[str, Callable[[PatientDischarged], Raw]] = {
    "a body that is no JSON": lambda one: (b"k", b"{nonsense", good(one)),
    "an unknown type": lambda one: (b"k", b"{}", replaced(good(one), "ce_type", b"patient.teleported")),
    "a newer schema version": lambda one: (
        b"k",
        one.model_dump_json().encode(),
        replaced(good(one), "ce_dataschema", b"https://keepwell.dev/schemas/patient.discharged/99"),
    ),
    "a null header": lambda one: (b"k", one.model_dump_json().encode(), replaced(good(one), "ce_id", None)),
    "a header that is not UTF-8": lambda one: (
        b"k",
        one.model_dump_json().encode(),
        replaced(good(one), "traceparent", b"\xff\xfe"),
    ),
    "a null body": lambda one: (b"k", None, good(one)),
    "a body of nearly a megabyte": lambda one: (b"k", b"x" * 900_000, good(one)),
    "no headers at all": lambda one: (b"k", one.model_dump_json().encode(), []),
}


@pytest.mark.parametrize("poison", POISONS)
async def test_a_poison_becomes_a_dead_letter_and_its_neighbours_are_handled_once(toy: Toy, poison: str) -> None:
    before, bad, after = event(), POISONS[poison](event()), event()
    await put(
        toy,
        [
            (b"a", before.model_dump_json().encode(), list(good(before))),
            bad,
            (b"b", after.model_dump_json().encode(), list(good(after))),
        ],
    )
    await toy.make_engine().start()
    await toy.quiet()
    assert [each.patient for each in toy.heard] == [before.patient, after.patient]
    (letter,) = await dead_letters.read_all(toy.kafka)
    assert (letter.key, letter.value) == (bad[0], bad[1])
    assert [name for name, _ in letter.headers] == [name for name, _ in bad[2]]
    assert letter.topic == TOPIC
    assert letter.group == "keepwell.toy.clinic"
    assert letter.error.startswith("Undecodable: ")


async def test_a_handler_that_fails_for_one_record_of_a_batch_fails_for_no_other(toy: Toy) -> None:
    everyone = [event() for _ in range(50)]
    cursed = {everyone[7].patient, everyone[31].patient}

    async def refuse(_tx: Transaction, one: PatientDischarged) -> None:
        if one.patient in cursed:
            raise ValueError("no such ward")

    toy.reaction = refuse
    await put(toy, [(b"k", one.model_dump_json().encode(), list(good(one))) for one in everyone])
    await toy.make_engine().start()
    await toy.quiet()
    # A batch is handled key by key, so that is the order in which the neighbours were heard.
    assert {one.patient for one in toy.heard} == {one.patient for one in everyone} - cursed
    assert len(toy.heard) == len(everyone) - len(cursed)
    letters = await dead_letters.read_all(toy.kafka)
    assert [letter.error for letter in letters] == ["ValueError: no such ward"] * 2


async def test_a_replay_after_the_repair_handles_the_letter_once_and_marks_it(toy: Toy) -> None:
    one = event()

    async def refuse(_tx: Transaction, _one: PatientDischarged) -> None:
        raise ValueError("no such ward")

    toy.reaction = refuse
    await put(toy, [(b"k", one.model_dump_json().encode(), list(good(one)))])
    await toy.make_engine().start()
    await toy.quiet()
    letters = await dead_letters.read_all(toy.kafka)
    toy.reaction = None
    for _ in range(2):
        await dead_letters.replay(toy.kafka, letters, now=toy.clock.now())
        await toy.quiet()
    assert [each.patient for each in toy.heard] == [one.patient]
    assert all(letter.replayed_at for letter in await dead_letters.read_all(toy.kafka))


async def test_what_has_not_arrived_yet_is_waited_for(toy: Toy) -> None:
    tries = 0

    async def wait(_tx: Transaction, _one: PatientDischarged) -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise NotYet("the patient's enrolment")

    toy.reaction = wait
    await toy.make_engine().start()
    await toy.say(uuid4())
    await toy.quiet()
    assert len(toy.heard) == 1
    assert await dead_letters.read_all(toy.kafka) == []


async def test_the_same_event_twice_is_handled_once(toy: Toy) -> None:
    one = event()
    record = (b"k", one.model_dump_json().encode(), list(good(one)))
    await put(toy, [record, record])
    await toy.make_engine().start()
    await toy.quiet()
    assert len(toy.heard) == 1
