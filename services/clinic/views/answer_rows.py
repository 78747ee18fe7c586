"""Answers that came, as rows for Today and for a patient's page; and from whom none come."""

from dataclasses import dataclass
from uuid import UUID

from services.clinic.views.components import Chip, Moment, Person


@dataclass(frozen=True)
class ScoreLine:
    """One instrument of answers that came.

    Attributes:
        id: the score's, where it can be voided or corrected.
        quick: that a program may have answered, in words.
        voided: why it counts no more, with name and time.
    """

    id: UUID | None
    instrument: str
    score: Chip
    mood: Chip | None
    flags: str
    words: str | None
    note: str
    quick: str | None
    voided: str | None


@dataclass(frozen=True)
class AnswerRow:
    """Answers that came; `path` is where who has seen them says so."""

    id: UUID
    path: str
    checkin: UUID
    person: Person
    what: str
    at: Moment
    lines: tuple[ScoreLine, ...]
    voided: tuple[ScoreLine, ...]
    why: Chip | None
    seen: str | None


@dataclass(frozen=True)
class SilentRow:
    """A patient from whom no answer comes."""

    person: Person
    what: str
    last: str
