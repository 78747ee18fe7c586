"""Each service's schema: as its code needs it, and closed to every other service."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from keepwell.host import registry
from shared.clock import SteppedClock
from shared.database import Database
from shared.database.database_roles import prepare, service_url
from shared.database.history import History
from shared.database.migrate import drift, upgrade
from shared.settings import SERVICES
from tests.support.databases import PASSWORD, Databases

HISTORIES = registry.histories()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.service)
async def test_the_migrations_lead_to_the_tables_of_the_code(
    databases: Databases, clock: SteppedClock, history: History
) -> None:
    database = await databases.fresh(history, clock)
    assert await drift(database.url, history) == []
    await database.close()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.service)
async def test_migrating_twice_changes_nothing(databases: Databases, clock: SteppedClock, history: History) -> None:
    database = await databases.fresh(history, clock)
    await upgrade(database.url, history)
    assert await drift(database.url, history) == []
    await database.close()


async def test_a_drift_is_found(databases: Databases, clock: SteppedClock) -> None:
    history = HISTORIES[0]
    database = await databases.fresh(history, clock)
    async with database.transaction() as tx:
        await tx.execute(text(f"ALTER TABLE {history.service}.inbox ADD COLUMN surprise text"))
    (found,) = await drift(database.url, history)
    assert "surprise" in found
    await database.close()


async def test_a_role_can_read_no_other_schema(databases: Databases) -> None:
    admin = await databases.empty()
    await prepare(admin, dict.fromkeys(SERVICES, PASSWORD))
    for history in HISTORIES:
        await upgrade(service_url(admin, history.service, PASSWORD), history)
    for reader in SERVICES:
        engine = create_async_engine(service_url(admin, reader, PASSWORD))
        for owner in SERVICES:
            async with engine.connect() as connection:
                statement = text(f"SELECT count(*) FROM {owner}.outbox")
                if owner == reader:
                    assert (await connection.execute(statement)).scalar_one() == 0
                else:
                    with pytest.raises(ProgrammingError, match="permission denied for schema"):
                        await connection.execute(statement)
        await engine.dispose()


async def test_preparing_again_repairs_a_lost_password(databases: Databases) -> None:
    admin = await databases.empty()
    await prepare(admin, {"clinic": PASSWORD})
    await prepare(admin, {"clinic": "another"})
    engine = create_async_engine(service_url(admin, "clinic", "another"))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT current_user"))).scalar_one() == "keepwell_clinic"
    await engine.dispose()
    await prepare(admin, {"clinic": PASSWORD})


async def test_a_role_that_cannot_be_made_does_not_show_its_password(databases: Databases) -> None:
    admin = await databases.empty()
    await prepare(admin, {"clinic": PASSWORD})
    with pytest.raises(DBAPIError) as failed:
        await prepare(service_url(admin, "clinic", PASSWORD), {"scheduler": "very-secret-word"})
    assert "very-secret-word" not in str(failed.value)


async def test_a_reader_cannot_write(databases: Databases, clock: SteppedClock) -> None:
    database: Database = await databases.fresh(HISTORIES[0], clock)
    async with database.reading() as reader:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await reader.all(text(f"DELETE FROM {database.schema}.inbox"))
    await database.close()


async def test_a_block_that_raises_keeps_nothing_and_calls_nobody(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORIES[0], clock)
    called: list[str] = []

    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute(text(f"INSERT INTO {database.schema}.inbox (id) VALUES (gen_random_uuid())"))
            tx.after_commit(lambda: called.append("committed"))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail()
    async with database.reading() as reader:
        assert await reader.scalar(text(f"SELECT count(*) FROM {database.schema}.inbox")) == 0
    assert called == []
    await database.close()
