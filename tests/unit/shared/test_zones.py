"""The zones that are kept are those of places where people live."""

from datetime import date, time

import pytest

from shared.walltime import at_wall
from shared.zones import UnknownZoneError, check_zone, places, zone_names


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus",
        "../etc/passwd",
        "/etc/localtime",
        "America",
        "+02:00",
        "localtime",
        "Factory",
        "posix/America/New_York",
    ],
)
def test_what_is_no_zone_is_refused_with_its_name_and_the_remedy(zone: str) -> None:
    with pytest.raises(UnknownZoneError, match="Give an IANA name such as 'America/New_York'") as refused:
        check_zone(zone)
    assert repr(zone) in str(refused.value)


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/New_York", "America/Puerto_Rico", "Europe/Stockholm"])
def test_a_place_passes_unchanged(zone: str) -> None:
    assert check_zone(zone) == zone


@pytest.mark.parametrize(
    ("zone", "likely"),
    [
        ("EST", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("EDT", "America/New_York"),
        ("Eastern", "America/New_York"),
        ("Etc/GMT+5", "America/New_York"),
        ("CST", "America/Chicago"),
        ("MST", "America/Denver"),
        ("PST8PDT", "America/Los_Angeles"),
        ("HST", "Pacific/Honolulu"),
        ("CET", "Europe/Madrid"),
        ("america/new_york", "America/New_York"),
        ("New York", "America/New_York"),
        ("America/Los Angeles", "America/Los_Angeles"),
        ("us/pacific", "America/Los_Angeles"),
    ],
)
def test_a_name_that_is_no_place_is_never_kept_but_answered_with_the_likely_one(zone: str, likely: str) -> None:
    with pytest.raises(UnknownZoneError) as refused:
        check_zone(zone)
    assert refused.value.likely == likely
    assert f"You probably mean {likely!r}" in str(refused.value)


@pytest.mark.parametrize(
    "zone", ["UTC", "Zulu", "UCT", "Universal", "Etc/UTC", "Etc/Zulu", "GMT0", "Etc/GMT", "Etc/GMT-14", "Greenwich"]
)
def test_a_fixed_offset_is_never_kept(zone: str) -> None:
    with pytest.raises(UnknownZoneError, match="fixed offset"):
        check_zone(zone)


@pytest.mark.parametrize(
    ("alias", "place"),
    [
        ("US/Eastern", "America/New_York"),
        ("US/Pacific", "America/Los_Angeles"),
        ("US/Arizona", "America/Phoenix"),
        ("America/Indianapolis", "America/Indiana/Indianapolis"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Canada/Eastern", "America/Toronto"),
        ("Mexico/General", "America/Mexico_City"),
        ("Navajo", "America/Denver"),
        ("Japan", "Asia/Tokyo"),
        ("GB", "Europe/London"),
    ],
)
def test_an_alias_is_kept_under_the_name_of_its_place(alias: str, place: str) -> None:
    assert check_zone(alias) == place


def test_every_name_is_kept_as_a_place_or_refused() -> None:
    for name in zone_names():
        try:
            kept = check_zone(name)
        except UnknownZoneError:
            assert name not in places()
            continue
        assert kept in places()
        assert at_wall(date(2026, 7, 1), time(10), kept) == at_wall(date(2026, 7, 1), time(10), name)
        assert at_wall(date(2026, 1, 1), time(10), kept) == at_wall(date(2026, 1, 1), time(10), name)
