"""Small typed pieces that every page is made of; all words are chosen here, templates only place them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar
from uuid import UUID

from babel.dates import format_date

from services.clinic.model.people import Who
from services.clinic.model.reads import MessageState, ProposalState, Score, SessionState
from shared.events.scheduling import days_before
from shared.evidence import Grade
from shared.ids import PatientId
from shared.languages import Language, say_time
from shared.walltime import to_wall

T = TypeVar("T")
_HOUR = 60
_DAY = 24 * _HOUR
_IN_SECONDS = 600
"""From this speed on a real minute is ten hours and more: a second says more."""


class Tone(StrEnum):
    """The colour of a chip or notice; it only repeats what the words say."""

    PLAIN = "plain"
    ACCENT = "accent"
    INFO = "info"
    GOOD = "good"
    WARN = "warn"
    DANGER = "danger"


@dataclass(frozen=True)
class Chip:
    """A state in a word."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Moment:
    """A time for people, and the same for machines."""

    iso: str
    text: str


@dataclass(frozen=True)
class Person:
    """A patient's name with the id that its page has; None for somebody who is no patient.

    `born` stands beside the name on paper, where no link leads to whose it is.
    """

    id: UUID | None
    name: str
    born: str = ""


@dataclass(frozen=True)
class Notice:
    """What came of the last thing that was done, or what is out of order."""

    text: str
    tone: Tone = Tone.GOOD


@dataclass(frozen=True)
class Shelf(Generic[T]):
    """Rows of a list: the newest, and the earlier ones that a page folds away."""

    newest: tuple[T, ...]
    earlier: tuple[T, ...] = ()


@dataclass(frozen=True)
class Pile(Generic[T]):
    """The first rows of a longer list, and how many it has in all."""

    rows: tuple[T, ...] = ()
    total: int = 0

    @property
    def more(self) -> int:
        """Return how many are not among the rows."""
        return self.total - len(self.rows)


@dataclass(frozen=True)
class Shell:
    """What stands around every page of the console.

    `clock` is the one instant of the page; `trial` says how fast that clock runs where it is none of the real world,
    and `nights` that these are gone through at once.
    """

    clinic: str
    staff: str
    role: str
    zone: str
    clock: Moment
    csrf: str
    here: str
    alerts: int = 0
    loud: bool = False
    proposals: int = 0
    trial: str = ""
    nights: bool = False
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class FormState:
    """What was typed into a form and what is wrong with it, so that nothing is lost when it comes back.

    `thing` names the form where a page has several of its kind.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    thing: str = ""

    def of(self, thing: str) -> "FormState":
        """Return this state if it belongs to the form of that name, else an empty one."""
        return self if self.thing == thing else FormState()

    def value(self, name: str, default: str = "") -> str:
        """Return what was typed."""
        return self.values.get(name, default)

    def error(self, name: str) -> str | None:
        """Return what is wrong."""
        return self.errors.get(name)

    def on(self, name: str) -> bool:
        """Tell whether a box was ticked."""
        return name in self.values


def say_speed(speed: float) -> str:
    """Return how fast made-up time runs, with so many of its seconds in a real one."""
    if speed <= 0:
        return "Time stands still here until it is moved."
    if speed == 1:
        return "Time runs here as it does for you."
    unit, seconds = ("second", speed) if speed >= _IN_SECONDS else ("minute", speed * _HOUR)
    return f"Time runs faster here: 1 {unit} of yours is about {_say_span(round(seconds))}."


def _say_span(seconds: int) -> str:
    """Return `45 s`, `12 min`, `2 h 46 min`, or `3 days`."""
    minutes = seconds // _HOUR
    if seconds < _HOUR:
        return f"{seconds} s"
    if minutes < _HOUR:
        return f"{minutes} min"
    if minutes >= _DAY:
        return days(round(minutes / _DAY))
    return f"{minutes // _HOUR} h {minutes % _HOUR} min" if minutes % _HOUR else f"{minutes // _HOUR} h"


def say_date(day: date) -> str:
    """Return a day as a list shows it: `Tue, Dec 1, 2026`."""
    return format_date(day, "EEE, MMM d, y", locale="en_US")


def named(patient: PatientId, who: Who) -> Person:
    """Return a patient for a page."""
    return Person(patient, who.name, say_born(who.born))


def say_born(day: date | None) -> str:
    """Return a birth date as it stands beside a name: `born Jun 17, 1984`."""
    return f"born {format_date(day, 'MMM d, y', locale='en_US')}" if day else "no birth date on record"


def say_short_date(day: date) -> str:
    """Return a day of the near past or future: `Tue, Dec 1`."""
    return format_date(day, "EEE, MMM d", locale="en_US")


def wall_moment(wall: datetime, *, year: bool = False) -> Moment:
    """Return a wall time for a page: `Tue, Dec 1, 10:00 AM`."""
    day = say_date(wall.date()) if year else say_short_date(wall.date())
    return Moment(wall.isoformat(timespec="minutes"), f"{day}, {say_time(Language.EN, wall.time())}")


def moment(instant: datetime, zone: str) -> Moment:
    """Return an instant as a clock in `zone` shows it."""
    shown = wall_moment(to_wall(instant, zone))
    return Moment(instant.isoformat(timespec="seconds"), shown.text)


def age(since: datetime, now: datetime) -> str:
    """Return how long ago something was: `12 min ago`, `5 h ago`, `3 days ago`."""
    minutes = max(int((now - since).total_seconds()) // 60, 0)
    if minutes < 1:
        return "just now"
    if minutes < _HOUR:
        return f"{minutes} min ago"
    return f"{minutes // _HOUR} h ago" if minutes < _DAY else f"{days(minutes // _DAY)} ago"


def say_due(day: date, today: date) -> Chip:
    """Return how far away a day is: `due today`, `due in 5 days`, `3 days overdue`; what has passed needs somebody."""
    ahead = (day - today).days
    if ahead < 0:
        return Chip(f"{days(-ahead)} overdue", Tone.WARN)
    return Chip("due today", Tone.WARN) if ahead == 0 else Chip(f"due in {days(ahead)}")


def day_moment(day: date) -> Moment:
    """Return a day for a page."""
    return Moment(day.isoformat(), say_date(day))


def days(count: int) -> str:
    """Return `1 day` or `21 days`."""
    return "1 day" if count == 1 else f"{count} days"


_SESSION: dict[str, Chip] = {
    SessionState.BOOKED: Chip("not confirmed"),
    SessionState.CONFIRMED: Chip("confirmed", Tone.GOOD),
    SessionState.ATTENDED: Chip("attended", Tone.INFO),
    SessionState.MISSED: Chip("missed"),
    SessionState.CANCELLED: Chip("cancelled", Tone.PLAIN),
}
_MESSAGE = {
    MessageState.PLANNED: Chip("planned"),
    MessageState.SENT: Chip("sent", Tone.INFO),
    MessageState.DELIVERED: Chip("delivered", Tone.GOOD),
    MessageState.FAILED: Chip("failed", Tone.DANGER),
    MessageState.WITHHELD: Chip("not sent"),
}
_PROPOSAL: dict[str, Chip] = {
    ProposalState.OPEN: Chip("to decide", Tone.ACCENT),
    ProposalState.APPROVED: Chip("approved", Tone.GOOD),
    ProposalState.CHANGED: Chip("changed", Tone.INFO),
    ProposalState.REFUSED: Chip("refused", Tone.PLAIN),
    ProposalState.EXPIRED: Chip("expired"),
    ProposalState.HELD: Chip("nothing to decide"),
    ProposalState.SUPERSEDED: Chip("overtaken"),
    ProposalState.TAKEN_BACK: Chip("taken back", Tone.WARN),
}
_LANGUAGES = {Language.EN: "English", Language.ES: "Spanish"}
_OCCURRENCES = {
    "moved": "the new time",
    "cancelled": "will not take place",
    "stands": "takes place after all",
}


def plain_chip(word: str) -> Chip:
    """Return a word of a later version as it came: not knowing it stops no page."""
    return Chip(word.replace("-", " ").replace("_", " "), Tone.WARN)


def session_chip(state: SessionState | str) -> Chip:
    return _SESSION.get(state) or plain_chip(state)


def message_chip(state: MessageState) -> Chip:
    return _MESSAGE[state]


def proposal_chip(state: ProposalState | str) -> Chip:
    return _PROPOSAL.get(state) or plain_chip(state)


def say_language(language: Language) -> str:
    """Return a language's English name."""
    return _LANGUAGES[language]


def say_instrument(instrument: str) -> str:
    """Return an instrument's id in words, where its owner has not said its name: `PHQ-9` for `phq-9`."""
    coded = any(letter.isdigit() for letter in instrument)
    return instrument.upper() if coded else instrument.replace("-", " ").capitalize()


def say_instrument_of(score: Score) -> str:
    """Return the name of a score's instrument as its owner says it."""
    return score.scale.name if score.scale else say_instrument(score.instrument)


def say_occurrence(occurrence: str) -> str:
    """Return `3 days before` for `3d`, `day 7` for `day-7`, and that staff asked for `manual-…`."""
    if (ahead := days_before(occurrence)) is not None:
        return f"{days(ahead)} before"
    if occurrence.startswith("manual-"):
        return "asked by staff"
    return _OCCURRENCES.get(occurrence, occurrence.replace("-", " "))


_GRADES: Final[dict[str, str]] = {
    Grade.LABEL: "from the drug's label",
    Grade.RCT: "from a randomized trial",
    Grade.GUIDELINE: "from a guideline",
    Grade.OBSERVATIONAL: "from an observational study",
    Grade.CLINIC_PRACTICE: "from what clinics do",
    Grade.CLINIC_PAGE: "from a clinic's web page",
    Grade.ENGINEERING_DEFAULT: "Keepwell's own choice, not from a study",
}


def say_grade(grade: str) -> str:
    """Return how well a rule is founded, as a clinician says it; a grade not known here in its own word."""
    return _GRADES.get(grade, grade.replace("_", " ").lower())


_SEVERE, _MODERATE = 0.75, 0.5
"""How far from an instrument's best band a score is loud. Engineering default: of five bands the third warns."""


def band_chip(score: Score) -> Chip:
    """Return a score with its band; questions without a score are only answered."""
    if score.total is None:
        return Chip("answered")
    words = (score.band or "").replace("_", " ")
    return Chip(f"{score.total} {words}".strip(), _tone(score))


def _tone(score: Score) -> Tone:
    severity = score.scale.severity(score.band) if score.scale and score.band else None
    if severity is None:
        return Tone.PLAIN
    if severity >= _SEVERE:
        return Tone.DANGER
    return Tone.WARN if severity >= _MODERATE else Tone.GOOD if severity == 0 else Tone.PLAIN
