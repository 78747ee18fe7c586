"""One patient's events in order, through moves and cancels made while due events are in flight, with several relays."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest

import shared.bus.producer
from services.scheduler import store
from services.scheduler.commands import booking
from services.scheduler.model.sessions import Booking, Session, slot
from shared.bus.envelope import Received
from shared.clock import SteppedClock
from shared.database import Database
from shared.events import Event, SessionDue, SessionEvent
from shared.ids import ClinicId, new_id
from tests.integration.notifier.fake_provider import FakeProvider, fake_provider
from tests.kafka.hosts import Host, clinic_open_all_day, enrolled, host, prepared, started
from tests.support.bench import eventually
from tests.support.databases import Databases

PATIENTS = 24
ROUNDS = 8
CHANCE = random.Random()  # noqa: S311 - seeded for each run, so that it can be repeated


async def tell_all(one: Host, events: Sequence[Event]) -> None:
    """Let each service of a host know of the clinic and its patients, as if Kafka had told it before."""
    for service in one.services:
        async with service.database.transaction() as tx:
            for event in events:
                if service.handlers.wants(event.TYPE):
                    await service.handlers.handle(tx, Received(new_id(), event.TYPE, None, event))


async def order(database: Database, patient: UUID, work: Any) -> Session:
    """Do something about a patient's session as the interface does."""
    async with database.transaction() as tx:
        held = await store.lock_patient(tx, patient)
        assert held is not None
        done: Session = await work(tx, held)
        return done


async def one_patients_day(database: Database, patient: UUID, clock: SteppedClock) -> None:
    """Book, and move or cancel at instants around those at which reminders fall due."""
    base = clock.now().replace(tzinfo=None)
    session = None
    for turn in range(ROUNDS):
        # So near that its reminder of three days before falls due while the next order is being given.
        wanted = slot(base + timedelta(days=3, seconds=3 + CHANCE.randrange(turn + 1, ROUNDS + 6)), "UTC", 1)
        if session is None or not session.open:
            session = await order(database, patient, lambda tx, held, at=wanted: booking.book(tx, held, Booking(at)))
        elif CHANCE.random() < 0.7:
            present = session
            session = await order(
                database, patient, lambda tx, held, at=wanted, was=present: booking.move(tx, held, was, at)
            )
        else:
            present = session
            session = await order(
                database, patient, lambda tx, held, was=present: booking.cancel(tx, held, was, code=None)
            )
        await clock.pause(0.02)


async def play(databases: Databases, kafka: str, clock: SteppedClock, phones: FakeProvider) -> list[str]:
    """Run three hosts and give orders while reminders fall due; return what is wrong."""
    CHANCE.seed(20261201)
    clinic, patients = ClinicId(uuid4()), [uuid4() for _ in range(PATIENTS)]
    urls = await prepared(databases, ["scheduler", "notifier"])
    heard: dict[UUID, list[Event]] = defaultdict(list)

    def hear(service: str, event: Event) -> None:
        if service == "notifier" and isinstance(event, SessionEvent | SessionDue):
            heard[event.patient].append(event)

    first, second, third = [host(urls, kafka, clock, phones.provider(), hear=hear) for _ in range(3)]
    known = [clinic_open_all_day(clinic), *(enrolled(clinic, p, n, clock.now()) for n, p in enumerate(patients))]
    await tell_all(first, known)
    async with started(first, second, third):
        database = second.database("scheduler")

        async def time_goes_on() -> None:
            while True:
                await clock.move_by(timedelta(seconds=1))
                await clock.pause(0.01)

        passing = asyncio.create_task(time_goes_on())
        await asyncio.gather(*(one_patients_day(database, patient, clock) for patient in patients))
        passing.cancel()
        await clock.move_by(timedelta(seconds=60))

        async def all_quiet() -> bool:
            return all([await one.engine.idle() for one in (second, third)]) and await second.engine.watch.quiet(
                second.engine.idle
            )

        await eventually(all_quiet, seconds=90)
    return _judged(heard, phones)


def _judged(heard: dict[UUID, list[Event]], phones: FakeProvider) -> list[str]:
    found = []
    for events in heard.values():
        versions: dict[UUID, int] = {}
        for event in events:
            assert isinstance(event, SessionEvent | SessionDue)
            if event.version < versions.get(event.session, 0):
                found.append("an event of a patient overtook another")
            versions[event.session] = max(event.version, versions.get(event.session, 0))
    if not any(isinstance(event, SessionDue) for events in heard.values() for event in events):
        found.append("no reminder fell due")
    if not phones.ledger:
        found.append("no text went out")
    return sorted(set(found))


async def test_a_patients_events_keep_their_order_through_moves_and_cancels_while_reminders_fall_due(
    databases: Databases, kafka: str, clock: SteppedClock
) -> None:
    async with fake_provider() as phones:
        assert await play(databases, kafka, clock, phones) == []


async def test_without_one_partition_for_a_key_the_order_is_lost_and_seen_to_be(
    databases: Databases, kafka: str, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = count()
    monkeypatch.setattr(shared.bus.producer, "partition_of", lambda _key, partitions: next(turns) % partitions)
    async with fake_provider() as phones:
        assert "an event of a patient overtook another" in await play(databases, kafka, clock, phones)
