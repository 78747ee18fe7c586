"""Records that were gone before a service had read them: nothing goes out on what may be stale, and it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from sqlalchemy import select

from keepwell.cli.commands import retell as command
from services.clinic import published_events
from services.clinic.model.clinic import Clinic
from services.clinic.model.contacts import Consent, Contact, ContactKind, Purpose
from services.clinic.model.patient import Patient, PatientState
from services.clinic.retelling import retell
from services.clinic.store import clinics, patients
from services.notifier.tables import CONTACT_POINTS, MESSAGES
from shared.bus import gaps, publish
from shared.clock import SteppedClock
from shared.database import Database
from shared.events import SessionBooked, SessionDue, Topic
from shared.ids import ClinicId, ContactId, PatientId, new_id
from shared.languages import Language
from tests.integration.notifier.fake_provider import FakeProvider, fake_provider
from tests.kafka.hosts import Host, host, prepared, started
from tests.support.bench import KEYRING, eventually
from tests.support.databases import Databases

REMOVED = "+12025550123"
CRISIS = {Language.EN: "Call 988.", Language.ES: "Llame al 988."}


async def delete_records(kafka: str, which: Topic) -> None:
    """Let Kafka forget everything that was said on a topic, as it does when the retention ends."""
    admin, consumer = AIOKafkaAdminClient(bootstrap_servers=kafka), AIOKafkaConsumer(bootstrap_servers=kafka)
    await admin.start()
    await consumer.start()
    try:
        (topic,) = await admin.describe_topics([str(which)])
        parts = [TopicPartition(topic["topic"], part["partition"]) for part in topic["partitions"]]
        ends = await consumer.end_offsets(parts)
        await admin.delete_records({part: RecordsToDelete(before_offset=end) for part, end in ends.items()})
    finally:
        await consumer.stop()
        await admin.close()


@pytest.fixture
async def phones() -> AsyncIterator[FakeProvider]:
    async with fake_provider() as here:
        yield here


@dataclass
class Ground:
    """A clinic with its patient, whose notifier runs only while a test wants it to."""

    urls: dict[str, Any]
    kafka: str
    clock: SteppedClock
    phones: FakeProvider
    owners: Host
    patient: Patient

    @property
    def clinic(self) -> Database:
        return self.owners.database("clinic")

    @asynccontextmanager
    async def notifier(self) -> AsyncIterator[Host]:
        here = host({"notifier": self.urls["notifier"]}, self.kafka, self.clock, self.phones.provider())
        async with started(here):
            yield here

    async def remove_contacts(self) -> None:
        changed = replace(self.patient, version=2, contacts=())
        async with self.clinic.transaction() as tx:
            await patients.change(tx, changed, KEYRING)
            await publish(tx, published_events.changed(changed, KEYRING))
        await self.sent(self.clinic)

    async def remind(self) -> None:
        """Have a session of the day after tomorrow booked and fall due."""
        starts = self.clock.now() + timedelta(days=2)
        said: dict[str, Any] = {
            "clinic": self.patient.clinic,
            "version": 1,
            "patient": self.patient.id,
            "session": uuid4(),
            "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
            "zone": "UTC",
            "starts_at_utc": starts,
            "minutes": 60,
        }
        scheduler = self.owners.database("scheduler")
        async with scheduler.transaction() as tx:
            await publish(tx, SessionBooked(**said, plan=None, state="booked"))
            await publish(tx, SessionDue(**said, occurrence="3d"))
        await self.sent(scheduler)

    async def sent(self, database: Database) -> None:
        """Wait until the relay has sent what waits in an outbox."""

        async def empty() -> bool:
            return await command._sent({"clinic": database, "scheduler": database})

        await eventually(empty, seconds=30)

    async def delete_clinic_records(self) -> None:
        await delete_records(self.kafka, Topic.CLINIC)


@pytest.fixture
async def ground(databases: Databases, clock: SteppedClock, kafka: str, phones: FakeProvider) -> AsyncIterator[Ground]:
    urls = await prepared(databases, ("clinic", "scheduler", "notifier"))
    owners = host({name: urls[name] for name in ("clinic", "scheduler")}, kafka, clock, phones.provider())
    clinic = Clinic(ClinicId(uuid4()), 1, "Riverside", "Riverside", "UTC", "+12025550100", "00:00", "23:59", CRISIS, ())
    agreed = tuple(Consent(purpose, "form", clock.now()) for purpose in Purpose)
    contact = Contact(ContactId(new_id()), ContactKind.SMS, REMOVED, agreed)
    named: dict[str, Any] = {"given_name": "Pat", "family_name": "Doe", "birth_date": None, "external_id": None}
    patient = Patient(
        id=PatientId(new_id()),
        clinic=clinic.id,
        version=1,
        state=PatientState.ENROLLED,
        **named,
        zone="UTC",
        language=Language.EN,
        contacts=(contact,),
        enrolled_at=clock.now(),
    )
    ground = Ground(urls, kafka, clock, phones, owners, patient)
    async with started(owners):
        async with ground.clinic.transaction() as tx:
            await clinics.add(tx, clinic, KEYRING)
            await publish(tx, published_events.clinic_changed(clinic, KEYRING))
            await patients.add(tx, patient, KEYRING)
            await publish(tx, published_events.enrolled(patient, KEYRING))
        async with ground.notifier() as here:

            async def known() -> bool:
                async with here.database("notifier").reading() as reader:
                    return bool(await reader.all(select(CONTACT_POINTS))) and await here.engine.watch.quiet(
                        here.engine.idle
                    )

            await eventually(known, seconds=30)
            await here.engine.sampler.round()
        yield ground


async def planned(here: Host) -> Any:
    """Return the reminder once it is planned."""

    async def found() -> Any:
        async with here.database("notifier").reading() as reader:
            return await reader.one_or_none(select(MESSAGES))

    return await eventually(found, seconds=30)


@pytest.mark.timeout(240)
async def test_a_removed_number_is_not_texted_since_the_log_had_a_gap(ground: Ground) -> None:
    await ground.remove_contacts()
    await ground.delete_clinic_records()
    await ground.remind()
    async with ground.notifier() as here:
        await planned(here)
        notes = await here.engine.notes()
        assert any("records of keepwell.clinic were gone" in note and "keepwell retell" in note for note in notes)
        database = here.database("notifier")
        async with database.reading() as reader:
            assert await here.services[0].next_due(reader) is None
        assert ground.phones.ledger == []
        async with database.reading() as reader:
            open_gaps = await gaps.open_gaps(reader)
        assert await retell(ground.clinic, KEYRING) == 2

        async def heard() -> bool:
            async with database.reading() as reader:
                return not await reader.all(select(CONTACT_POINTS).where(~CONTACT_POINTS.c.retired))

        await eventually(heard, seconds=30)
        async with database.transaction() as tx:
            await gaps.close(tx, open_gaps)

        async def judged() -> bool:
            return bool((await planned(here)).state == "withheld")

        await eventually(judged, seconds=30)
        assert (await planned(here)).reason == "no_address"
        assert not any("keepwell retell" in note for note in await here.engine.notes())
    assert ground.phones.ledger == []


@pytest.mark.timeout(240)
async def test_a_log_that_was_read_to_its_end_before_it_was_cut_holds_nothing_up(ground: Ground) -> None:
    await ground.delete_clinic_records()
    await ground.remind()
    async with ground.notifier() as here:

        async def out() -> bool:
            return len(ground.phones.to(REMOVED)) == 1

        await eventually(out, seconds=30)
        assert not any("keepwell retell" in note for note in await here.engine.notes())


@pytest.mark.parametrize("name", sorted(command.LISTENERS))
async def test_every_service_that_listens_to_owners_is_waited_for(
    name: str, databases: Databases, clock: SteppedClock, kafka: str, phones: FakeProvider
) -> None:
    here = host(await prepared(databases, (name,)), kafka, clock, phones.provider())
    try:
        (service,) = here.services
        assert set(service.handlers.topics) == set(command.LISTENERS[name])
    finally:
        await here.close()
