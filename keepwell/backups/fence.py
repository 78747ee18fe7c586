"""One instant of all schemas and of Kafka together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from keepwell.backups.errors import BackupError
from keepwell.backups.streams import Flow, Stream
from shared.clock import RealClock
from shared.database.address import engine_at
from shared.settings import SERVICES

LOCK: Final = text(f"LOCK TABLE {', '.join(f'{name}.outbox' for name in SERVICES)} IN SHARE MODE")
TRIES: Final = 20
PAUSE: Final = 0.5
_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True)
class Cut:
    """An instant.

    Attributes:
        snapshot: PostgreSQL's name of it, for `pg_dump --snapshot`.
        at: by PostgreSQL's clock.
        server: PostgreSQL's major version.
        flow: Kafka's offsets.
    """

    snapshot: str
    at: datetime
    server: int
    flow: Flow


@asynccontextmanager
async def cut(admin: URL, stream: Stream) -> AsyncIterator[Cut]:
    """Hold one snapshot of every schema while the block runs, with the offsets that belong to it.

    A relay publishes and deletes in one transaction, so at an instant at which nobody writes to any outbox, each event
    stands either in an outbox or in Kafka. All outboxes are locked for that instant, some milliseconds long, in which
    the snapshot is taken and Kafka's ends are read. What groups have handled is read before: less than the snapshot
    knows is harmless, for inboxes know a repeat.
    """
    engine = engine_at(
        admin, poolclass=NullPool, connect_args={"server_settings": {"application_name": "keepwell backup"}}
    )
    try:
        cluster, handled = await stream.cluster(), await stream.handled()
        async with engine.connect() as raw:
            connection = await raw.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            ends, row = await _at_rest(engine, connection, stream)
            yield Cut(row.snapshot, row.at, int(row.server) // 10_000, Flow(cluster, handled, ends))
    finally:
        await engine.dispose()


async def _at_rest(engine: AsyncEngine, snapshots: Any, stream: Stream) -> tuple[Any, Any]:
    """Take the snapshot and read the ends of topics while nobody writes to an outbox."""
    for _ in range(TRIES):
        try:
            async with engine.begin() as fence:
                await fence.execute(text("SET LOCAL lock_timeout = '1s'"))
                await fence.execute(LOCK)
                taken = await snapshots.execute(
                    text(
                        "SELECT pg_export_snapshot() AS snapshot, clock_timestamp() AS at,"
                        " current_setting('server_version_num') AS server"
                    )
                )
                return await stream.ends(), taken.one()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            await RealClock().pause(PAUSE)
    raise BackupError(
        f"The outboxes were never at rest in {TRIES} tries: a relay waits for Kafka. "
        "See `keepwell doctor`, then try again."
    )
