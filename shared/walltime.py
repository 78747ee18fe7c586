"""The one function that turns wall time into an instant, and its way back.

An appointment is what a clock on the wall shows at a place: a time without offset and an IANA zone. The instant follows
from both and from the zone's rules, which are those of the locked `tzdata` package, so that a laptop, a container and a
test agree whatever the machine brings.
"""

import re
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from shared.zones import UnknownZoneError, zone_names

_WALL: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)


class NotWallTimeError(ValueError):
    """This is not a wall time: a date, a T, hours and minutes, and nothing after them."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not a wall time. Give a local time such as '2026-12-01T10:00', without seconds or offset, "
            "and name the zone beside it."
        )


@cache
def _rules(zone: str) -> ZoneInfo:
    if zone not in zone_names():
        raise UnknownZoneError(zone)
    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as compiled:
        return ZoneInfo.from_file(compiled, key=zone)


def to_instant(wall: datetime, zone: str) -> datetime:
    """Return the instant, aware and in UTC, at which a clock in `zone` shows `wall`.

    A time that the clocks skip moves forward by what they skip (02:30 becomes 03:30); a time that they show twice means
    the first. `fold` is ignored: nobody who writes an appointment down knows of it.

    Raises:
        UnknownZoneError: if there is no such zone.
        ValueError: if `wall` carries a zone or offset of its own.
    """
    if wall.tzinfo is not None:
        raise ValueError(f"{wall.isoformat()} is an instant, not a wall time: it carries an offset.")
    # With fold=0 zoneinfo takes the offset from before the change, in a gap as in a repeated hour: both rules.
    return wall.replace(tzinfo=_rules(zone), fold=0).astimezone(UTC)


def to_wall(instant: datetime, zone: str) -> datetime:
    """Return what a clock in `zone` shows at `instant`: naive, with `fold` always 0.

    Raises:
        UnknownZoneError: if there is no such zone.
        ValueError: if `instant` carries no zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} is a wall time, not an instant: it carries no zone.")
    return instant.astimezone(_rules(zone)).replace(tzinfo=None, fold=0)


def at_wall(day: date, hour: time, zone: str) -> datetime:
    """Return the instant of `hour` on `day` in `zone`, by the rules of `to_instant`."""
    return to_instant(datetime.combine(day, hour), zone)


def parse_wall(text: str) -> datetime:
    """Read a wall time as programs write it, `2026-12-01T10:00`.

    Raises:
        NotWallTimeError: if it is anything else: with seconds, an offset, a Z, or a day that no calendar has.
    """
    if _WALL.fullmatch(text) is None:
        raise NotWallTimeError(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotWallTimeError(text) from error


def wall_text(wall: datetime) -> str:
    """Write a wall time as programs read it, `2026-12-01T10:00`."""
    return wall.strftime("%Y-%m-%dT%H:%M")
