"""Statements that go straight through the driver are held to what holds for all others."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.bus.outage import is_outage
from shared.database import Database

INSERT = "INSERT INTO inbox (id) VALUES ($1)"


async def kept(database: Database) -> int:
    async with database.reading() as reader:
        return int((await reader.fetch("SELECT count(*) FROM inbox"))[0]["count"])


async def test_a_first_statement_is_rolled_back_with_its_transaction(database: Database) -> None:
    async def fails() -> None:
        async with database.transaction() as tx:
            await tx.fetch(INSERT, uuid4())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await kept(database) == 0


async def test_both_ways_see_what_the_other_wrote_and_commit_together(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.fetch(INSERT, uuid4())
        await tx.execute(text("INSERT INTO inbox (id) VALUES (gen_random_uuid())"))
        assert (await tx.fetch("SELECT count(*) FROM inbox"))[0]["count"] == 2
        assert await kept(database) == 0
    assert await kept(database) == 2


async def test_the_server_keeps_a_reader_from_writing_here_too(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only") as refused:
        async with database.reading() as reader:
            await reader.fetch(INSERT, uuid4())
    assert is_outage(refused.value), "a standby says the same"


async def test_a_refused_statement_is_no_environment_and_names_no_values(database: Database) -> None:
    twice = uuid4()

    async def insert() -> None:
        async with database.transaction() as tx:
            await tx.fetch(INSERT, twice)
            await tx.fetch(INSERT, twice)

    with pytest.raises(DBAPIError) as refused:
        await insert()
    assert not is_outage(refused.value)
    assert str(twice) not in str(refused.value)
    assert await kept(database) == 0


async def test_a_lost_connection_is_the_environment_and_the_next_transaction_has_another(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as tx, asyncio.timeout(10):
            await tx.fetch(INSERT, uuid4())
            (own,) = await tx.fetch("SELECT pg_backend_pid() AS pid")
            async with database.transaction() as other:
                await other.fetch("SELECT pg_terminate_backend($1)", own["pid"])
            while True:
                await tx.fetch("SELECT")

    with pytest.raises(DBAPIError) as lost:
        await work()
    assert is_outage(lost.value)
    assert await kept(database) == 0
    async with database.transaction() as tx:
        await tx.fetch(INSERT, uuid4())
    assert await kept(database) == 1
