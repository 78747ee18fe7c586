"""A PostgreSQL for the tests: one cluster a run, a template for each service, an empty migrated database for a test."""

import os
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.database import Database
from shared.database.address import async_url
from shared.database.database_roles import prepare, service_url
from shared.database.history import History
from shared.database.migrate import upgrade
from shared.embedded.postgres import postgres

PASSWORD = "for-tests-only"


@asynccontextmanager
async def cluster() -> AsyncIterator[str]:
    """Give the address of a PostgreSQL: the one named by TEST_DATABASE_URL (no setting of Keepwell's), or our own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="kwt", dir="/tmp") as place:
        async with postgres(Path(place)) as address:
            await _hurry(str(address.url))
            yield str(address.url)
            # What is thrown away need not be written down first.
            await address.server.kill()


async def _hurry(url: str) -> None:
    """Let the server trust the machine not to lose power: these tests lose nothing with it."""
    async with connected(async_url(url)) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {name} = off")
        await connection.execute("SELECT pg_reload_conf()")


@asynccontextmanager
async def connected(url: URL) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection whose statements are each a transaction of their own."""
    address = url.set(drivername="postgresql")
    connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()


WIPE = """
SELECT coalesce(string_agg(format('DELETE FROM %I.%I', schemaname, tablename), '; '), '') FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> ALL ($1)
UNION ALL
SELECT coalesce(string_agg(format('ALTER SEQUENCE %I.%I RESTART', schemaname, sequencename), '; '), '')
FROM pg_sequences WHERE last_value IS NOT NULL
"""
"""What empties every table but those that a migration filled, and has every sequence begin anew."""
OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def own_url(admin: str, service: str) -> str:
    """Return the address of a service's own role on the database of an address that may make roles."""
    return service_url(admin, service, PASSWORD).set(drivername="postgresql").render_as_string(hide_password=False)


class Databases:
    """Makes databases for tests out of templates.

    To copy a template takes 0.15 s of processor and leaves 300 files behind, to empty a database hardly a tenth: those
    whose tables a test does not change are lent again, with their engine, which has compiled the service's statements.
    """

    def __init__(self, url: str) -> None:
        self._url = async_url(url)
        self._templates: dict[str, str] = {}
        self._filled: dict[str, list[str]] = {}
        self._free: dict[str, list[str]] = defaultdict(list)
        self._engines: dict[str, AsyncEngine] = {}
        self._numbers = count(1)
        self._run = os.getpid()

    async def fresh(self, history: History, clock: Clock) -> Database:
        """Return a migrated, empty database of one service under its own role; the caller closes it."""
        return self._opened(await self.copy(history), history, clock)

    @asynccontextmanager
    async def lent(self, history: History, clock: Clock) -> AsyncIterator[Database]:
        """Give a migrated, empty database of one service; others get it next, so none of its tables may be altered."""
        free = self._free[history.service]
        name = free.pop() if free else await self.copy(history)
        database = self._opened(name, history, clock)
        database.engine = self._engines.setdefault(name, database.engine)
        try:
            yield database
        finally:
            await database.close()
        await self._wipe(name, history)
        free.append(name)

    def _opened(self, name: str, history: History, clock: Clock) -> Database:
        url = service_url(self._url.set(database=name), history.service, PASSWORD)
        return Database(url, schema=history.service, clock=clock, pool_size=2, overflow=20)

    async def _wipe(self, name: str, history: History) -> None:
        async with connected(self._url.set(database=name)) as connection:
            await connection.execute(OTHERS)
            statements = await connection.fetch(WIPE, self._filled[history.service])
            # No trigger: what keeps people from changing the trail is no help here.
            await connection.execute(
                "; ".join(["SET session_replication_role = replica", *(row[0] for row in statements if row[0])])
            )

    async def empty(self) -> str:
        """Return the admin address of a new, empty database."""
        name = f"empty_{self._run}_{next(self._numbers)}"
        await self._run_statement(f"CREATE DATABASE {name}")
        return self._url.set(database=name).render_as_string(hide_password=False)

    async def copy(self, history: History) -> str:
        """Return the name of a new copy of a service's migrated template."""
        template = self._templates.get(history.service) or await self._template(history)
        name = f"test_{self._run}_{next(self._numbers)}"
        await self._run_statement(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    async def _template(self, history: History) -> str:
        name = f"template_{history.service}_{self._run}"
        await self._run_statement(f"CREATE DATABASE {name}")
        admin = self._url.set(database=name)
        await prepare(admin, {history.service: PASSWORD})
        await upgrade(service_url(admin, history.service, PASSWORD), history)
        async with connected(self._url.set(database=name)) as connection:
            tables = await connection.fetch(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = $1", history.service
            )
            self._filled[history.service] = [
                table
                for schema, table in tables
                if await connection.fetchval(f'SELECT true FROM "{schema}"."{table}" LIMIT 1')
            ]
        self._templates[history.service] = name
        return name

    async def _run_statement(self, statement: str) -> None:
        async with connected(self._url) as connection:
            await connection.execute(statement)
