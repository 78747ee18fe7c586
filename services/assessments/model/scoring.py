"""From answers to a score: the total, its band, and what it flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.assessments.model.instrument import Instrument, Item

Answers = Mapping[str, int]
"""Answers by item id."""


@dataclass(frozen=True)
class Refusal:
    """One thing wrong with answers: `place` is a JSON pointer (`/answers/3`, `/difficulty`)."""

    place: str
    detail: str


class AnswersRefusedError(Exception):
    """Answers of the wrong number or outside their scale; `refusals` names every place."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(" ".join(f"{refusal.place}: {refusal.detail}" for refusal in refusals))


@dataclass(frozen=True)
class Score:
    """What a completed instrument says.

    Args:
        total: the sum of the scored items, or none where the instrument is not validated.
        band: the published name of the total's range, or none.
        flags: what somebody should look at, in the order of the items.
        answers: the answers themselves, by item.
        words: what the patient wrote with them.
    """

    instrument: str
    version: int
    total: int | None
    band: str | None
    flags: tuple[str, ...]
    answers: Answers
    words: str | None = None


def from_list(
    instrument: Instrument, values: Sequence[int], optional: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Name the answers of a list, which holds the required items in order; the others come by their own name.

    Raises:
        AnswersRefusedError: the list has another length, or a value lies outside its item's scale.
    """
    extra = dict(optional or {})
    required = instrument.required
    if len(values) != len(required):
        raise AnswersRefusedError([Refusal("/answers", _wrong_length(instrument, len(values)))])
    answers = {item.id: value for item, value in zip(required, values, strict=True)}
    places = {item.id: f"/answers/{index}" for index, item in enumerate(required)}
    check(instrument, {**answers, **extra}, places={**places, **{name: f"/{name}" for name in extra}})
    return {**answers, **extra}


def _wrong_length(instrument: Instrument, count: int) -> str:
    said = f"{instrument.id} takes {len(instrument.required)} answers; {count} came."
    named = [item.id for item in instrument.items if not item.required]
    return f"{said} Send {' and '.join(named)} by its own name." if named else said


def check(instrument: Instrument, answers: Answers, *, places: Mapping[str, str] | None = None) -> None:
    """Hold answers against the scales of their items.

    Raises:
        AnswersRefusedError: an unknown item, or a value outside the scale.
    """
    refusals = []
    for item_id, value in answers.items():
        place = (places or {}).get(item_id, f"/answers/{item_id}")
        item = instrument.item(item_id)
        if item is None:
            refusals.append(Refusal(place, f"{instrument.id} has no item {item_id!r}."))
        elif value not in (values := instrument.scales[item.scale].values):
            refusals.append(Refusal(place, _outside(value, values)))
    if refusals:
        raise AnswersRefusedError(refusals)


def _outside(value: int, values: Sequence[int]) -> str:
    said = f"{value} is outside {values[0]} to {values[-1]}."
    if values[0] == 0 and value == values[-1] + 1:
        return f"{said} A list that is coded 1 to {value} must be brought to 0 to {values[-1]} first: take 1 off each."
    return said


def missing(instrument: Instrument, answers: Answers) -> tuple[Item, ...]:
    """Return the required items that have no answer yet."""
    return tuple(item for item in instrument.required if item.id not in answers)


def flags(instrument: Instrument, answers: Answers) -> tuple[str, ...]:
    """Return the flags of the answers above zero; a half-answered instrument has them too."""
    return tuple(item.flag for item in instrument.items if item.flag and answers.get(item.id, 0) > 0)


def score(instrument: Instrument, answers: Answers, words: str | None = None) -> Score:
    """Score a complete instrument.

    Raises:
        AnswersRefusedError: an answer is missing, unknown or outside its scale.
    """
    check(instrument, answers)
    if absent := missing(instrument, answers):
        raise AnswersRefusedError([Refusal(f"/answers/{item.id}", "This answer is missing.") for item in absent])
    total = None
    if instrument.validated:
        total = sum(answers[item.id] for item in instrument.items if item.scored)
    return Score(
        instrument=instrument.id,
        version=instrument.version,
        total=total,
        band=None if total is None else _band(instrument, total),
        flags=flags(instrument, answers),
        answers=dict(answers),
        words=words,
    )


def _band(instrument: Instrument, total: int) -> str | None:
    return next((band.name for band in instrument.bands if band.lowest <= total <= band.highest), None)
