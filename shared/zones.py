"""Names of time zones: those of places where people live.

A fixed offset or an abbreviation knows no summer time, or another place's: `EST` is Panama's, which is an hour off New
York from March to November. Where such a name is stored, a text goes out in the night.
"""

from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_NO_PLACE: Final = frozenset({"Factory", "localtime"})
_LIKELY: Final = MappingProxyType(
    {
        "EST": "America/New_York",
        "EDT": "America/New_York",
        "ET": "America/New_York",
        "EST5EDT": "America/New_York",
        "EASTERN": "America/New_York",
        "ETC/GMT+5": "America/New_York",
        "CST": "America/Chicago",
        "CDT": "America/Chicago",
        "CT": "America/Chicago",
        "CST6CDT": "America/Chicago",
        "CENTRAL": "America/Chicago",
        "ETC/GMT+6": "America/Chicago",
        "MST": "America/Denver",
        "MDT": "America/Denver",
        "MT": "America/Denver",
        "MST7MDT": "America/Denver",
        "MOUNTAIN": "America/Denver",
        "ETC/GMT+7": "America/Denver",
        "PST": "America/Los_Angeles",
        "PDT": "America/Los_Angeles",
        "PT": "America/Los_Angeles",
        "PST8PDT": "America/Los_Angeles",
        "PACIFIC": "America/Los_Angeles",
        "ETC/GMT+8": "America/Los_Angeles",
        "AKST": "America/Anchorage",
        "AKDT": "America/Anchorage",
        "ETC/GMT+9": "America/Anchorage",
        "HST": "Pacific/Honolulu",
        "ETC/GMT+10": "Pacific/Honolulu",
        "AST": "America/Puerto_Rico",
        "ETC/GMT+4": "America/Puerto_Rico",
        "BST": "Europe/London",
        "GMT": "Europe/London",
        "WET": "Europe/Lisbon",
        "CET": "Europe/Madrid",
        "CEST": "Europe/Madrid",
        "MET": "Europe/Madrid",
        "EET": "Europe/Athens",
    }
)
"""Which place is likely meant by a name that is none, as Keepwell's users write them: most are in the United States."""
_NO_PLACES_OWN: Final = frozenset({"EST", "MST", "HST", "CET", "MET", "EET", "WET"})
"""Abbreviations that the database itself calls another name of some place."""


class UnknownZoneError(ValueError):
    """This is not the name of a time zone in which people live."""

    def __init__(self, zone: str, why: str = "is not a time zone", likely: str | None = None) -> None:
        self.zone = zone
        self.likely = likely
        remedy = f"You probably mean {likely!r}." if likely else "Give an IANA name such as 'America/New_York'."
        super().__init__(f"{zone!r} {why}. {remedy}")


@cache
def zone_names() -> frozenset[str]:
    """Return every name that the IANA database has rules for."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - _NO_PLACE


@cache
def places() -> frozenset[str]:
    """Return the names that the IANA database lists by country: in each of them people live."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    return frozenset(line.split("\t")[2] for line in table.splitlines() if line and not line.startswith("#"))


@cache
def _aliases() -> dict[str, str]:
    """Return for each name that is another one's alias the place that it means."""
    database = files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text(encoding="utf-8")
    links = [line.split() for line in database.splitlines() if line.startswith("L ")]
    return {alias: place for _, place, alias in links if place in places()}


def check_zone(zone: str) -> str:
    """Return the canonical name of a zone in which people live: `US/Eastern` is `America/New_York`.

    Raises:
        UnknownZoneError: if there is no such zone, or it is an abbreviation or a fixed offset; with the likely name.
    """
    if zone in places():
        return zone
    if zone in _aliases() and zone not in _NO_PLACES_OWN:
        return _aliases()[zone]
    if zone in zone_names():
        why = "is a fixed offset or an abbreviation, not a place: its clocks may change on other days, or never"
        raise UnknownZoneError(zone, why, _LIKELY.get(zone.upper()))
    raise UnknownZoneError(zone, likely=_likely(zone))


def _likely(text: str) -> str | None:
    """Return the zone that was probably meant by a name in other letters, a city, or an abbreviation."""
    wanted = "_".join(text.replace("_", " ").split()).casefold()
    if not wanted:
        return None
    for place in sorted(places()):
        if wanted in {place.casefold(), place.casefold().rpartition("/")[2]}:
            return place
    alias = next((name for name in sorted(_aliases()) if name.casefold() == wanted), None)
    found = _LIKELY.get(text.strip().upper())
    return found or (_aliases()[alias] if alias else None)
