"""Outboxes with millions of timers, made in the database itself."""

from datetime import datetime, timedelta

import asyncpg

BODY = """
    '{"clinic":"6f0c1f6e-7f2b-4c8e-9d3a-2b1d5c7e9f00","version":3,"patient":"' || k.key
    || '","session":"' || k.key || '","occurrence":"1d","starts_at":"2026-12-01T10:00","zone":"America/New_York",'
    || '"starts_at_utc":"2026-12-01T15:00:00Z","minutes":90}'
"""
TRACE = "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"

_FILL = f"""
    INSERT INTO scheduler.outbox (shard, due_at, written_at, timer, id, type, topic, key, trace, body)
    SELECT i % 8, $1::timestamptz + i * $2::interval, now(),
           'patient/' || k.key || '/session/' || k.key || '/' || $3::text, gen_random_uuid(),
           'session.due', 'keepwell.scheduling', k.key, {TRACE}, {BODY}
    FROM generate_series($4::bigint, $5::bigint) AS i,
         LATERAL (SELECT lpad(to_hex(i), 32, '0')::uuid::text AS key) AS k
"""  # noqa: S608 - constants of ours

PART = 500_000


async def fill_pending(sql: asyncpg.Connection, count: int, *, first: datetime) -> None:
    """Add timers that are not due for a long time, a tenth of a second apart; then let the planner know."""
    for begin in range(0, count, PART):
        last = min(begin + PART, count) - 1
        await sql.execute(_FILL, first, timedelta(seconds=0.1), "later", begin, last)
    await sql.execute("VACUUM (ANALYZE) scheduler.outbox")
    await sql.execute("CHECKPOINT")


async def fill_due(sql: asyncpg.Connection, count: int, *, at: datetime, name: str) -> None:
    """Add timers that all fall due at one instant, as the reminders of a morning do; patients come several times."""
    await sql.execute(_FILL, at, timedelta(0), name, 0, count - 1)


async def take_back(sql: asyncpg.Connection, name: str) -> None:
    """Remove timers again."""
    await sql.execute("DELETE FROM scheduler.outbox WHERE timer LIKE '%/' || $1", name)
