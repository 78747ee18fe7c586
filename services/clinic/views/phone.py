"""A check-in's questions, to be read to a patient on the phone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.clinic.views.components import FormState, Person
from services.clinic.views.patient import Choice

WORDS: Final = "words"


@dataclass(frozen=True)
class Question:
    """A question with its choices; `value` of a choice is what is stored."""

    id: str
    text: str
    required: bool
    options: tuple[Choice, ...]

    @property
    def field(self) -> str:
        """Return the name of its field."""
        return f"q-{self.id}"


@dataclass(frozen=True)
class QuestionGroup:
    """Questions under one stem, which may be empty."""

    stem: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Questionnaire:
    """An instrument in one language; `words` asks for the patient's own, where there is a field for them."""

    id: str
    title: str
    notice: str
    groups: tuple[QuestionGroup, ...]
    words: str | None = None

    @property
    def questions(self) -> tuple[Question, ...]:
        """Return every question in the order that it is asked in."""
        return tuple(question for group in self.groups for question in group.questions)


@dataclass(frozen=True)
class PhonePage:
    """The form for answers taken by phone, or for those that correct a score."""

    action: str
    corrects: bool
    person: Person
    what: str
    asked: Questionnaire
    number: int
    count: int
    language: str
    others: tuple[Choice, ...]
    form: FormState
    born: str


def answers_of(asked: Questionnaire, typed: Mapping[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    """Return the answers as the owner takes them, and what is missing by field.

    The owner takes the required questions as a list, in their order; what may be left out goes by its own name.
    """
    missing = {
        question.field: f"Not answered yet: {question.text}"
        for question in asked.questions
        if question.required and not _chosen(question, typed)
    }
    if missing:
        return {}, missing
    answers = [int(typed[question.field]) for question in asked.questions if question.required]
    named = {
        question.id: int(typed[question.field])
        for question in asked.questions
        if not question.required and _chosen(question, typed)
    }
    words = typed.get(WORDS, "").strip()
    written = {WORDS: words} if asked.words and words else {}
    return {"answers": answers, **named, **written}, {}


def field_of(asked: Questionnaire, pointer: str) -> str:
    """Return the field that the owner's pointer speaks of, such as `/answers/3` or `/difficulty`."""
    place = pointer.rpartition("/")[2]
    if place == WORDS:
        return WORDS
    required = [question for question in asked.questions if question.required]
    if place.isdecimal() and int(place) < len(required):
        return required[int(place)].field
    return next((one.field for one in asked.questions if one.id == place), asked.questions[0].field)


def _chosen(question: Question, typed: Mapping[str, str]) -> bool:
    return typed.get(question.field) in {option.value for option in question.options}
