"""Text catalogues: one TOML file per language, checked against one another when they are loaded."""

import tomllib
from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from string import Formatter
from typing import Final, Self

from babel.dates import format_date, format_time, get_timezone_location


class Language(StrEnum):
    """The languages that every text for patients exists in."""

    EN = "en"
    ES = "es"


LANGUAGES: Final = tuple(Language)
_LOCALES: Final = {Language.EN: "en_US", Language.ES: "es_US"}


class TextsError(Exception):
    """A catalogue that lacks a text or a placeholder that another language has, or an unknown key."""


class Texts:
    """The texts of one service in every language.

    Keys are dotted paths of the TOML tables (`reminder.three_days`); placeholders are those of `str.format`.
    """

    def __init__(self, by_language: Mapping[Language, Mapping[str, str]]) -> None:
        self._by_language = by_language
        first, *others = by_language
        for other in others:
            _compare(first, by_language[first], other, by_language[other])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `en.toml` and `es.toml` of a folder.

        Raises:
            TextsError: a key or placeholder stands in one language and not in the other.
        """
        return cls(
            {
                language: dict(_flat(tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))))
                for language in LANGUAGES
            }
        )

    def say(self, language: str, key: str, **values: object) -> str:
        """Return a text with its placeholders filled.

        Raises:
            TextsError: there is no such key, or a placeholder has no value.
        """
        text = self._by_language[Language(language)].get(key)
        if text is None:
            raise TextsError(f"There is no text {key!r}; the catalogue has {len(self.keys())} others.")
        try:
            return text.format(**values)
        except KeyError as error:
            raise TextsError(f"Text {key!r} needs a value for {error}.") from error

    def keys(self) -> frozenset[str]:
        return frozenset(next(iter(self._by_language.values())))


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, str):
            pairs.append((prefix + key, value))
        elif isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            raise TextsError(f"Text {prefix + key!r} is {value!r}; only strings and tables are texts.")
    return pairs


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def _compare(one: Language, ours: Mapping[str, str], other: Language, theirs: Mapping[str, str]) -> None:
    if odd := sorted(ours.keys() ^ theirs.keys()):
        raise TextsError(f"These texts stand in only one of {one} and {other}: {', '.join(odd)}.")
    for key, text in ours.items():
        if _placeholders(text) != _placeholders(theirs[key]):
            raise TextsError(f"Text {key!r} has other placeholders in {other} than in {one}.")


def say_day(language: str, day: date) -> str:
    """Return a day with its weekday, as people say it: `Tuesday, December 1` or `martes, 1 de diciembre`."""
    pattern = "EEEE, d 'de' MMMM" if language == Language.ES else "EEEE, MMMM d"
    return format_date(day, pattern, locale=_LOCALES[Language(language)])


def say_place(language: str, zone: str) -> str:
    """Return whose clock a time is by, as people say it: `New York time` or `(hora de Nueva York)`."""
    city = get_timezone_location(zone, locale=_LOCALES[Language(language)], return_city=True)
    return f"(hora de {city})" if language == Language.ES else f"{city} time"


def say_time(language: str, at: time) -> str:
    """Return a time of day as people say it: `10:00 AM`, `10:00 a. m.`; narrow spaces made plain for text messages."""
    text: str = format_time(at, "h:mm a", locale=_LOCALES[Language(language)])
    return text.replace("\u202f", " ").replace("\u00a0", " ")
