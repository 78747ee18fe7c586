"""What is asked of a person's own data: names, birth date, and the words a form gives."""

import unicodedata
from datetime import date
from typing import Final

from services.clinic.model.flaws import RefusedError

LONGEST_NAME: Final = 100
LONGEST_LINE: Final = 200
OLDEST_YEARS: Final = 125


def read_line(text: str, *, longest: int = LONGEST_LINE) -> str:
    """Return a line of text with single spaces and composed letters.

    Raises:
        RefusedError: empty, too long, or with control characters.
    """
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if not line:
        raise RefusedError("This is empty. Give at least one character.")
    if len(line) > longest:
        raise RefusedError(f"This has {len(line)} characters. Give at most {longest}.")
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} for letter in line):
        raise RefusedError("This holds characters that cannot be shown. Type it again.")
    return line


def read_name(text: str) -> str:
    """Return a given or family name; raises `RefusedError` as `read_line` does."""
    return read_line(text, longest=LONGEST_NAME)


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
