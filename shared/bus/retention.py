"""Retention: forgetting what nothing can ask for again: ids of handled events, kept answers, reports of the provider.

An inbox must know an event for as long as it can come again: while its topic keeps it, and while a person may replay a
dead letter of it (`keepwell dead-letters replay` refuses older ones). `KEEPWELL_KEEP_DAYS` is longer than both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Table, text

from shared.bus.tables import tables_of
from shared.database import Database
from shared.telemetry.log import get_logger

log = get_logger(__name__)

EVERY: Final = 3600.0
"""Real seconds between two rounds."""
BATCH: Final = 5000
"""Rows that one transaction deletes at most."""
BREATH: Final = 0.1
"""Real seconds between two batches, so that work goes before."""
MOST: Final = 200
"""Batches of a table in one round: a table that was never cleaned takes some rounds."""
_LOCK: Final = 0x6B777067
"""First half of the lock of the one process that deletes a table's rows just now; the second is the table's name."""


@dataclass(frozen=True)
class Retention:
    """A table whose rows are forgotten.

    Attributes:
        column: when a row was written.
        by_server: whether PostgreSQL's clock wrote it, and not the process's, which differ in trial time.
        keep: for how long its rows are known; as long as those of the other tables where it is None.
    """

    table: Table
    column: str
    by_server: bool = False
    keep: timedelta | None = None


class Purge:
    """Deletes what is older than it has to be known.

    Args:
        database: a service's.
        tables: its own; the inbox is among them by itself.
        keep: for how long rows are known.
    """

    def __init__(self, database: Database, tables: Sequence[Retention], keep: timedelta) -> None:
        inbox = Retention(tables_of(database.schema).inbox, "received_at", by_server=True)
        self._database = database
        self._tables = (inbox, *tables)
        self._keep = keep

    async def run(self) -> None:
        """Delete until cancelled."""
        while True:
            await self.round()
            await self._database.clock.pause(EVERY)

    async def round(self) -> dict[str, int]:
        """Delete what is too old, a batch after the other, and return how many rows of each table went."""
        gone: dict[str, int] = {}
        for rule in self._tables:
            for _ in range(MOST):
                count = await self._batch(rule)
                gone[rule.table.name] = gone.get(rule.table.name, 0) + count
                if count < BATCH:
                    break
                await self._database.clock.pause(BREATH)
        if any(gone.values()):
            log.info("rows.forgotten", service=self._database.schema, **gone)
        return gone

    async def _batch(self, rule: Retention) -> int:
        """Delete up to a batch; nothing where another process is at it."""
        name, column = rule.table.name, rule.column
        now = "clock_timestamp()" if rule.by_server else "CAST(:now AS timestamptz)"
        lock = text("SELECT pg_try_advisory_xact_lock(:space, hashtext(:name))")
        old = text(
            f"DELETE FROM {name} WHERE ctid = ANY (ARRAY("  # noqa: S608 - names of our own tables
            f"SELECT ctid FROM {name} WHERE {column} < {now} - CAST(:keep AS interval) LIMIT {BATCH}))"
        )
        values = {"keep": rule.keep or self._keep} | ({} if rule.by_server else {"now": self._database.clock.now()})
        async with self._database.transaction() as tx:
            if not await tx.scalar(lock.bindparams(space=_LOCK, name=f"{self._database.schema}.{name}")):
                return 0
            return int((await tx.execute(old.bindparams(**values))).rowcount)
