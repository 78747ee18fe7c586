"""When an answer needs a person now, and how urgently.

Source: PHQ-9 item 9 predicts suicide attempts within a year, from .4 % ("not at all") to 4 % ("nearly every day"),
https://ps.psychiatryonline.org/doi/10.1176/appi.ps.201200587 . An item 9 of zero is no clearance.
"""

from enum import StrEnum
from typing import Final

from services.assessments.model.scoring import Answers

INSTRUMENT: Final = "phq-9"
ITEM: Final = "9"
_HIGH_FROM: Final = 2


class AlertLevel(StrEnum):
    """Engineering default: 1 ("several days") is elevated, 2 and 3 are high."""

    ELEVATED = "elevated"
    HIGH = "high"


def level_of(instrument: str, answers: Answers) -> AlertLevel | None:
    """Return the level that answers call for, complete or not, or none.

    A half-answered form counts: a person who stops after item 9 must not go unseen.
    """
    if instrument != INSTRUMENT or not (value := answers.get(ITEM, 0)):
        return None
    return AlertLevel.HIGH if value >= _HIGH_FROM else AlertLevel.ELEVATED


def cause_of(value: int) -> str:
    """Say why an alert was raised, for the person who is paged."""
    return f"PHQ-9 item 9 (better off dead, or hurting oneself) was answered {value} of 3."


def rises(old: AlertLevel, new: AlertLevel) -> bool:
    """Say whether a later answer makes an open alert more urgent."""
    return old is AlertLevel.ELEVATED and new is AlertLevel.HIGH
