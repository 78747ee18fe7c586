"""Finding a patient by what people type: a name without accents, a phone in any spelling, a day, a record number."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from services.clinic.model.contacts import ContactKind
from services.clinic.model.patient import Patient, PatientState
from shared.ids import PatientId

_PLAIN: Final = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ħ": "h",
    }
)
"""Letters that Unicode does not take apart into a plain one and a mark."""
_WITHIN_A_NAME: Final = dict.fromkeys(
    (0x27, 0x2E, 0x60, 0xB4, 0x2B9, 0x2BB, 0x2BC, 0x2BD, 0x2018, 0x2019, 0x201B, 0x2032, 0x2035, 0xFF07)
)
"""Full stops and apostrophes of every shape stand inside a name, and people leave them out: O'Connor, J.R."""
_MONTHS: Final = MappingProxyType(
    {
        name: number
        for names in (
            "jan feb mar apr may jun jul aug sep oct nov dec",
            "ene feb mar abr may jun jul ago sep oct nov dic",
        )
        for number, name in enumerate(names.split(), 1)
    }
)
_LETTERS_OF_A_MONTH: Final = 3
_ISO: Final = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b", re.ASCII)
_NUMBERS: Final = re.compile(r"\b(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})\b", re.ASCII)
_BARE: Final = re.compile(r"\b(\d{4})(\d{2})(\d{2})\b", re.ASCII)
_DAY_FIRST: Final = re.compile(
    r"\b(?P<day>\d{1,2})(?:st|nd|rd|th)?[.-]? ?(?:of |de )?(?P<month>[a-z]{3,12})[.-]?,? ?(?:of |de )?"
    r"(?P<year>\d{4})\b",
    re.ASCII,
)
_MONTH_FIRST: Final = re.compile(
    r"\b(?P<month>[a-z]{3,12})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})\b", re.ASCII
)
_LAST_DIGITS: Final = 4
"""Fewer digits than these name no phone: a house number, an age and a year's end are as short."""
_SHORTEST_RECORD: Final = 3
_CENTURIES: Final = (1900, 2000)


def plain(text: str) -> str:
    """Return a text as it is compared: small letters without accents or apostrophes, words apart by one space."""
    # An accent that stands alone is an apostrophe, and would be taken apart into a space and a mark.
    whole = text.translate(_WITHIN_A_NAME)
    taken_apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", whole).casefold()).translate(_PLAIN)
    letters = (letter for letter in taken_apart if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split())


@dataclass(frozen=True, slots=True)
class Entry:
    """What one patient is found by, and where they stand in a list.

    Attributes:
        words: given and family name as they are compared, and both again as one word each way round.
        numbers: digits of the phones, with the country code.
        record: letters and digits of the record number; empty where there is none.
    """

    id: PatientId
    version: int
    enrolled: bool
    family: str
    given: str
    words: str
    numbers: tuple[str, ...]
    addresses: tuple[str, ...]
    born: date | None
    record: str

    @classmethod
    def of(cls, patient: Patient) -> "Entry":
        given, family = plain(patient.given_name), plain(patient.family_name)
        once, again = f"{given}{family}".replace(" ", ""), f"{family}{given}".replace(" ", "")
        values = {kind: [c.value for c in patient.contacts if c.kind is kind] for kind in ContactKind}
        return cls(
            id=patient.id,
            version=patient.version,
            enrolled=patient.state is PatientState.ENROLLED,
            family=family,
            given=given,
            words=f" {given} {family} {once} {again}",
            numbers=tuple(value.removeprefix("+") for value in values[ContactKind.SMS]),
            addresses=tuple(value.casefold() for value in values[ContactKind.EMAIL]),
            born=patient.birth_date,
            record=plain(patient.external_id or "").replace(" ", ""),
        )

    @property
    def name(self) -> tuple[str, ...]:
        """Return the parts of the whole name in an order of their own: given and family name are often swapped."""
        return tuple(sorted(f"{self.given} {self.family}".split()))

    @property
    def place(self) -> tuple[bool, str, str, PatientId]:
        """Return where the patient stands in the list: by name, those who left after the others."""
        return not self.enrolled, self.family or self.given, self.given, self.id


@dataclass(frozen=True)
class Sought:
    """What was typed, as each kind of thing that it may be.

    Attributes:
        words: parts of a name, and digits that may end a phone or a record number; each must be found.
        days: the days that a birth date in it may mean; it counts beside the words, and is no word itself.
        numbers: digits of a whole phone number, in the spellings that it may have.
        end: the last digits of a phone; empty where what was typed holds letters or too few of them.
        address: part of a mail address, or empty.
        record: a whole record number, letters and digits.
    """

    words: tuple[str, ...]
    days: frozenset[date]
    numbers: frozenset[str]
    end: str
    address: str
    record: str

    def matches(self, entry: Entry) -> bool:
        """Tell whether this is somebody who may be meant; ten thousand are looked at in some milliseconds."""
        if self._whole(entry):
            return True
        if self.days and entry.born not in self.days:
            return False
        for word in self.words:
            if not _has(entry, word):
                return False
        return bool(self.days or self.words)

    def begins(self, entry: Entry) -> bool:
        """Tell whether each word begins one of the patient's names, or names the patient in another way."""
        return self._whole(entry) or all(f" {word}" in entry.words for word in self.words)

    def _whole(self, entry: Entry) -> bool:
        if self.record and self.record == entry.record:
            return True
        if self.numbers:
            for number in entry.numbers:
                if number in self.numbers or (self.end and number.endswith(self.end)):
                    return True
        return bool(self.address) and any(self.address in address for address in entry.addresses)


def read_sought(typed: str, phone: str | None = None) -> Sought:
    """Return what a person may have meant.

    Args:
        typed: their words.
        phone: the number that it is in E.164, where it is one that can be called.
    """
    digits = "".join(letter for letter in typed if letter.isdecimal())
    is_number = bool(digits) and not any(letter.isalpha() for letter in typed)
    numbers = {number for number in (phone and phone.removeprefix("+"), digits if is_number else None) if number}
    days, rest = _take_days(plain_line(typed))
    words = tuple(plain(rest).split())
    if is_number and not days:
        words = (digits,)
    return Sought(
        words=words,
        days=days,
        numbers=frozenset(numbers),
        end=digits if is_number and len(digits) >= _LAST_DIGITS else "",
        address=typed.strip().casefold() if "@" in typed else "",
        record=plain(typed).replace(" ", ""),
    )


def plain_line(text: str) -> str:
    """Return a line in small plain letters with its punctuation, in which a date can be read."""
    taken_apart = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(letter for letter in taken_apart if not unicodedata.combining(letter)).split())


def _has(entry: Entry, word: str) -> bool:
    if word in entry.words and (len(word) > 1 or f" {word}" in entry.words):
        return True
    if entry.record and len(word) >= _SHORTEST_RECORD and entry.record.endswith(word):
        return True
    return word.isdecimal() and len(word) >= _LAST_DIGITS and any(number.endswith(word) for number in entry.numbers)


def _take_days(line: str) -> tuple[frozenset[date], str]:
    """Return the days that a date in a line may mean, and the line without it."""
    for form, written in _FORMS:
        found = form.search(line)
        days = _days(written(found)) if found else frozenset()
        if found and days:
            return days, f"{line[: found.start()]} {line[found.end() :]}"
    return frozenset(), line


def _in_order(found: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    yield found[1], found[2], found[3]


def _either_way_round(found: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    first, second, year = found.groups()
    years = [year] if len(year) > len("84") else [str(century + int(year)) for century in _CENTURIES]
    for each in years:
        yield each, first, second
        yield each, second, first


def _named(found: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    number = _MONTHS.get(found["month"][:_LETTERS_OF_A_MONTH])
    if number is not None:
        yield found["year"], str(number), found["day"]


_FORMS: Final = (
    (_ISO, _in_order),
    (_NUMBERS, _either_way_round),
    (_BARE, _in_order),
    (_DAY_FIRST, _named),
    (_MONTH_FIRST, _named),
)


def _days(written: Iterable[tuple[str, str, str]]) -> frozenset[date]:
    found = set()
    for year, month, day in written:
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return frozenset(found)
