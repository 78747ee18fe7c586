"""From answers to a score: the total, its band, and what it flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.assessments.model.instrument import Instrument, Item

Answers = Mapping[str, int]
"""Answers by item id."""


@dataclass(frozen=True)
class Refusal:
    """One thing wrong with answers: `place` is a JSON pointer below the list (`/3`, or empty for the list)."""

    place: str
    detail: str


class AnswersRefusedError(Exception):
    """Answers of the wrong number or outside their scale; `refusals` names every place."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(" ".join(f"{refusal.place or 'answers'}: {refusal.detail}" for refusal in refusals))


@dataclass(frozen=True)
class Score:
    """What a completed instrument says.

    Args:
        total: the sum of the scored items, or none where the instrument is not validated.
        band: the published name of the total's range, or none.
        flags: what somebody should look at, in the order of the items.
        answers: the answers themselves, by item.
    """

    instrument: str
    version: int
    total: int | None
    band: str | None
    flags: tuple[str, ...]
    answers: Answers


def from_list(instrument: Instrument, values: Sequence[int]) -> dict[str, int]:
    """Name the answers of a list, which holds either all items in order or only the required ones.

    Raises:
        AnswersRefusedError: the list has another length, or a value lies outside its item's scale.
    """
    for items in (instrument.items, instrument.required):
        if len(values) == len(items):
            answers = {item.id: value for item, value in zip(items, values, strict=True)}
            check(instrument, answers, places={item.id: f"/{index}" for index, item in enumerate(items)})
            return answers
    needed = " or ".join(str(count) for count in sorted({len(instrument.required), len(instrument.items)}))
    raise AnswersRefusedError([Refusal("", f"{instrument.id} takes {needed} answers; {len(values)} came.")])


def check(instrument: Instrument, answers: Answers, *, places: Mapping[str, str] | None = None) -> None:
    """Hold answers against the scales of their items.

    Raises:
        AnswersRefusedError: an unknown item, or a value outside the scale.
    """
    refusals = []
    for item_id, value in answers.items():
        place = (places or {}).get(item_id, f"/{item_id}")
        item = instrument.item(item_id)
        if item is None:
            refusals.append(Refusal(place, f"{instrument.id} has no item {item_id!r}."))
        elif value not in (values := instrument.scales[item.scale].values):
            refusals.append(Refusal(place, f"{value} is outside {values[0]} to {values[-1]}."))
    if refusals:
        raise AnswersRefusedError(refusals)


def missing(instrument: Instrument, answers: Answers) -> tuple[Item, ...]:
    """Return the required items that have no answer yet."""
    return tuple(item for item in instrument.required if item.id not in answers)


def flags(instrument: Instrument, answers: Answers) -> tuple[str, ...]:
    """Return the flags of the answers above zero; a half-answered instrument has them too."""
    return tuple(item.flag for item in instrument.items if item.flag and answers.get(item.id, 0) > 0)


def score(instrument: Instrument, answers: Answers) -> Score:
    """Score a complete instrument.

    Raises:
        AnswersRefusedError: an answer is missing, unknown or outside its scale.
    """
    check(instrument, answers)
    if absent := missing(instrument, answers):
        raise AnswersRefusedError([Refusal(f"/{item.id}", "This answer is missing.") for item in absent])
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
    )


def _band(instrument: Instrument, total: int) -> str | None:
    return next((band.name for band in instrument.bands if band.lowest <= total <= band.highest), None)
