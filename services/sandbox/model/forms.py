"""Reads an HTML form as a browser without scripts would, and fills it in for a virtual patient."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser
from typing import Final

from services.sandbox.model.chance import happens, roll

_SCALE: Final = 4
"""Choices of a PHQ-9 question."""

_NO_OR_YES: Final = 2
_YES: Final = 0.04
"""Chance of the second of two choices: a side effect, a trouble."""

_RATING: Final = 7
"""Choices from which a question is taken for a rating, where more is better."""


class Kind(StrEnum):
    """Kinds of form field, as far as answering goes."""

    HIDDEN = "hidden"
    CHOICE = "choice"
    TICK = "tick"
    NUMBER = "number"
    WORDS = "words"
    BUTTON = "button"


@dataclass
class Field:
    """One named field; radio buttons, options and buttons of one name are the values of one field."""

    name: str
    kind: Kind
    values: list[str] = field(default_factory=list)
    required: bool = False
    lowest: int = 0
    highest: int = 10


@dataclass
class Form:
    """One form of a page."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    @property
    def asks(self) -> bool:
        """Tell whether there is something to answer: a choice, a number, or buttons that are answers."""
        return any(
            one.kind in {Kind.CHOICE, Kind.NUMBER} or (one.kind is Kind.BUTTON and len(one.values) > 1)
            for one in self.fields
        )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select: Field | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(action=said.get("action", ""), method=said.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is None or "disabled" in said:
            return
        elif tag == "option":
            if self._select is not None and said.get("value"):
                self._select.values.append(said["value"])
        elif said.get("name"):
            self._named(tag, said, self._form)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None

    def _named(self, tag: str, said: dict[str, str], form: Form) -> None:
        if tag == "select":
            self._select = self._field(form, said, Kind.CHOICE)
        elif tag == "textarea":
            self._field(form, said, Kind.WORDS)
        elif tag == "button" and said.get("type", "submit") == "submit":
            self._field(form, said, Kind.BUTTON).values.append(said.get("value", ""))
        elif tag == "input":
            self._input(said, form)

    def _input(self, said: dict[str, str], form: Form) -> None:
        match said.get("type", "text"):
            case "hidden":
                self._field(form, said, Kind.HIDDEN).values.append(said.get("value", ""))
            case "radio":
                self._field(form, said, Kind.CHOICE).values.append(said.get("value", "on"))
            case "checkbox":
                self._field(form, said, Kind.TICK).values.append(said.get("value", "on"))
            case "submit":
                self._field(form, said, Kind.BUTTON).values.append(said.get("value", ""))
            case "number" | "range":
                number = self._field(form, said, Kind.NUMBER)
                number.lowest, number.highest = _whole(said.get("min"), 0), _whole(said.get("max"), 10)
            case "reset" | "button" | "image" | "file":
                return
            case _:
                self._field(form, said, Kind.WORDS)

    def _field(self, form: Form, said: dict[str, str], kind: Kind) -> Field:
        found = next((one for one in form.fields if one.name == said["name"] and one.kind is kind), None)
        if found is None:
            found = Field(said["name"], kind)
            form.fields.append(found)
        found.required = found.required or "required" in said
        return found


def _whole(said: str | None, otherwise: int) -> int:
    return int(said) if said is not None and said.lstrip("-").isdigit() else otherwise


def read_forms(page: str) -> tuple[Form, ...]:
    """Return the forms of a page, in order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return tuple(reader.forms)


def form_to_answer(page: str, *, answered: bool) -> Form | None:
    """Return the form that a patient would go on with, or None where there is nothing more to do.

    Args:
        page: the HTML that came.
        answered: whether questions were answered before; a form without any is then no longer part of the check-in.
    """
    posting = [form for form in read_forms(page) if form.method == "post"]
    asking = [form for form in posting if form.asks]
    if asking:
        return max(asking, key=lambda form: len(form.fields))
    return posting[0] if posting and not answered else None


@dataclass(frozen=True)
class Mind:
    """What a patient would answer: nine PHQ-9 answers, and how unwell they are from 0 to 1 for anything else."""

    items: Sequence[int]
    unwell: float
    salt: str


def fill(form: Form, mind: Mind, position: int) -> tuple[list[tuple[str, str]], int]:
    """Return what is sent for a form, and how many scale questions were answered up to now.

    A question with exactly four choices takes the next PHQ-9 answer, and a page with nine or more of them begins with
    the first; any other question takes a choice by how unwell the patient is.

    Args:
        form: to fill in.
        mind: the patient's.
        position: how many scale questions were answered on the pages before.
    """
    sent: list[tuple[str, str]] = []
    if sum(len(one.values) == _SCALE for one in form.fields) >= len(mind.items):
        position = 0
    for one in form.fields:
        match one.kind:
            case Kind.HIDDEN:
                sent += [(one.name, value) for value in one.values]
            case Kind.CHOICE | Kind.BUTTON if len(one.values) == _SCALE and position < len(mind.items):
                score = str(mind.items[position])
                sent.append((one.name, score if score in one.values else one.values[mind.items[position]]))
                position += 1
            case Kind.CHOICE if one.values:
                sent.append((one.name, _by_mood(one, mind)))
            case Kind.BUTTON:
                sent.append((one.name, _by_mood(one, mind)))
            case Kind.NUMBER:
                span = one.highest - one.lowest
                sent.append((one.name, str(one.lowest + round(span * min(max(_mood(one, mind), 0.0), 1.0)))))
            case Kind.TICK if one.required:
                sent.append((one.name, one.values[0]))
            case Kind.WORDS:
                sent.append((one.name, "ok" if one.required else ""))
            case _:
                continue
    return sent, position


def _mood(one: Field, mind: Mind) -> float:
    return mind.unwell + 0.3 * (roll(mind.salt, one.name) - 0.5)


def _by_mood(one: Field, mind: Mind) -> str:
    """Return a choice: rarely the second of two (no, yes); of many the better half when well (a rating of 0 to 10)."""
    if len(one.values) == _NO_OR_YES:
        return one.values[int(happens(_YES, mind.salt, one.name))]
    mood = min(max(_mood(one, mind), 0.0), 0.999)
    place = int(mood * len(one.values))
    return one.values[-1 - place] if len(one.values) >= _RATING else one.values[place]
