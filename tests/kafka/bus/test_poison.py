"""Each poison ends in the dead letters with its bytes and its reason, and harms no neighbour.

Each test is asked once more with a protection taken out, and must then see what that lets happen.
"""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Integer, literal, select
from structlog.testing import CapturingLogger

import shared.bus.consumer
from shared.bus import NotYet, dead_letters
from shared.bus.producer import Producer, Record
from shared.database import Transaction
from shared.events import BY_TYPE, PatientDischarged, Topic
from tests.kafka.bus import protections
from tests.kafka.bus.conftest import Toy
from tests.kafka.bus.poisons import POISONS, Raw, event, good, put, refusing, times, verdict

TakeOut = Callable[[pytest.MonkeyPatch], None]
UNDECODABLE = "Undecodable: "
LOST_NEIGHBOURS = ["a neighbour before it was not handled", "a neighbour after it was not handled"]
SKIPPED = [*LOST_NEIGHBOURS, "no letter holds its bytes"]
CALLED_DEAD = [*LOST_NEIGHBOURS, "something else has a letter"]
UNSEEN = ["no letter holds its bytes"]
HANDLED = ["the poison was handled", *UNSEEN]
STUCK = ["the consumer is blocked: NotSent", "a neighbour after it was not handled", *UNSEEN]
WITHOUT: list[tuple[str, TakeOut, list[str]]] = [
    ("an undecodable record", protections.isolation, CALLED_DEAD),
    ("an undecodable record", protections.letters, UNSEEN),
    ("a truncated body", protections.isolation, CALLED_DEAD),
    ("an unknown type", protections.known_types, UNSEEN),
    ("a newer schema version", protections.known_schemas, HANDLED),
    ("another type's schema", protections.known_schemas, HANDLED),
    ("a null header", protections.raw_parser, SKIPPED),
    ("a null header", protections.whole_headers, HANDLED),
    ("a null header", protections.nulls_kept, ["no letter holds its bytes", "something else has a letter"]),
    ("a null header that nobody needs", protections.raw_parser, SKIPPED),
    ("a header that came twice", protections.whole_headers, HANDLED),
    ("a non-UTF-8 header", protections.raw_parser, SKIPPED),
    ("a null body", protections.isolation, CALLED_DEAD),
    ("a 1 MB body", protections.room_for_letters, STUCK),
    ("a body as large as the topic takes", protections.room_for_letters, STUCK),
    ("a key of half a megabyte", protections.room_for_letters, STUCK),
    ("no headers at all", protections.isolation, CALLED_DEAD),
    ("headers with names of ours", protections.place_of_ours, UNSEEN),
    ("numbers in quotation marks", protections.strict_bodies, HANDLED),
]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.bus.consumer, "RETRIES", (0.01, 0.02))
    monkeypatch.setattr(shared.bus.consumer, "NOT_YET_RETRIES", (0.01, 0.02, 0.05, 0.1, 0.2))
    monkeypatch.setattr(shared.bus.consumer, "ENVIRONMENT_PAUSE", 0.1)
    # A test's log shows each record's error with all its surroundings, which takes longer than the test.
    monkeypatch.setattr(shared.bus.consumer, "log", CapturingLogger())


@pytest.mark.parametrize("poison", POISONS)
async def test_a_poison_becomes_a_dead_letter_and_its_neighbours_are_handled_once(toy: Toy, poison: str) -> None:
    assert await verdict(toy, POISONS[poison](event()), reason=UNDECODABLE) == []


@pytest.mark.parametrize(("poison", "take_out", "seen"), WITHOUT)
async def test_without_its_protection_a_poison_does_harm(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, poison: str, take_out: TakeOut, seen: list[str]
) -> None:
    take_out(monkeypatch)
    assert await verdict(toy, POISONS[poison](event()), reason=UNDECODABLE) == seen


def test_each_poison_has_been_tried_without_a_protection() -> None:
    assert {poison for poison, _, _ in WITHOUT} == set(POISONS)


async def refused(toy: Toy) -> Raw:
    """Return a good record that the toy's handler always fails for."""
    cursed = event("cursed")
    toy.reaction = refusing(cursed.patient)
    return good(cursed)


async def test_a_handler_that_always_fails_makes_a_dead_letter_of_each_record(toy: Toy) -> None:
    toy.reaction = refusing()
    records = [good(event()) for _ in range(30)]
    await put(toy, records)
    await toy.make_engine().start()
    await toy.quiet()
    letters = await dead_letters.read_all(toy.kafka)
    assert [(one.key, one.value, one.error) for one in letters] == [
        (record.key, record.value, "ValueError: no such ward") for record in records
    ]


async def test_without_a_bound_a_handler_that_always_fails_stops_its_partition(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    protections.bound(monkeypatch)
    seen = await verdict(toy, await refused(toy), reason="ValueError: no such ward")
    assert seen == ["the consumer is blocked: ValueError", "a neighbour after it was not handled", *UNSEEN]


async def test_a_handler_that_fails_for_one_record_of_a_batch_fails_for_no_other(toy: Toy) -> None:
    assert await verdict(toy, await refused(toy), reason="ValueError: no such ward", neighbours=25) == []


async def test_without_isolation_a_handler_that_fails_for_one_record_fails_for_the_batch(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    protections.isolation(monkeypatch)
    seen = await verdict(toy, await refused(toy), reason="ValueError: no such ward", neighbours=25)
    assert seen == CALLED_DEAD


async def beyond_its_column(toy: Toy) -> Raw:
    """Return a good record that makes the toy's handler ask the database for a number that no column holds."""
    cursed = event("cursed")

    async def ask(tx: Transaction, one: PatientDischarged) -> None:
        if one.patient == cursed.patient:
            await tx.scalar(select(literal(2**40, Integer)))

    toy.reaction = ask
    return good(cursed)


async def test_a_number_that_no_column_holds_is_its_records_fault(toy: Toy) -> None:
    assert await verdict(toy, await beyond_its_column(toy), reason="DBAPIError: ") == []


async def test_if_the_drivers_refusal_counted_as_a_lost_database_one_record_would_stop_its_partition(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    protections.refusal_of_the_driver(monkeypatch)
    seen = await verdict(toy, await beyond_its_column(toy), reason="DBAPIError: ")
    assert seen == ["the consumer is blocked: DBAPIError", *LOST_NEIGHBOURS, *UNSEEN]


async def replayed_twice(toy: Toy) -> None:
    """Bring every letter back, and once more."""
    letters = await dead_letters.read_all(toy.kafka)
    for _ in range(2):
        await dead_letters.replay(toy.kafka, letters, now=toy.clock.now())
        await toy.quiet()


class Newer(PatientDischarged):
    """The event in the schema that the poison claims."""

    SCHEMA = 99


@pytest.mark.parametrize("protected", [True, False])
@pytest.mark.parametrize("poison", ["a handler that always fails", "a newer schema version"])
async def test_a_replay_after_the_repair_handles_the_letter_once_and_marks_it(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, poison: str, protected: bool
) -> None:
    one = event("cursed")
    bad = await refused(toy) if poison not in POISONS else POISONS[poison](one)
    assert await verdict(toy, bad, reason="") == []
    before = len(toy.heard)
    toy.reaction = None
    monkeypatch.setitem(BY_TYPE, PatientDischarged.TYPE, Newer)
    if not protected:
        protections.inbox(monkeypatch)
    await replayed_twice(toy)
    assert times(toy, one) == (1 if protected else 2), "twice only without the inbox"
    assert len(toy.heard) - before == times(toy, one), "no neighbour comes again"
    assert all(letter.replayed_at for letter in await dead_letters.read_all(toy.kafka))


@pytest.mark.parametrize("poison", ["a null header", "a null body", "a body as large as the topic takes"])
async def test_a_replay_before_the_repair_only_makes_another_letter_of_the_same_bytes(toy: Toy, poison: str) -> None:
    bad = POISONS[poison](event())
    assert await verdict(toy, bad, reason=UNDECODABLE) == []
    heard = list(toy.heard)
    await dead_letters.replay(toy.kafka, await dead_letters.read_all(toy.kafka), now=toy.clock.now())
    await toy.quiet()
    first, second = await dead_letters.read_all(toy.kafka)
    assert (first.replayed_at is None, second.replayed_at is None) == (False, True)
    assert (second.key, second.value, list(second.headers)) == (bad.key, bad.value, list(bad.headers))
    assert toy.heard == heard


async def test_what_is_no_letter_keeps_nobody_from_reading_the_others(toy: Toy) -> None:
    assert await verdict(toy, POISONS["a null body"](event()), reason=UNDECODABLE) == []
    producer = Producer(toy.kafka)
    nobody = str(UUID(int=7)).encode()
    for key, headers in ((None, []), (b"\xff", []), (nobody, [("keepwell-group", b"x")]), (nobody, [("a", None)])):
        await producer.send([Record(str(Topic.DEAD_LETTERS), key, b"?", headers)])
    await producer.close()
    assert len(await dead_letters.read_all(toy.kafka)) == 1


async def test_what_has_not_arrived_yet_is_waited_for(toy: Toy) -> None:
    tries = 0

    async def wait(_tx: Transaction, _one: PatientDischarged) -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise NotYet("the patient's enrolment")

    toy.reaction = wait
    await toy.make_engine().start()
    await put(toy, [good(event())])
    await toy.quiet()
    assert len(toy.heard) == 1
    assert await dead_letters.read_all(toy.kafka) == []


async def test_the_same_event_twice_is_handled_once(toy: Toy) -> None:
    record = good(event())
    await put(toy, [record, record])
    await toy.make_engine().start()
    await toy.quiet()
    assert len(toy.heard) == 1
