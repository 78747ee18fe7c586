"""What nothing can ask for again is forgotten, and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text

from services.notifier.history import HISTORY
from services.notifier.service import RETENTION
from services.notifier.tables import BUS, CALLBACKS, FORGERIES, IDEMPOTENCY
from shared.bus.retention import BATCH, Purge
from shared.clock import SteppedClock
from shared.database import Database
from shared.ids import new_id
from shared.settings import SettingsError, load
from tests.support.databases import Databases

KEEP = timedelta(days=90)
OLD, YOUNG = timedelta(days=91), timedelta(days=89)


@pytest.fixture
async def database(databases: Databases, clock: SteppedClock) -> AsyncIterator[Database]:
    made = await databases.fresh(HISTORY, clock)
    yield made
    await made.close()


async def fill(database: Database) -> None:
    """Write a row on each side of the horizon into each table."""
    async with database.transaction() as tx:
        for age in (OLD, YOUNG):
            at = tx.now - age
            # The server wrote these by its own clock, which in trial time is another one.
            inbox = text("INSERT INTO inbox (id, received_at) VALUES (:id, now() - CAST(:age AS interval))")
            await tx.execute(inbox.bindparams(id=new_id(), age=age))
            kept = at if age is OLD else tx.now  # answers are kept for less long than the rest
            await tx.execute(insert(IDEMPOTENCY).values(key=str(age), fingerprint="x", created_at=kept))
            row = {"sid": "SM1", "status": "sent", "fields": {}, "received_at": at}
            await tx.execute(insert(CALLBACKS).values(row))
            await tx.execute(insert(FORGERIES).values(path="/x", minute=at, count=1))


async def counts(database: Database) -> list[int]:
    async with database.reading() as reader:
        tables = (BUS.inbox, IDEMPOTENCY, CALLBACKS, FORGERIES)
        return [await reader.scalar(select(func.count()).select_from(table)) for table in tables]


async def test_what_is_older_than_the_horizon_goes_and_the_rest_stays(database: Database) -> None:
    await fill(database)
    gone = await Purge(database, RETENTION, KEEP).round()
    assert gone == {"inbox": 1, "idempotency": 1, "callbacks": 1, "forgeries": 1}
    assert await counts(database) == [1, 1, 1, 1]


async def test_a_second_round_finds_nothing(database: Database) -> None:
    await fill(database)
    await Purge(database, RETENTION, KEEP).round()
    assert set((await Purge(database, RETENTION, KEEP).round()).values()) == {0}


async def test_more_than_a_batch_goes_in_batches(database: Database) -> None:
    async with database.transaction() as tx:
        many = text(
            "INSERT INTO inbox (id, received_at)"
            " SELECT gen_random_uuid(), now() - interval '100 days' FROM generate_series(1, :count)"
        )
        await tx.execute(many.bindparams(count=2 * BATCH + 1))
    before = database.commits
    assert (await Purge(database, (), KEEP).round())["inbox"] == 2 * BATCH + 1
    assert database.commits - before == 3
    assert (await counts(database))[0] == 0


async def test_two_processes_do_not_delete_the_same_table_at_once(database: Database) -> None:
    await fill(database)
    purge = Purge(database, (), KEEP)
    async with database.transaction() as tx:
        held = text("SELECT pg_advisory_xact_lock(:space, hashtext('notifier.inbox'))")
        await tx.execute(held.bindparams(space=0x6B777067))
        assert (await purge.round())["inbox"] == 0
    assert (await purge.round())["inbox"] == 1


def test_a_horizon_below_the_topics_retention_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_KEEP_DAYS", "7")
    with pytest.raises(SettingsError, match="KEEPWELL_KEEP_DAYS is 7 but KEEPWELL_KAFKA_RETENTION_DAYS is 7"):
        load()
