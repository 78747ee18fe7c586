"""Writing events and timers: one row, in the caller's transaction.

An event now and an event in the future are the same row. The caller locks the row of the patient (or of the aggregate)
first: that is what keeps one patient's events in order.
"""

from datetime import datetime
from uuid import UUID
from zlib import crc32

from sqlalchemy import delete, literal, select
from sqlalchemy.dialects.postgresql import insert

from shared.bus.tables import AT_ONCE, SHARDS, tables_of
from shared.database import Transaction
from shared.events import Event
from shared.ids import new_id
from shared.telemetry import trace


def shard_of(key: UUID) -> int:
    """Return the shard of a key; the same in every process and version."""
    return crc32(key.bytes) % SHARDS


async def publish(
    tx: Transaction,
    event: Event,
    *,
    at: datetime | None = None,
    timer: str | None = None,
    event_id: UUID | None = None,
) -> UUID:
    """Write an event to the outbox, to be sent when the transaction commits or, with `at`, when that instant comes.

    Args:
        tx: the caller's transaction; if it rolls back, nothing was said.
        event: the fact.
        at: when it fires; at once where absent.
        timer: a name under which the row can be replaced or cancelled while it waits. A pending row of that name is
            replaced.
        event_id: for an event whose cause has an id (a provider's callback); a new one otherwise.

    Returns:
        the event's id.
    """
    outbox = tables_of(tx.schema).outbox
    chosen = event_id or new_id()
    row = {
        "shard": shard_of(event.key),
        "due_at": AT_ONCE if at is None else literal(at),
        "written_at": tx.now,
        "timer": timer,
        "id": chosen,
        "type": event.TYPE,
        "topic": str(event.TOPIC),
        "key": str(event.key),
        "trace": trace.current(),
        "body": event.model_dump_json(),
    }
    statement = insert(outbox).values(row)
    if timer is not None:
        replaced = {name: statement.excluded[name] for name in row if name != "timer"}
        statement = statement.on_conflict_do_update(index_elements=[outbox.c.timer], set_=replaced)
    await tx.execute(statement)
    tx.after_commit(tx.database.outbox_written.set)
    return chosen


async def cancel_timers(tx: Transaction, prefix: str) -> int:
    """Delete the pending timers whose name starts with `prefix`; return how many were still pending.

    A timer that a relay is just firing is waited for; it then counts as fired.
    """
    outbox = tables_of(tx.schema).outbox
    result = await tx.execute(delete(outbox).where(outbox.c.timer.startswith(prefix, autoescape=True)))
    tx.after_commit(tx.database.outbox_written.set)
    return int(result.rowcount)


async def pending_timers(tx: Transaction, prefix: str) -> dict[str, datetime]:
    """Return the instants of the pending timers whose name starts with `prefix`, by name."""
    outbox = tables_of(tx.schema).outbox
    wanted = select(outbox.c.timer, outbox.c.due_at).where(outbox.c.timer.startswith(prefix, autoescape=True))
    return {row.timer: row.due_at for row in await tx.all(wanted)}
