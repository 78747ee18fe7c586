"""A toy service on a real database and a real Kafka."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from keepwell.host.engine import Engine
from shared.bus import Handlers, bus_tables, publish
from shared.clock import SteppedClock
from shared.database import Database, Transaction
from shared.database.database_roles import prepare, service_url
from shared.database.history import History
from shared.events import PatientDischarged
from shared.ids import ClinicId
from shared.service import Service
from tests.support.bench import eventually
from tests.support.databases import PASSWORD, Databases

METADATA = MetaData(schema="toy")
BUS = bus_tables(METADATA, "toy")
CLINIC = ClinicId(uuid4())
Reaction = Callable[[Transaction, PatientDischarged], Awaitable[None]]


@dataclass
class Toy:
    """A service that says `patient.discharged` and listens to it."""

    database: Database
    clock: SteppedClock
    kafka: str
    heard: list[PatientDischarged] = field(default_factory=list)
    reaction: Reaction | None = None
    engine: Engine | None = None

    async def hear(self, tx: Transaction, event: PatientDischarged) -> None:
        """Note an event once its transaction has committed."""
        if self.reaction is not None:
            await self.reaction(tx, event)
        tx.after_commit(lambda: self.heard.append(event))

    def make_engine(self) -> Engine:
        """Build relay and consumer as a process does."""
        handlers = Handlers()
        handlers.on(PatientDischarged)(self.hear)
        service = Service("toy", self.database, History("toy", Path(), lambda: METADATA), handlers)
        self.engine = Engine([service], kafka=self.kafka, clock=self.clock, instance=None, stop_seconds=10)
        return self.engine

    async def say(self, patient: UUID, version: int = 1, **options: object) -> UUID:
        """Publish in a transaction of its own."""
        async with self.database.transaction() as tx:
            event = PatientDischarged(clinic=CLINIC, patient=patient, version=version)
            return await publish(tx, event, **options)  # type: ignore[arg-type]

    async def quiet(self) -> None:
        """Wait until nothing is on its way."""
        engine = self.engine
        assert engine is not None

        async def all_quiet() -> bool:
            return await engine.idle() and await engine.watch.quiet(engine.idle)

        await eventually(all_quiet, seconds=30)


@pytest.fixture
async def toy(databases: Databases, clock: SteppedClock, kafka: str) -> AsyncIterator[Toy]:
    """A toy service whose engine a test starts when it has prepared what it wants."""
    admin = await databases.empty()
    await prepare(admin, {"toy": PASSWORD})
    url = service_url(admin, "toy", PASSWORD)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()
    database = Database(url, schema="toy", clock=clock)
    toy = Toy(database, clock, kafka)
    yield toy
    if toy.engine is not None:
        await toy.engine.stop()
    await database.close()
