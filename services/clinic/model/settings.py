"""What a clinic's settings must hold."""

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from services.clinic.model.clinic import Clinic, OnCall
from services.clinic.model.contacts import ContactKind, read_phone, read_value
from services.clinic.model.flaws import Flaws, RefusedError
from services.clinic.model.people import read_line
from services.clinic.model.searching import plain
from shared.languages import Language
from shared.zones import check_zone

LONGEST_SENDER: Final = 30
"""Characters of the name in texts: it stands in each of them, and a text has 160."""
LONGEST_CRISIS: Final = 1000
MOST_ONCALL: Final = 5
EARLIEST: Final = "08:00"
LATEST: Final = "21:00"
_HOUR: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


@dataclass(frozen=True)
class GivenClinic:
    """A clinic's settings as they were typed in."""

    name: str
    sender_name: str
    zone: str
    phone: str
    texts_from: str
    texts_until: str
    hours_reason: str
    crisis: dict[Language, str]
    oncall: tuple[tuple[ContactKind, str], ...]


def check_settings(given: GivenClinic, present: Clinic) -> Clinic:
    """Return the clinic with its new settings, a version later.

    Raises:
        FlawedError: with every flaw, each at the pointer of its value.
    """
    flaws = Flaws()
    name = flaws.take("/name", read_line, given.name)
    sender = flaws.take("/sender_name", read_sender, given.sender_name)
    zone = flaws.take("/zone", check_zone, given.zone)
    phone = flaws.take("/phone", read_phone, given.phone)
    begins = flaws.take("/quiet_from", _read_hour, given.texts_from)
    ends = flaws.take("/quiet_until", _read_hour, given.texts_until)
    if begins and ends and begins >= ends:
        flaws.add("/quiet_until", f"Texts would end at {ends}, before they begin at {begins}. Give a later time.")
    reason = _check_hours(begins, ends, given.hours_reason, flaws)
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
        texts_from=begins or "",
        texts_until=ends or "",
        hours_reason=reason,
        crisis={language: text or "" for language, text in crisis.items()},
        oncall=tuple(OnCall(kind, value or "") for kind, value in oncall),
    )


def _read_hour(text: str) -> str:
    if _HOUR.fullmatch(text) is None:
        raise RefusedError(f"{text!r} is not a time of day. Give one such as 08:00 or 21:00.")
    return text


def _check_hours(begins: str | None, ends: str | None, reason: str, flaws: Flaws) -> str | None:
    """Return why texts go out beyond the usual hours; None where they do not.

    From 8 to 21 by the recipient's clock is what the United States allow for calls that sell something (47 CFR
    64.1200(c)(1)). That it holds for every text of Keepwell is an engineering default.
    """
    early, late = bool(begins and begins < EARLIEST), bool(ends and ends > LATEST)
    if not early and not late:
        return None
    why = " ".join(reason.split())
    if why:
        return flaws.take("/hours_reason", read_line, why)
    remedy = f"Give one from {EARLIEST} to {LATEST}, or say why these patients want other hours (`hours_reason`)."
    if early:
        flaws.add("/quiet_from", f"People sleep before {EARLIEST}. {remedy}")
    if late:
        flaws.add("/quiet_until", f"Texts after {LATEST} wake people. {remedy}")
    return None


_TELLING_WORDS: Final = frozenset(
    ("tms", "rtms", "dtms", "emt", "ect", "tec", "ptsd", "tept", "ocd", "toc", "iv", "mood", "animo", "trauma")
)
_TELLING_BEGINNINGS: Final = (
    "addict",
    "adicci",
    "ansiedad",
    "antidepres",
    "anxiet",
    "behavio",
    "bipolar",
    "conductual",
    "depres",
    "estimula",
    "infusi",
    "magnet",
    "mental",
    "neuro",
    "psic",
    "rehab",
    "stimula",
    "suicid",
    "terap",
    "therap",
    "transcran",
)
_TELLING_ANYWHERE: Final = ("ketamin", "spravato", "psych", "psiq", "psilo")
_COMMON: Final = frozenset(
    ("clinic", "clinica", "center", "centre", "centro", "the", "la", "el", "of", "de", "and", "y", "health", "salud")
)
_NEUTRAL: Final = "Riverside"


def read_sender(text: str) -> str:
    """Return the name that signs texts.

    Raises:
        RefusedError: it is no line of its length, or tells whoever sees the phone what the patient is treated for.
    """
    name = read_line(text, longest=LONGEST_SENDER)
    whole = plain(name).replace(" ", "")
    words = [word for word in name.split() if not any(map(_tells, plain(word).split()))]
    if len(words) == len(name.split()) and not any(part in whole for part in _TELLING_ANYWHERE):
        return name
    kept = " ".join(part for part in words if plain(part) not in {"", *_COMMON})
    neutral = kept if kept and len(words) < len(name.split()) else _NEUTRAL
    raise RefusedError(
        f"{name!r} tells whoever sees the phone what the patient is treated for. Take a neutral name, such as "
        f"{neutral!r}."
    )


def _tells(word: str) -> bool:
    return (
        word in _TELLING_WORDS
        or word.startswith(_TELLING_BEGINNINGS)
        or any(part in word for part in _TELLING_ANYWHERE)
    )


def _read_crisis(text: str) -> str:
    words = text.strip()
    if not 0 < len(words) <= LONGEST_CRISIS:
        raise RefusedError(f"Give 1 to {LONGEST_CRISIS} characters: it is what a person in crisis is told.")
    if not any(_can_be_called(found) for found in _NUMBER.findall(words)):
        raise RefusedError(
            "There is no number in it that a person in danger can call or text. Name one, such as 988 or 911 in the "
            "United States."
        )
    return words


def _can_be_called(written: str) -> bool:
    """Tell whether digits are a number to reach: of three digits, such as 988, or of five and more."""
    digits = sum(letter.isdecimal() for letter in written)
    return digits == _EMERGENCY_DIGITS or digits >= _SHORT_CODE_DIGITS


_NUMBER: Final = re.compile(r"\+?\d(?:[\d().\- ]*\d)?", re.ASCII)
_EMERGENCY_DIGITS: Final = 3
_SHORT_CODE_DIGITS: Final = 5
