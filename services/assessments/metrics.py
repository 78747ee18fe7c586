"""What the assessments service shows of its tables: how many, never whose, never how somebody is."""

from typing import Final

from shared.telemetry.metrics import Tells, gauge

UNACKNOWLEDGED: Final = gauge("alerts_unacknowledged", "Safety alerts that nobody has acknowledged.", tells=Tells.WHOLE)
UNACKNOWLEDGED_AGE: Final = gauge(
    "alert_unacknowledged_oldest_seconds", "Time since the oldest unacknowledged alert was raised.", tells=Tells.WHOLE
)
UNREACHED: Final = gauge(
    "alerts_unreached", "Unacknowledged alerts of which no page has gone out to anyone.", tells=Tells.WHOLE
)
OPEN: Final = gauge("checkins_open", "Check-ins that wait for answers.", tells=Tells.WHOLE)
OVERDUE: Final = gauge(
    "checkins_overdue", "Check-ins past their end that are still open: nobody was told of them.", tells=Tells.WHOLE
)
WITHOUT_LINK: Final = gauge(
    "checkins_without_link", "Open check-ins whose link did not go out or did not arrive.", tells=Tells.WHOLE
)
