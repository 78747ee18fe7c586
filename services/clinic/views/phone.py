"""A check-in's questions, to be read to a patient on the phone."""

from dataclasses import dataclass
from uuid import UUID

from services.clinic.views.parts import FormState, Person
from services.clinic.views.patient import Choice


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
    """An instrument in one language."""

    id: str
    title: str
    notice: str
    groups: tuple[QuestionGroup, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """Return every question in the order that it is asked in."""
        return tuple(question for group in self.groups for question in group.questions)


@dataclass(frozen=True)
class PhonePage:
    """The form for answers taken by phone."""

    checkin: UUID
    person: Person
    what: str
    asked: Questionnaire
    number: int
    count: int
    language: str
    others: tuple[Choice, ...]
    form: FormState


def answers_of(asked: Questionnaire, typed: dict[str, str]) -> tuple[tuple[int, ...], dict[str, str]]:
    """Return the answers as the owner takes them, and what is missing by field.

    The owner takes either all questions or the required ones: what may be left out is sent where all was answered.
    """
    missing = {
        question.field: f"Not answered yet: {question.text}"
        for question in asked.questions
        if question.required and not _chosen(question, typed)
    }
    whole = all(_chosen(question, typed) for question in asked.questions)
    sent = [question for question in asked.questions if question.required or whole]
    return (() if missing else tuple(int(typed[question.field]) for question in sent)), missing


def field_of(asked: Questionnaire, pointer: str, *, sent: int) -> str:
    """Return the field that the owner's pointer speaks of, such as `/answers/3`."""
    questions = [one for one in asked.questions if one.required or sent == len(asked.questions)]
    place = pointer.removeprefix("/answers/")
    known = place.isdecimal() and int(place) < len(questions)
    return questions[int(place)].field if known else asked.questions[0].field


def _chosen(question: Question, typed: dict[str, str]) -> bool:
    return typed.get(question.field) in {option.value for option in question.options}
