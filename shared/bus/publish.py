"""Writing events and timers: one row, in the caller's transaction.

An event now and an event in the future are the same row. The caller locks the row of the patient (or of the aggregate)
first: that is what keeps one patient's events in order.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID
from zlib import crc32

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import Insert, insert

from shared.bus.tables import SHARDS, tables_of
from shared.database import Transaction
from shared.events import Event
from shared.ids import new_id
from shared.telemetry import trace


def shard_of(key: UUID) -> int:
    """Return the shard of a key; the same in every process and version."""
    return crc32(key.bytes) % SHARDS


@dataclass(frozen=True)
class Timer:
    """An event of the future: when it fires, and the name under which it can be replaced or cancelled."""

    name: str
    at: datetime
    event: Event


async def publish(
    tx: Transaction,
    event: Event,
    *,
    at: datetime | None = None,
    timer: str | None = None,
    event_id: UUID | None = None,
    ends: str | None = None,
) -> UUID:
    """Write an event to the outbox, to be sent when the transaction commits or, with `at`, when that instant comes.

    Args:
        tx: the caller's transaction; if it rolls back, nothing was said.
        event: the fact.
        at: when it fires; at once where absent.
        timer: a name under which the row can be replaced or cancelled while it waits. A pending row of that name is
            replaced.
        event_id: for an event whose cause has an id (a provider's callback); a new one otherwise.
        ends: the name of a timer that is cancelled by what has happened, in the same statement.

    Returns:
        the event's id.
    """
    row = _row(tx, event, event_id or new_id())
    values = (at, tx.now, timer, *(row[name] for name, _ in _EACH))
    await (tx.fetch(_PUBLISH, *values) if ends is None else tx.fetch(_END_AND_PUBLISH, *values, ends))
    tx.after_commit(tx.database.outbox_written.set)
    chosen: UUID = row["id"]
    return chosen


async def publish_all(tx: Transaction, events: Sequence[tuple[Event, UUID, str | None]]) -> None:
    """Write several events in one statement, to be sent in this order when the transaction commits.

    Args:
        tx: the caller's transaction.
        events: each with its id, and with the traceparent that it goes on with where that is not the task's own.
    """
    if not events:
        return
    rows = [_row(tx, event, event_id, traceparent) for event, event_id, traceparent in events]
    await tx.execute(_PUBLISH_ALL.bindparams(now=tx.now, **_columns(rows)))
    tx.after_commit(tx.database.outbox_written.set)


async def publish_timers(tx: Transaction, timers: Sequence[Timer]) -> None:
    """Write several timers at once; each replaces a pending one of its name."""
    if not timers:
        return
    rows = [_row(tx, each.event, new_id()) | {"timer": each.name, "due_at": each.at} for each in timers]
    await tx.execute(_timers(tx.schema), rows)
    tx.after_commit(tx.database.outbox_written.set)


def _row(tx: Transaction, event: Event, event_id: UUID, traceparent: str | None = None) -> dict[str, Any]:
    return {
        "shard": shard_of(event.key),
        "written_at": tx.now,
        "id": event_id,
        "type": event.TYPE,
        "topic": str(event.TOPIC),
        "key": str(event.key),
        "trace": traceparent or trace.current(),
        "body": event.model_dump_json(),
    }


_EACH: Final = (
    ("shard", "smallint"),
    ("id", "uuid"),
    ("type", "text"),
    ("topic", "text"),
    ("key", "text"),
    ("trace", "text"),
    ("body", "text"),
)
"""What differs from one event of a transaction to the next, with its type."""

_PLACES: Final = ", ".join(f"${place}" for place, _ in enumerate(_EACH, 4))
_PUBLISH: Final = f"""
    INSERT INTO outbox (due_at, written_at, timer, {", ".join(name for name, _ in _EACH)})
    VALUES (coalesce($1::timestamptz, '-infinity'), $2, $3, {_PLACES})
    ON CONFLICT (timer) DO UPDATE SET due_at = excluded.due_at, written_at = excluded.written_at,
        {", ".join(f"{name} = excluded.{name}" for name, _ in _EACH)}
"""  # noqa: S608 - constants of ours
_END_AND_PUBLISH: Final = f"WITH ended AS (DELETE FROM outbox WHERE timer = $11) {_PUBLISH}"  # noqa: S608 - the same
"""By the whole name: a timer's beginning (`LIKE $11`) is looked up by index in a plan for that one value alone."""

_PUBLISH_ALL: Final = text(
    f"""
    INSERT INTO outbox (due_at, written_at, {", ".join(name for name, _ in _EACH)})
    SELECT '-infinity', :now, {", ".join(f"c.{name}" for name, _ in _EACH)}
    FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _EACH)})
         WITH ORDINALITY AS c ({", ".join(name for name, _ in _EACH)}, place)
    ORDER BY c.place
    """  # noqa: S608 - constants of ours
)
"""A parameter for each column and none for each event. The order of the array is that of `seq`, and so of sending."""


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name, _ in _EACH}


@cache
def _timers(schema: str) -> Insert:
    statement = insert(tables_of(schema).outbox)
    replaced = {
        column.name: statement.excluded[column.name]
        for column in statement.table.columns
        if column.name not in {"seq", "timer"}
    }
    return statement.on_conflict_do_update(index_elements=[statement.table.c.timer], set_=replaced)


async def cancel_timers(tx: Transaction, prefix: str, *, after: datetime | None = None) -> int:
    """Delete the pending timers whose name starts with `prefix`; return how many were still pending.

    A timer that a relay is just firing is waited for; it then counts as fired.

    Args:
        tx: the caller's transaction.
        prefix: how their names begin.
        after: leave those alone that were due at this instant or before it, and have not fired yet.
    """
    outbox = tables_of(tx.schema).outbox
    named = outbox.c.timer.startswith(prefix, autoescape=True)
    result = await tx.execute(delete(outbox).where(named if after is None else named & (outbox.c.due_at > after)))
    tx.after_commit(tx.database.outbox_written.set)
    return int(result.rowcount)


async def cancel_named(tx: Transaction, names: Collection[str]) -> int:
    """Delete the pending timers of exactly these names; return how many were still pending."""
    if not names:
        return 0
    outbox = tables_of(tx.schema).outbox
    result = await tx.execute(delete(outbox).where(outbox.c.timer.in_(names)))
    tx.after_commit(tx.database.outbox_written.set)
    return int(result.rowcount)


async def pending_timers(tx: Transaction, prefix: str) -> dict[str, datetime]:
    """Return the instants of the pending timers whose name starts with `prefix`, by name."""
    outbox = tables_of(tx.schema).outbox
    wanted = select(outbox.c.timer, outbox.c.due_at).where(outbox.c.timer.startswith(prefix, autoescape=True))
    return {row.timer: row.due_at for row in await tx.all(wanted)}
