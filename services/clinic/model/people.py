"""What is asked of a person's own data: names, birth date, and the words a form gives."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.clinic.model.flaws import RefusedError


@dataclass(frozen=True)
class Who:
    """By what a person is told from others: a name alone is not enough on paper."""

    name: str
    born: date | None = None


LONGEST_NAME: Final = 100
LONGEST_LINE: Final = 200
OLDEST_YEARS: Final = 125


_INVISIBLE: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Blanks that Unicode counts as letters or symbols."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Zero-width characters that Persian and Indian names are spelt with, between two letters."""


def _shown(text: str) -> str:
    """Return a text without what cannot be seen: marks that turn the direction of writing, zero-width characters."""
    kept = [
        letter
        for place, letter in enumerate(text)
        if letter not in _INVISIBLE
        and (unicodedata.category(letter) != "Cf" or (letter in _JOINERS and _is_within(text, place)))
    ]
    return "".join(kept)


def _is_within(text: str, place: int) -> bool:
    return 0 < place < len(text) - 1 and all(
        unicodedata.category(neighbour)[0] in "LM" for neighbour in (text[place - 1], text[place + 1])
    )


def read_line(text: str, *, longest: int = LONGEST_LINE) -> str:
    """Return a line of text with single spaces and composed letters, without what cannot be seen.

    Raises:
        RefusedError: empty, too long, or with control characters.
    """
    line = " ".join(_shown(unicodedata.normalize("NFC", text)).split())
    if not line:
        raise RefusedError("This is empty. Give at least one character that can be seen.")
    if len(line) > longest:
        raise RefusedError(f"This has {len(line)} characters. Give at most {longest}.")
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} for letter in line):
        raise RefusedError("This holds characters that cannot be shown. Type it again.")
    return line


def read_name(text: str) -> str:
    """Return a given or family name.

    Raises:
        RefusedError: as `read_line` does, or without a letter.
    """
    name = read_line(text, longest=LONGEST_NAME)
    if not any(unicodedata.category(letter)[0] in "LN" for letter in name):
        raise RefusedError(f"{name!r} has no letter. Give the name as it is said; one name is enough.")
    return name


def read_second_name(text: str) -> str:
    """Return a family name, or nothing for a person who has one name; raises `RefusedError` as `read_name` does."""
    return read_name(text) if text.strip() else ""


def read_birth_date(day: date, *, today: date) -> date:
    """Return a birth date.

    Raises:
        RefusedError: in the future, or longer ago than anybody lives.
    """
    if day > today:
        raise RefusedError(f"{day.isoformat()} lies in the future. Give the day of birth as YYYY-MM-DD.")
    if day.year < today.year - OLDEST_YEARS:
        raise RefusedError(
            f"{day.isoformat()} is more than {OLDEST_YEARS} years ago. Give the day of birth as YYYY-MM-DD."
        )
    return day


def age_on(birth: date, today: date) -> int:
    """Return full years of age."""
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
