"""Time zones to choose from."""

from typing import Final

from services.clinic.views.patient import Choice
from shared.zones import places

_USUAL: Final = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
)
_OTHERS: Final = ("Europe/", "America/", "Pacific/", "Asia/", "Australia/", "Africa/", "Atlantic/", "Indian/")


def zone_choices(chosen: str) -> tuple[Choice, ...]:
    """Return the zones of a select, the usual ones first; the chosen one is always among them."""
    others = sorted(zone for zone in places() if zone.startswith(_OTHERS) and zone not in _USUAL)
    named = [*_USUAL, *others]
    if chosen not in named:
        named.insert(0, chosen)
    return tuple(Choice(zone, zone.replace("_", " ")) for zone in named)
