"""The assessments service's gauges, taken from its tables by index.

The states are written out: an index of some states is used only where the statement itself names them.
"""

from typing import Final

from sqlalchemy import text

from services.assessments.metrics import OPEN, OVERDUE, UNACKNOWLEDGED, UNACKNOWLEDGED_AGE, UNREACHED, WITHOUT_LINK
from shared.database import Reader

_ALERTS: Final = text(
    """
    SELECT count(*) AS open, min(raised_at) AS oldest,
           count(*) FILTER (WHERE NOT EXISTS (
               SELECT FROM pages AS p WHERE p.alert = a.id AND p.state IN ('sent', 'delivered'))) AS unreached
    FROM alerts AS a WHERE a.state = 'open'
    """
)
_CHECKINS: Final = text(
    """
    SELECT count(*) AS open, count(*) FILTER (WHERE expires_at <= :now) AS overdue,
           count(*) FILTER (WHERE text_state IN ('failed', 'withheld')) AS without_link
    FROM checkins WHERE state IN ('open', 'partial')
    """
)


async def measure(reader: Reader) -> None:
    """Set the gauges."""
    alerts = await reader.one(_ALERTS)
    UNACKNOWLEDGED.set(alerts.open)
    UNACKNOWLEDGED_AGE.set(0 if alerts.oldest is None else max(0.0, (reader.now - alerts.oldest).total_seconds()))
    UNREACHED.set(alerts.unreached)
    checkins = await reader.one(_CHECKINS.bindparams(now=reader.now))
    OPEN.set(checkins.open)
    OVERDUE.set(checkins.overdue)
    WITHOUT_LINK.set(checkins.without_link)
