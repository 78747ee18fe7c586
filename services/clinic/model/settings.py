"""What a clinic's settings must hold."""

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from services.clinic.model.clinic import Clinic, OnCall
from services.clinic.model.contacts import ContactKind, read_phone, read_value
from services.clinic.model.flaws import Flaws, RefusedError
from services.clinic.model.people import read_line
from shared.languages import Language
from shared.zones import check_zone

LONGEST_SENDER: Final = 30
"""Characters of the name in texts: it stands in each of them, and a text has 160."""
LONGEST_CRISIS: Final = 1000
MOST_ONCALL: Final = 5
_HOUR: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


@dataclass(frozen=True)
class GivenClinic:
    """A clinic's settings as they were typed in."""

    name: str
    sender_name: str
    zone: str
    phone: str
    quiet_from: str
    quiet_until: str
    crisis: dict[Language, str]
    oncall: tuple[tuple[ContactKind, str], ...]


def check_settings(given: GivenClinic, present: Clinic) -> Clinic:
    """Return the clinic with its new settings, a version later.

    Raises:
        FlawedError: with every flaw, each at the pointer of its value.
    """
    flaws = Flaws()
    name = flaws.take("/name", read_line, given.name)
    sender = flaws.take("/sender_name", lambda text: read_line(text, longest=LONGEST_SENDER), given.sender_name)
    zone = flaws.take("/zone", check_zone, given.zone)
    phone = flaws.take("/phone", read_phone, given.phone)
    begins = flaws.take("/quiet_from", _read_hour, given.quiet_from)
    ends = flaws.take("/quiet_until", _read_hour, given.quiet_until)
    if begins and ends and begins >= ends:
        flaws.add("/quiet_until", f"Texts would end at {ends}, before they begin at {begins}. Give a later time.")
    crisis = {
        language: flaws.take(f"/crisis/{language}", _read_crisis, given.crisis.get(language, ""))
        for language in Language
    }
    if not 0 < len(given.oncall) <= MOST_ONCALL:
        flaws.add("/oncall", f"Name 1 to {MOST_ONCALL} contact points: an alert must reach somebody.")
    oncall = [
        (kind, flaws.take(f"/oncall/{place}/value", partial(read_value, kind), value))
        for place, (kind, value) in enumerate(given.oncall)
    ]
    flaws.stop_if_any()
    return replace(
        present,
        version=present.version + 1,
        name=name or "",
        sender_name=sender or "",
        zone=zone or "",
        phone=phone or "",
        quiet_from=begins or "",
        quiet_until=ends or "",
        crisis={language: text or "" for language, text in crisis.items()},
        oncall=tuple(OnCall(kind, value or "") for kind, value in oncall),
    )


def _read_hour(text: str) -> str:
    if _HOUR.fullmatch(text) is None:
        raise RefusedError(f"{text!r} is not a time of day. Give one such as 08:00 or 21:00.")
    return text


def _read_crisis(text: str) -> str:
    words = text.strip()
    if not 0 < len(words) <= LONGEST_CRISIS:
        raise RefusedError(f"Give 1 to {LONGEST_CRISIS} characters: it is what a person in crisis is told.")
    return words
