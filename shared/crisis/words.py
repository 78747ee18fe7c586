"""Does a text sound like a person in danger?

An engineering default that errs towards too many: a person reads what it finds, and what it misses still stands among
the unread. It looks for phrases, and knows neither irony nor who is meant. That an automatic answer does not replace
a person: https://mental.jmir.org/2024/1/e58409 .
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from shared.crisis.spelling import MANY, even_word, evened
from shared.languages import LANGUAGES

_HERE: Final = Path(__file__).parent
_GAP: Final = r"(?:[^ ~]+ ){0,3}"
_TAKEN_OUT: Final = "~"


class Level(StrEnum):
    """How urgent a text sounds. Either is paged and answered with the clinic's crisis text."""

    ELEVATED = "elevated"
    HIGH = "high"


class PhraseError(Exception):
    """A word list that cannot be read: a slot or a group that does not exist."""


def find(text: str) -> Level | None:
    """Return how urgent a text sounds in any of the languages, or None for ordinary words."""
    found = {level for spelling in evened(text) if (level := _level_of(spelling))}
    return next((level for level in (Level.HIGH, Level.ELEVATED) if level in found), None)


def _level_of(words: str) -> Level | None:
    ordinary, high, elevated, denied, unclear, everyday = (_pattern(part) for part in _PARTS)
    rest = ordinary.sub(_TAKEN_OUT, words)
    said = denied.sub(_TAKEN_OUT, rest)
    if high.search(said):
        return Level.HIGH
    if said != rest or elevated.search(said) or (unclear.search(said) and not everyday.search(words)):
        return Level.ELEVATED
    return None


_PARTS: Final = ("ordinary", "high", "elevated", "denied", "unclear", "everyday")


@cache
def _pattern(part: str) -> re.Pattern[str]:
    """Return one expression for a part of every language's list; each phrase begins and ends with a whole word."""
    phrases = [expression for table in _tables() for expression in _expressions(table, part)]
    return re.compile(rf"(?<![^ ])(?:{'|'.join(phrases)})(?![^ ])")


@cache
def _tables() -> Sequence[Mapping[str, object]]:
    return [tomllib.loads((_HERE / f"{language}.toml").read_text(encoding="utf-8")) for language in LANGUAGES]


def _expressions(table: Mapping[str, object], part: str) -> Iterator[str]:
    groups, phrases = table["groups"], table[part]
    if not isinstance(groups, dict) or not isinstance(phrases, list):
        raise PhraseError(f"{part} must be a list of phrases, and groups a table.")
    return (_expression(str(phrase), groups) for phrase in phrases)


def _expression(phrase: str, groups: Mapping[str, Sequence[str]]) -> str:
    """Turn a phrase into an expression over words with single spaces between.

    `a|b` is either word, `{name}` any of a group, `word*` its beginning, `#` a number above five; `?` ends what may be
    absent, `..` stands for up to three words. A phrase ends with a slot that must be there.
    """
    parts: list[str] = []
    slots = phrase.split()
    for number, slot in enumerate(slots):
        last = number == len(slots) - 1
        if slot == "..":
            parts.append(_GAP)
            continue
        words = _slot(slot.removesuffix("?"), groups)
        if last and (slot.endswith("?") or slot == ".."):
            raise PhraseError(f"The phrase {phrase!r} ends with what may be absent.")
        parts.append(words if last else f"(?:{words} ){'?' if slot.endswith('?') else ''}")
    return "".join(parts)


def _slot(slot: str, groups: Mapping[str, Sequence[str]]) -> str:
    return "(?:" + "|".join(_alternative(each, groups) for each in slot.split("|")) + ")"


def _alternative(each: str, groups: Mapping[str, Sequence[str]]) -> str:
    if each.startswith("{"):
        if (group := groups.get(each.strip("{}"))) is None:
            raise PhraseError(f"There is no group {each}; there are {', '.join(sorted(groups))}.")
        return "|".join(_alternative(word, groups) for word in group)
    if each == "#":
        return MANY
    stem = " ".join(even_word(word) for word in each.removesuffix("*").split("_"))
    return re.escape(stem) + ("[^ ~]*" if each.endswith("*") else "")
