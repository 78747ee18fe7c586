"""What an owner answers to a request, in the words of those who gave it: times as a clock shows them, no types."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from services.clinic.views.components import moment, wall_moment

_TIME: Final = re.compile(r"'?(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?'?", re.ASCII)
_TYPES: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"Input should be a valid integer[^.;]*"), "Give a whole number, such as 60"),
    (re.compile(r"Input should be a valid number[^.;]*"), "Give a number"),
    (re.compile(r"Input should be a valid (?:date|datetime)[^.;]*"), "Give a day and a time that a calendar has"),
    (re.compile(r"Input should be a valid UUID[^.;]*"), "This is not something that can be chosen here"),
    (re.compile(r"Input should be a valid string[^.;]*"), "Give some words"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), lambda found: f"Give {found[1]} or more"),
    (re.compile(r"Input should be less than or equal to (\S+)"), lambda found: f"Give {found[1]} or less"),
    (re.compile(r"Input should be greater than (\S+)"), lambda found: f"Give more than {found[1]}"),
    (re.compile(r"Input should be less than (\S+)"), lambda found: f"Give less than {found[1]}"),
    (re.compile(r"Input should be ('\w+'.*)"), lambda found: f"Choose {found[1]}"),
    (re.compile(r"String should have at least 1 character"), "This is empty: give some words"),
    (re.compile(r"String should have at most (\d+) characters"), lambda found: f"Give at most {found[1]} characters"),
    (re.compile(r"Field required"), "This is missing"),
    (re.compile(r"Extra inputs are not permitted"), "This page sends something that is not known there"),
)


def in_plain_words(detail: str, zone: str) -> str:
    """Return a sentence of a service as staff read it: times by the clinic's clock, what is wanted without its type."""
    said = detail
    for form, words in _TYPES:
        said = form.sub(words, said)
    return _TIME.sub(lambda found: _as_shown(found, zone), said)


def _as_shown(found: re.Match[str], zone: str) -> str:
    wall, offset = found[1], found[2]
    try:
        if offset:
            return moment(datetime.fromisoformat(f"{wall}{offset}"), zone).text
        return wall_moment(datetime.fromisoformat(wall), year=True).text
    except ValueError:
        return found[0]
