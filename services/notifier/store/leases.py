"""Whose attempt is this, and is its owner still alive?

A sender holds an advisory lock for as long as it lives; the lock goes with the connection, and the connection with the
process. So a lock that can be taken belongs to a dead sender, and an attempt of a live one is never taken over.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Database, Transaction

OWNERS: Final = 0x6B776E31
"""First half of the lock of a sender; the second half is its number."""
SETTLERS: Final = 0x6B776E32
"""First half of the lock of the one process that settles; the second half is what it settles."""
UNKNOWN, HELD, INBOUND = 0, 1, 2
CHECK: Final = 1.0
"""Real seconds between two looks at the connection that holds the lock."""
STANDBY: Final = 3.0
"""Real seconds between two tries to become the one that settles something."""
_TRY: Final = text("SELECT pg_try_advisory_lock(:space, :number)")
_ALIVE: Final = text("SELECT pg_try_advisory_xact_lock(:space, :number)")


@dataclass(frozen=True)
class Lease:
    """A sender's lock, held."""

    owner: int
    connection: AsyncConnection
    database: Database

    async def watch(self) -> None:
        """Return never; raise when the connection that holds the lock is lost, for then others think us dead."""
        still_held = await _still_held(self.connection)
        while True:
            await self.database.clock.pause(CHECK)
            await still_held()


@asynccontextmanager
async def leased(database: Database) -> AsyncIterator[Lease]:
    """Hold the lock of a new number while the block runs."""
    async with database.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        owner = secrets.randbits(31)
        while not (await connection.execute(_TRY, {"space": OWNERS, "number": owner})).scalar():
            owner = secrets.randbits(31)
        try:
            yield Lease(owner, connection, database)
        finally:
            # A pooled connection would keep the lock of a sender that is gone.
            await connection.invalidate()


async def is_dead(tx: Transaction, owner: int) -> bool:
    """Tell whether the sender of this number is gone; until the transaction ends it cannot come back."""
    return bool(await tx.scalar(_ALIVE.bindparams(space=OWNERS, number=owner)))


async def in_turn(database: Database, what: int, work: Callable[[], Awaitable[None]]) -> NoReturn:
    """Work while this process is the one that settles something, and wait for its turn while another is.

    Args:
        database: the service's.
        what: `UNKNOWN`, `HELD` or `INBOUND`.
        work: a round, with the pause after it; done again and again.
    """
    while True:
        async with _only_one(database, what) as still_held:
            while still_held is not None:
                await still_held()
                await work()
        await database.clock.pause(STANDBY)


@asynccontextmanager
async def _only_one(database: Database, what: int) -> AsyncIterator[Callable[[], Awaitable[None]] | None]:
    """Have this process alone settle something; give what raises once it may not, None where another one may."""
    async with database.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        try:
            chosen = (await connection.execute(_TRY, {"space": SETTLERS, "number": what})).scalar()
            yield await _still_held(connection) if chosen else None
        finally:
            await connection.invalidate()


async def _still_held(connection: AsyncConnection) -> Callable[[], Awaitable[None]]:
    """Return what raises where the connection, and with it its lock, is gone."""
    # By the driver itself, for a third of the processor: a process that has nothing to do asks it all day.
    driver: Any = (await connection.get_raw_connection()).driver_connection

    async def ask() -> None:
        await driver.execute("SELECT 1")

    return ask
