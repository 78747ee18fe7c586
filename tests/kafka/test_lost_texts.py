"""A text whose record was gone before the assessments service had read it is read for words of crisis all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table, select

from services.assessments.tables import alerts, patients
from services.notifier.commands.inbound import receive
from services.notifier.commands.reply_events import Text
from services.notifier.model.arriving import Arrival
from services.notifier.planner import Planner
from services.notifier.retelling import retell
from services.notifier.tables import CONTACT_POINTS
from services.notifier.wake_up import WakeUp
from shared.bus import gaps, publish
from shared.clock import SteppedClock
from shared.database import Database
from shared.events import Topic
from shared.ids import ClinicId
from tests.integration.notifier.fake_provider import FakeProvider
from tests.kafka.hosts import Host, clinic_open_all_day, enrolled, host, prepared, started
from tests.kafka.test_lost_events import delete_records, phones
from tests.support.bench import KEYRING, eventually
from tests.support.databases import Databases

__all__ = ["phones"]
NUMBER = 77
CRISIS_TEXTS = 2
PHONE = f"+1{5_551_000_000 + NUMBER}"


async def holds(database: Database, table: Table, count: int) -> None:
    async def there() -> bool:
        async with database.reading() as reader:
            return len(await reader.all(select(table))) == count

    await eventually(there, seconds=30)


async def heard_all(*hosts: Host) -> None:
    async def quiet() -> bool:
        return all([await one.engine.watch.quiet(one.engine.idle) for one in hosts])

    await eventually(quiet, seconds=30)


@dataclass
class Ground:
    """A clinic whose assessments service runs only while the test wants it to."""

    urls: dict[str, Any]
    kafka: str
    clock: SteppedClock
    phones: FakeProvider
    others: Host

    @property
    def notifier(self) -> Database:
        return self.others.database("notifier")

    @asynccontextmanager
    async def assessments(self) -> AsyncIterator[Host]:
        here = host({"assessments": self.urls["assessments"]}, self.kafka, self.clock, self.phones.provider())
        async with started(here):
            yield here

    async def text(self, words: str) -> None:
        came = Text(uuid4().hex, PHONE, words, Arrival(self.clock.now()))
        async with self.notifier.transaction() as tx:
            await receive(tx, came, Planner(KEYRING, WakeUp()), self.clock)


@pytest.fixture
async def ground(databases: Databases, clock: SteppedClock, kafka: str, phones: FakeProvider) -> AsyncIterator[Ground]:
    urls = await prepared(databases, ("clinic", "notifier", "assessments"))
    others = host({name: urls[name] for name in ("clinic", "notifier")}, kafka, clock, phones.provider())
    clinic, patient = ClinicId(uuid4()), uuid4()
    async with started(others):
        async with others.database("clinic").transaction() as tx:
            await publish(tx, clinic_open_all_day(clinic))
            await publish(tx, enrolled(clinic, patient, NUMBER, clock.now()))
        yield Ground(urls, kafka, clock, phones, others)


@pytest.mark.timeout(240)
async def test_a_cry_whose_record_was_lost_is_never_left_unread(ground: Ground) -> None:
    async with ground.assessments() as here:
        await holds(here.database("assessments"), patients, 1)
        await holds(ground.notifier, CONTACT_POINTS, 1)
        await ground.text("I want to die")
        await holds(here.database("assessments"), alerts, 1)
        await heard_all(ground.others, here)
        await here.engine.sampler.round()
    await ground.text("i have the pills")
    await heard_all(ground.others)
    await delete_records(ground.kafka, Topic.MESSAGING)
    async with ground.assessments() as here:
        database = here.database("assessments")
        await ground.text("ok thanks")

        async def lost() -> bool:
            return any("records of keepwell.messaging were gone" in note for note in await here.engine.notes())

        await eventually(lost, seconds=30)
        await heard_all(ground.others, here)
        await holds(database, alerts, 1)
        assert len(ground.phones.to(PHONE)) == CRISIS_TEXTS
        async with database.reading() as reader:
            open_gaps = await gaps.open_gaps(reader)
        assert await retell(ground.notifier, KEYRING) == len(("the first cry", "the lost one", "thanks"))
        await holds(database, alerts, 2)
        await heard_all(ground.others, here)
        await holds(database, alerts, 2)
        async with database.transaction() as tx:
            await gaps.close(tx, open_gaps)
        assert not await lost()
    assert len(ground.phones.to(PHONE)) == CRISIS_TEXTS
