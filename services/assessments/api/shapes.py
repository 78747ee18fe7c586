"""How answers are written in the interface: order, range and coding, said where a program's author reads them."""

from typing import Annotated, Final

from pydantic import Field

from services.assessments.model.instrument import Instrument
from shared.web.problems import Invalid

_DIFFICULTY: Final = "difficulty"

AnswerList = Annotated[
    tuple[Annotated[int, Field(strict=True, ge=0, le=10)], ...],
    Field(
        max_length=100,
        description=(
            "One whole number for each required question, in the order and of the values of `GET /instruments`. "
            "phq-9: nine numbers from 0 to 3, question 1 to 9: 0 not at all, 1 several days, 2 more than half the "
            "days, 3 nearly every day; the ninth asks about thoughts of being better off dead, and anything above 0 "
            "raises an alert. post-session: eleven numbers, the mood from 0 (very low) to 10 (very good), then ten "
            "questions with 0 no, 1 yes. A list that is coded from 1 (as 1 to 4) must be brought down by 1 first: as "
            "it stands, nine times 1 would say several days of everything."
        ),
        examples=[[1, 2, 1, 2, 0, 1, 1, 0, 0]],
    ),
]
Difficulty = Annotated[
    int | None,
    Field(
        strict=True,
        ge=0,
        le=3,
        description=(
            "phq-9 only, not counted: how difficult the problems made work, home and getting along: 0 not difficult at "
            "all, 1 somewhat, 2 very, 3 extremely difficult. It is no tenth number of the list."
        ),
        examples=[1],
    ),
]


def optional_of(difficulty: int | None) -> dict[str, int]:
    """Return the answers that have a name of their own."""
    return {} if difficulty is None else {_DIFFICULTY: difficulty}


def refuse_strangers(instrument: Instrument, *, difficulty: int | None, words: str | None) -> None:
    """Return where an instrument asks what was answered by name.

    Raises:
        Invalid: it does not, at the place of the answer.
    """
    if difficulty is not None and instrument.item(_DIFFICULTY) is None:
        raise Invalid.at(f"/{_DIFFICULTY}", f"{instrument.id} does not ask this. Leave it out.")
    if words is not None and not instrument.words:
        raise Invalid.at("/words", f"{instrument.id} has no field for own words. Leave it out.")
