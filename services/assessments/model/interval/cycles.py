"""Cycles, the personal best and the rungs: what the rule measures with."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Final

from services.assessments.model.interval.history import History, Plan, Reading

BEST_OF: Final = 3
LATE: Final = 2
MIN_SCORES: Final = 2
MIN_SHARE: Final = 0.5
REMISSION_BELOW: Final = 5
RESPONSE_SHARE: Final = 0.5


@dataclass(frozen=True)
class Cycle:
    """The time from one attended session to the next, with what was asked and answered in it.

    A PHQ-9 for a session's own day looks back: it belongs to the cycle that the session ends.
    """

    number: int
    readings: tuple[Reading, ...]
    asked: int

    @property
    def late(self) -> tuple[Reading, ...]:
        """The last two readings, or fewer."""
        return self.readings[-LATE:]

    @property
    def sufficient(self) -> bool:
        """At least two valid scores, and at least half of those that were asked for."""
        return len(self.readings) >= MIN_SCORES and len(self.readings) >= MIN_SHARE * self.asked


def in_order(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return readings by the day they are for, then by when they came."""
    return tuple(sorted(readings, key=lambda reading: (reading.asked_for, reading.completed_at)))


def cycle_number(history: History, day: date) -> int:
    """Return how many attended sessions lie before a day."""
    return bisect_left(sorted(history.sessions), day)


def cycle(history: History, number: int, until: date) -> Cycle:
    """Return a cycle as it stood on a day."""
    return Cycle(
        number=number,
        readings=tuple(
            reading
            for reading in in_order(history.readings)
            if reading.asked_for <= until and cycle_number(history, reading.asked_for) == number
        ),
        asked=sum(1 for day in history.asked if day <= until and cycle_number(history, day) == number),
    )


def post_induction(history: History, plan: Plan) -> tuple[Reading, ...]:
    """Return the readings for days after induction's last session."""
    completed = plan.induction_completed_on
    if completed is None:
        return ()
    return tuple(reading for reading in in_order(history.readings) if reading.asked_for > completed)


def personal_best(readings: Sequence[Reading]) -> float:
    """Return the median of the best three post-induction totals, or of as many as there are.

    Raises:
        ValueError: there is no reading.
    """
    if not readings:
        raise ValueError("A personal best needs at least one reading after induction.")
    return float(median(sorted(reading.total for reading in readings)[:BEST_OF]))


def responded(history: History, plan: Plan) -> bool:
    """Say whether a response is on record: half of the first reading or less, or remission (below 5).

    Source: https://stanfordhealthcare.org/publications/837/837264.html . The first reading counts as a baseline only
    where it is for a day up to the end of induction.
    """
    after = post_induction(history, plan)
    if any(reading.total < REMISSION_BELOW for reading in after):
        return True
    completed = plan.induction_completed_on
    before = [reading for reading in in_order(history.readings) if completed and reading.asked_for <= completed]
    return bool(before) and any(reading.total <= RESPONSE_SHARE * before[0].total for reading in after)


def rung_below(ladder: Sequence[int], days: int) -> int | None:
    """Return the next shorter rung, or none."""
    return max((rung for rung in ladder if rung < days), default=None)


def rung_above(ladder: Sequence[int], days: int) -> int | None:
    """Return the next longer rung, or none."""
    return min((rung for rung in ladder if rung > days), default=None)


def blocked_rung(history: History, now: int, memory_cycles: int) -> int | None:
    """Return the shortest rung that had to be left within the memory, counted in cycles, or none."""
    return min(
        (
            change.from_days
            for change in history.changes
            if change.to_days < change.from_days and now - cycle_number(history, change.on) < memory_cycles
        ),
        default=None,
    )
