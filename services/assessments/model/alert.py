"""When an answer or a text needs a person, and how urgently.

Source of item 9: it predicts suicide attempts within a year, from .4 % ("not at all") to 4 % ("nearly every day"),
https://ps.psychiatryonline.org/doi/10.1176/appi.ps.201200587 . An item 9 of zero is no clearance. What the other
questions call for stands with each question in its pack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from services.assessments.model.instrument import Instrument, Item
from services.assessments.model.scoring import Answers
from shared import crisis
from shared.instruments import PHQ_9

ITEM: Final = "9"
_HIGH_FROM: Final = 2
_SHOWN_WORDS: Final = 400

PAGE_AGAIN_AFTER_ACKNOWLEDGING: Final = timedelta(minutes=60)
"""Who takes an alert and does not close it is paged again, and all others with them, until it is closed. Engineering
default: long enough to call a patient and to write down what was done, short enough that a change of shift does not
bury it. No published deadline was found."""
MOST_ALERTS_AN_HOUR: Final = 20
"""How many alerts one person's texts raise in an hour, so that a machine that answers a machine floods nobody. The
first of them page all the while. Engineering default."""


class AlertLevel(StrEnum):
    """How urgent: `high` and `elevated` page until somebody acknowledges, `task` waits on Today until it is closed."""

    TASK = "task"
    ELEVATED = "elevated"
    HIGH = "high"

    @property
    def pages(self) -> bool:
        """Whether the people on call are paged."""
        return self is not AlertLevel.TASK


class AlertKind(StrEnum):
    """What an alert is about."""

    ITEM_9 = "item-9"
    CRISIS_WORDS = "crisis-words"
    BLADDER = "bladder"
    BLOOD_PRESSURE = "blood-pressure"
    DISSOCIATION = "dissociation"
    MOOD = "mood"


_TO_THE_PERSON: Final = frozenset({AlertKind.ITEM_9, AlertKind.CRISIS_WORDS, AlertKind.MOOD})
"""What may be despair: whoever says it is shown the clinic's crisis text on the same screen."""
_RANK: Final = {AlertLevel.TASK: 1, AlertLevel.ELEVATED: 2, AlertLevel.HIGH: 3}
_A_LEVEL: Final = 1000


@dataclass(frozen=True)
class Concern:
    """What somebody's words or answers call for.

    Attributes:
        severity: of the same kind, the higher is the worse; a level outweighs all within one.
        cause: why, for the person who handles it; health data.
    """

    kind: AlertKind
    level: AlertLevel
    severity: int
    cause: str


def severity_of(level: AlertLevel, within: int = 0) -> int:
    """Return a figure by which two concerns of one kind are compared."""
    return _RANK[level] * _A_LEVEL + max(0, min(within, _A_LEVEL - 1))


def concerns_of(instrument: Instrument, answers: Answers) -> list[Concern]:
    """Return what answers call for, complete or not, one for each kind, the gravest first.

    A half-answered form counts: a person who stops after item 9 must not go unseen.
    """
    found = [*_item_9(instrument.id, answers), *_by_pack(instrument, answers)]
    return sorted(found, key=lambda concern: concern.severity, reverse=True)


def concern_of_words(words: str, where: str) -> Concern | None:
    """Return what somebody's own words call for, or None; `where` says where they were written."""
    sounds = crisis.find(words)
    if sounds is None:
        return None
    shown = " ".join(words.split())
    shown = shown if len(shown) <= _SHOWN_WORDS else f"{shown[:_SHOWN_WORDS]} ..."
    level = AlertLevel(sounds)
    return Concern(AlertKind.CRISIS_WORDS, level, severity_of(level), f'{where}: "{shown}"')


def level_of(instrument: Instrument, answers: Answers, words: str | None = None) -> AlertLevel | None:
    """Return the level for which the person who answers is shown the clinic's crisis text, or none."""
    sounds = None if words is None else concern_of_words(words, "")
    found = [*concerns_of(instrument, answers), *([] if sounds is None else [sounds])]
    return next((one.level for one in found if one.kind in _TO_THE_PERSON and one.level.pages), None)


def _item_9(instrument: str, answers: Answers) -> list[Concern]:
    if instrument != PHQ_9 or not (value := answers.get(ITEM, 0)):
        return []
    level = AlertLevel.HIGH if value >= _HIGH_FROM else AlertLevel.ELEVATED
    cause = f"PHQ-9 item 9 (better off dead, or hurting oneself) was answered {value} of 3."
    return [Concern(AlertKind.ITEM_9, level, severity_of(level, value), cause)]


def _by_pack(instrument: Instrument, answers: Answers) -> list[Concern]:
    by_kind: dict[AlertKind, list[tuple[Item, AlertLevel, int]]] = {}
    for item in instrument.items:
        value = answers.get(item.id)
        if value is not None and item.alert is not None and item.alert.calls(value):
            by_kind.setdefault(AlertKind(item.alert.kind), []).append((item, AlertLevel(item.alert.level), value))
    return [_concern(instrument, kind, found) for kind, found in by_kind.items()]


def _concern(instrument: Instrument, kind: AlertKind, found: Sequence[tuple[Item, AlertLevel, int]]) -> Concern:
    level = max((level for _, level, _ in found), key=_RANK.__getitem__)
    words = instrument.wording["en"]
    said = []
    for item, _, value in found:
        scale = instrument.scales[item.scale]
        answer = words.scales[item.scale][scale.values.index(value)]
        said.append(f"{words.items[item.id].rstrip('?')}: {answer}")
    # A second thing of the kind makes it worse, and so does an answer further out.
    within = sum(item.alert.beyond(value) + 1 for item, _, value in found if item.alert is not None)
    return Concern(kind, level, severity_of(level, within), f"{words.title}: {'; '.join(said)}.")
