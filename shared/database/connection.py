"""The one way into the database.

A `Reader` can only read and a `Transaction` can also write, so that a function's signature says what it does. Whoever
is given a transaction never ends it: `Database.transaction` commits when its block ends and rolls back when it raises.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import asyncpg
from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.database.address import async_url, engine_at

LOST_AFTER: Final = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""Seconds, and milliseconds at last, for the server: a process whose machine is gone without a word loses its locks
after 20 s at most, not after two hours, and others take over what it owned. The last is for a session that was just
answering: while an answer is not acknowledged nobody is probed, and it kept its locks for a quarter of an hour."""


class Refused(Exception):  # noqa: N818 - reads as what it says
    """What the server said to a statement that went through the driver: its first words, which hold nobody's values."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error.args[0] if error.args else ''}")
        self.sqlstate: str | None = getattr(error, "sqlstate", None)


class Reader:
    """A connection that reads; its statements see one instant of the clock."""

    def __init__(self, connection: AsyncConnection, *, schema: str, now: datetime) -> None:
        self._connection = connection
        self._driver: asyncpg.Connection | None = None
        self.schema = schema
        self.now = now

    async def one(self, statement: Executable) -> Row[Any]:
        """Return the only row; raises `NoResultFound` or `MultipleResultsFound` otherwise."""
        return (await self._connection.execute(statement)).one()

    async def one_or_none(self, statement: Executable, values: dict[str, Any] | None = None) -> Row[Any] | None:
        """Return the only row, or None where there is none; `values` are those of a statement that is built once."""
        return (await self._connection.execute(statement, values)).one_or_none()

    async def all(self, statement: Executable) -> Sequence[Row[Any]]:
        return (await self._connection.execute(statement)).all()

    async def scalar(self, statement: Executable) -> Any:
        """Return the first column of the first row, or None."""
        return (await self._connection.execute(statement)).scalar()

    async def fetch(self, statement: str, *values: object) -> Sequence[asyncpg.Record]:
        """Run a statement with `$1, $2, ...` through the driver itself, in this very transaction; return its rows.

        It costs a sixth of the processor that a built statement does, and is for what comes hundreds of times a second.
        Columns are named in it, never `*`: it stays prepared while a migration adds some.

        Raises:
            DBAPIError: as the other ways in do.
        """
        driver = self._driver or await self._begun()
        try:
            rows: Sequence[asyncpg.Record] = await driver.fetch(statement, *values)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            lost = driver.is_closed()
            if lost:
                await self._connection.invalidate()
            raise DBAPIError(
                statement, None, Refused(error), hide_parameters=True, connection_invalidated=lost
            ) from error
        return rows

    async def _begun(self) -> asyncpg.Connection:
        """Return the driver's connection in the transaction, which SQLAlchemy begins with its first statement only."""
        driver: asyncpg.Connection = (await self._connection.get_raw_connection()).driver_connection
        if not driver.is_in_transaction():
            await self._connection.exec_driver_sql("SELECT")
        self._driver = driver
        return driver


class Transaction(Reader):
    """A connection that writes; all of it is kept or nothing."""

    def __init__(self, connection: AsyncConnection, *, schema: str, now: datetime, database: "Database") -> None:
        super().__init__(connection, schema=schema, now=now)
        self.database = database
        self._after: dict[Callable[[], None], None] = {}

    async def execute(self, statement: Executable, values: Sequence[dict[str, Any]] | None = None) -> CursorResult[Any]:
        """Run a statement, once or for each of `values`."""
        result: CursorResult[Any] = await self._connection.execute(statement, values)
        return result

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once the commit has succeeded; the same callback is called once however often it was given."""
        self._after[callback] = None

    def committed(self) -> None:
        """Run the callbacks; for `Database` alone."""
        for callback in self._after:
            callback()


class Database:
    """One service's schema in PostgreSQL.

    Args:
        url: address with the service's own role.
        schema: the service's schema; also the name of its role's search path.
        clock: gives each transaction its instant.
        pool_size: connections kept.
        name: how it calls itself to the server; `keepwell.<schema>` where absent.

    Attributes:
        outbox_written: set when a transaction of this process has written to the outbox.
        commits: transactions of this process that were committed.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        schema: str,
        clock: Clock,
        pool_size: int = 8,
        overflow: int = 4,
        name: str | None = None,
    ) -> None:
        self.schema = schema
        self.clock = clock
        self.url = async_url(url)
        self.outbox_written = asyncio.Event()
        self.commits = 0
        self.engine: AsyncEngine = engine_at(
            self.url,
            pool_size=pool_size,
            max_overflow=overflow,
            # The one used last: its statements are prepared and planned. Loops keep three or four for themselves.
            pool_use_lifo=True,
            pool_timeout=30,
            pool_recycle=1800,
            # An error's message goes to logs and dead letters; the values of its statement are people's.
            hide_parameters=True,
            connect_args={
                "server_settings": {
                    "search_path": schema,
                    "application_name": name or f"keepwell.{schema}",
                    "jit": "off",
                    **LOST_AFTER,
                },
                "timeout": 10,
                "command_timeout": 60,
            },
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits when the block ends and rolls back when it raises."""
        async with self.engine.begin() as connection:
            tx = Transaction(connection, schema=self.schema, now=self.clock.now(), database=self)
            yield tx
        self.commits += 1
        tx.committed()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Open a connection that the server itself keeps from writing; the block sees one snapshot."""
        async with self.engine.connect() as connection:
            options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            connection = await connection.execution_options(**options)  # noqa: PLW2901 - the same connection, with options
            yield Reader(connection, schema=self.schema, now=self.clock.now())

    async def close(self) -> None:
        await self.engine.dispose()
