"""A PostgreSQL for the tests: one cluster a run, a migrated template for each service, a fresh copy for each test."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.clock import Clock
from shared.database import Database
from shared.database.address import async_url
from shared.database.history import History
from shared.database.migrate import upgrade
from shared.database.roles import prepare, service_url
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
    engine = create_async_engine(async_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            await connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        await connection.execute(text("SELECT pg_reload_conf()"))
    await engine.dispose()


class Databases:
    """Makes databases for tests out of templates."""

    def __init__(self, url: str) -> None:
        self._url = async_url(url)
        self._templates: dict[str, str] = {}
        self._numbers = count(1)
        self._run = os.getpid()

    async def fresh(self, history: History, clock: Clock) -> Database:
        """Return a migrated, empty database of one service under its own role; the caller closes it."""
        name = await self.copy(history)
        url = service_url(self._url.set(database=name), history.service, PASSWORD)
        return Database(url, schema=history.service, clock=clock, pool_size=2, overflow=20)

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
        self._templates[history.service] = name
        return name

    async def _run_statement(self, statement: str) -> None:
        engine = create_async_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()
