"""Claiming due outbox rows: one statement, straight through the driver.

The rows go by their place in the table (`ctid`), which saves the join that `seq IN (...)` needs. It stays right while
others write: the places come from rows that this statement has locked. A timer that was replaced in that very instant
has another place by then, which the statement's snapshot does not see; it is claimed in the next round, as one that was
written later.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import asyncpg

from shared.bus.envelope import encoded_headers
from shared.bus.producer import Record
from shared.bus.producer_spans import Carry

BATCH: Final = 2000
"""Rows that one transaction moves at most; it stays short where a relay has much to catch up with."""

_CLAIM: Final = f"""
    WITH gone AS (
        DELETE FROM outbox
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM outbox
            WHERE due_at <= $1 AND shard = ANY ($2::smallint[])
            ORDER BY due_at, seq
            LIMIT {BATCH}
            FOR UPDATE SKIP LOCKED))
        RETURNING seq, due_at, written_at, id, type, topic, key, trace, body)
    SELECT convert_to(id::text, 'UTF8') AS id, type, topic, convert_to(key, 'UTF8') AS key,
           convert_to(trace, 'UTF8') AS trace, convert_to(body, 'UTF8') AS body,
           CASE WHEN due_at = '-infinity' THEN written_at ELSE due_at END AS happened_at
    FROM gone
    ORDER BY gone.due_at, gone.seq
"""  # noqa: S608 - a constant of ours
"""DELETE ... RETURNING gives rows in no order, so the server sorts them: events at once first, then timers. It also
hands texts over as the bytes that Kafka wants."""


async def claim(
    driver: asyncpg.Connection, *, service: str, now: datetime, shards: Iterable[int], carry: Carry | None = None
) -> list[Record]:
    """Delete up to `BATCH` rows of these shards that are due and return their records, in order.

    Args:
        driver: the connection of the service's own role, in a transaction that the caller ends.
        service: whose events they are.
        now: what is due by then.
        shards: those that the caller owns.
        carry: begins the span of each record, where spans are recorded.
    """
    rows = await driver.fetch(_CLAIM, now, sorted(shards))
    return [
        Record(
            topic,
            key,
            body,
            encoded_headers(
                event_id=event_id,
                event_type=event_type,
                service=service,
                time=happened_at,
                subject=key,
                trace=trace if carry is None else carry(event_type, topic, trace),
            ),
        )
        for event_id, event_type, topic, key, trace, body, happened_at in rows
    ]
