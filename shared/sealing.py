"""Sealing what a version before kept in clear: in small batches, while its service goes on with its work.

No upgrade waits for it. It can be stopped anywhere and goes on from there: a row is sealed and emptied in one
statement. The log tells how far it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, TextClause, func, select, update

from shared.database import Database
from shared.protection import Keyring
from shared.telemetry.log import get_logger

log = get_logger(__name__)

EVERY: Final = 3600.0
"""Real seconds between two rounds: as long as older processes work, they may write in clear."""
BATCH: Final = 500
"""Rows that one transaction seals at most."""
BREATH: Final = 0.1
"""Real seconds between two batches, so that work goes before."""


@dataclass(frozen=True)
class InClear:
    """Rows that may hold words in clear.

    Attributes:
        where: which rows do.
        seal: the values that a row gets, by those that it has.
    """

    table: Table
    where: ColumnElement[bool] | TextClause
    seal: Callable[[Mapping[str, Any], Keyring], Mapping[str, object]]


class Sealing:
    """Seals what lies in clear in a service's tables."""

    def __init__(self, database: Database, keyring: Keyring, tables: Sequence[InClear]) -> None:
        self._database = database
        self._keyring = keyring
        self._tables = tables

    async def run(self) -> None:
        """Seal until cancelled."""
        while True:
            await self.round()
            await self._database.clock.pause(EVERY)

    async def round(self) -> dict[str, int]:
        """Seal all that lies in clear now, a batch after the other, and return how many rows of each table it was."""
        done: dict[str, int] = {}
        for kind in self._tables:
            name = kind.table.name
            while count := await self._batch(kind):
                done[name] = done.get(name, 0) + count
                log.info("rows.sealed", service=self._database.schema, table=name, done=done[name])
                await self._database.clock.pause(BREATH)
        return done

    async def left(self) -> int:
        """Return how many rows still lie in clear."""
        async with self._database.reading() as reader:
            counts = [
                await reader.scalar(select(func.count()).select_from(kind.table).where(kind.where))
                for kind in self._tables
            ]
        return sum(counts)

    async def _batch(self, kind: InClear) -> int:
        """Seal up to a batch; a row that somebody writes just now is left for the next one."""
        key = list(kind.table.primary_key)
        async with self._database.transaction() as tx:
            rows = await tx.all(select(kind.table).where(kind.where).limit(BATCH).with_for_update(skip_locked=True))
            for row in rows:
                held = row._mapping  # noqa: SLF001 - a row's public way to its columns by name
                this = [column == held[column] for column in key]
                await tx.execute(update(kind.table).where(*this).values(**kind.seal(dict(held), self._keyring)))
        return len(rows)
