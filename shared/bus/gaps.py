"""Records that were gone before a service had read them: what they said is not known here, and told as such.

Kafka keeps records for a time. A group that was away for longer, or whose records somebody deleted, goes on at the
oldest that is left, without a word. Every such jump is written down in the service's schema and stays open until the
owners of the facts have told them anew (`keepwell retell`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.bus.tables import tables_of
from shared.database import Reader, Transaction
from shared.telemetry.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class Gap:
    """Offsets of a partition, from `first` up to before `until`, that a group was to read and never will."""

    topic: str
    partition: int
    first: int
    until: int


@dataclass(frozen=True)
class Lost:
    """What is missing of a topic: how many records, and when the first of these gaps was found."""

    topic: str
    records: int
    since: datetime


@dataclass(frozen=True)
class ReadPosition:
    """Where a group stands in a partition.

    Attributes:
        committed: the offset it goes on from; None where Kafka knows none, for it forgets a group that was long away.
        noted: the same as this service noted it itself the last time.
        oldest: of the records that are left.
    """

    committed: int | None
    noted: int | None
    oldest: int

    def gap(self) -> tuple[int, int] | None:
        """Return the offsets that are gone; None where nothing is, or where the group has never read."""
        expected = self.noted if self.committed is None else self.committed
        return None if expected is None or expected >= self.oldest else (expected, self.oldest)


async def note(tx: Transaction, gaps: Sequence[Gap]) -> None:
    """Write gaps down and say so; one that is known is not told again."""
    table = tables_of(tx.schema).gaps
    for gap in gaps:
        known = {"topic": gap.topic, "partition": gap.partition, "first": gap.first, "until": gap.until}
        statement = insert(table).values(**known, found_at=tx.now)
        # The same beginning once more, and further: nothing was read there, and meanwhile more has gone.
        more = {"until": statement.excluded.until, "found_at": tx.now, "closed_at": None}
        wider = table.c.until < statement.excluded.until
        written = await tx.execute(
            statement.on_conflict_do_update(constraint="gaps_once", set_=more, where=wider).returning(table.c.id)
        )
        if written.first() is not None:
            log.error("events.lost", service=tx.schema, count=gap.until - gap.first, **known)


async def remember(tx: Transaction, positions: Mapping[tuple[str, int], int]) -> None:
    """Note how far a service has read each partition; never backwards."""
    rows = [(topic, partition, at) for (topic, partition), at in positions.items()]
    await tx.execute(
        _REMEMBER.bindparams(
            topics=[row[0] for row in rows], partitions=[row[1] for row in rows], offsets=[row[2] for row in rows]
        )
    )


_REMEMBER: Final = text(
    """
    INSERT INTO positions AS p (topic, partition, at)
    SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]))
    ON CONFLICT (topic, partition) DO UPDATE SET at = excluded.at WHERE p.at < excluded.at
    """
)


async def remembered(reader: Reader) -> dict[tuple[str, int], int]:
    """Return how far a service had read each partition when it last noted that."""
    return {(row.topic, row.partition): row.at for row in await reader.all(select(tables_of(reader.schema).positions))}


async def lost(reader: Reader) -> list[Lost]:
    """Return what is missing and was not told anew, by topic."""
    table = tables_of(reader.schema).gaps
    count, since = func.sum(table.c.until - table.c.first), func.min(table.c.found_at)
    found = select(table.c.topic, count.label("records"), since.label("since")).where(table.c.closed_at.is_(None))
    rows = await reader.all(found.group_by(table.c.topic).order_by(table.c.topic))
    return [Lost(row.topic, int(row.records), row.since) for row in rows]


async def open_gaps(reader: Reader) -> list[int]:
    table = tables_of(reader.schema).gaps
    return [row.id for row in await reader.all(select(table.c.id).where(table.c.closed_at.is_(None)))]


async def close(tx: Transaction, ids: Iterable[int]) -> None:
    """Write that what gaps held was told anew."""
    table = tables_of(tx.schema).gaps
    await tx.execute(update(table).where(table.c.id.in_(list(ids))).values(closed_at=tx.now))
