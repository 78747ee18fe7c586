"""The notifier's gauges, taken from its tables by index."""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from services.notifier.metrics import FOR_A_PERSON, OVERDUE, UNKNOWN, UNKNOWN_AGE
from shared.database import Reader

_FIGURES: Final = text(
    """
    SELECT (SELECT min(next_at) FROM messages WHERE state = 'planned') AS next_at,
           (SELECT count(*) FROM attempts WHERE state = 'unknown') AS unknown,
           (SELECT min(started_at) FROM attempts WHERE state = 'unknown') AS oldest_unknown,
           (SELECT count(*) FROM messages AS m JOIN holds AS h ON h.message = m.id
            WHERE m.state = 'held' AND h.look_at IS NULL AND h.cleared_at IS NULL) AS persons
    """
)


async def measure(reader: Reader) -> None:
    """Set the gauges."""
    row = await reader.one(_FIGURES)
    OVERDUE.set(_since(row.next_at, reader.now))
    FOR_A_PERSON.set(row.persons)
    UNKNOWN.set(row.unknown)
    UNKNOWN_AGE.set(_since(row.oldest_unknown, reader.now))


def _since(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max(0.0, (now - instant).total_seconds())
