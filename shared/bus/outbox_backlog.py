"""What waits in an outbox just now, at the price of three looks into its index."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from shared.database import Reader

MOST_ROWS: Final = 10_000
"""Up to here due rows are counted: more is known to be too many, and counting must not add to the load."""

_BACKLOG: Final = text(
    f"""
    SELECT (SELECT due_at FROM outbox
            WHERE due_at > '-infinity' AND due_at <= :now ORDER BY due_at LIMIT 1) AS timer,
           (SELECT written_at FROM outbox WHERE due_at = '-infinity' ORDER BY seq LIMIT 1) AS event,
           (SELECT count(*) FROM (SELECT FROM outbox WHERE due_at <= :now LIMIT {MOST_ROWS}) AS due) AS rows
    """  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class OutboxBacklog:
    """What waits in an outbox.

    Attributes:
        timer_overdue: seconds, by the clock, since the oldest timer fell due that has not fired; zero where there is
            none.
        event_age: seconds since the oldest event was written that is no timer and has not been sent.
        rows: how many are due, up to `MOST_ROWS`.
    """

    timer_overdue: float
    event_age: float
    rows: int

    @property
    def age(self) -> float:
        """Return how long the oldest row that is due has waited, timer or not."""
        return max(self.timer_overdue, self.event_age)


async def outbox_backlog(reader: Reader) -> OutboxBacklog:
    """Return what waits in the outbox of the reader's schema."""
    row = await reader.one(_BACKLOG.bindparams(now=reader.now))
    return OutboxBacklog(_since(row.timer, reader.now), _since(row.event, reader.now), int(row.rows))


def _since(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max(0.0, (now - instant).total_seconds())
