"""Cycles, windows, the personal best and the rungs: what the rule measures with."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Final

from services.assessments.model.interval.history import History, Plan, Reading

BEST_OF: Final = 3
LATE: Final = 2
MIN_SCORES: Final = 2
MIN_SHARE: Final = 0.5
REMISSION_BELOW: Final = 5
RESPONSE_SHARE: Final = 0.5
RECALL: Final = timedelta(days=14)
"""A PHQ-9 asks about two weeks: a shorter window would hold one score where one is asked a week."""
REACHES_BACK: Final = timedelta(days=28)
"""How far a window reaches back for the second of two scores that were asked."""


@dataclass(frozen=True)
class Cycle:
    """A stretch of days with what was asked and answered in it: from one attended session to the next, or longer.

    A PHQ-9 for a session's own day looks back: it belongs to the cycle that the session ends.

    Attributes:
        begins: the day before its first; None where no session lies before it.
    """

    begins: date | None
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

    @property
    def missing(self) -> int:
        """Return how many more scores it takes, each of which is asked for too."""
        return max(0, MIN_SCORES - len(self.readings), self.asked - 2 * len(self.readings))

    def holds(self, day: date) -> bool:
        """Tell whether a day is in it, or after it."""
        return self.begins is None or day > self.begins


def in_order(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return readings by the day they are for, then by when they came."""
    return tuple(sorted(readings, key=lambda reading: (reading.asked_for, reading.completed_at)))


def cycle_number(history: History, day: date) -> int:
    """Return how many attended sessions lie before a day."""
    return bisect_left(sorted(history.sessions), day)


def cycle(history: History, number: int, until: date) -> Cycle:
    """Return a cycle as it stood on a day."""
    days = sorted(history.sessions)
    return Cycle(
        begins=days[number - 1] if 0 < number <= len(days) else None,
        readings=tuple(
            reading
            for reading in in_order(history.readings)
            if reading.asked_for <= until and cycle_number(history, reading.asked_for) == number
        ),
        asked=sum(1 for day in history.asked if day <= until and cycle_number(history, day) == number),
    )


def window(history: History, until: date) -> Cycle:
    """Return the cycle that a day is in, or the two weeks that end with it where those reach further back.

    Where sessions are moved, two weeks may hold but one PHQ-9; then it reaches back to the one before, 28 days at most:
    who was asked twice and answered twice is never short of data.
    """
    begins = until - RECALL
    if number := cycle_number(history, until):
        begins = min(begins, sorted(history.sessions)[number - 1])
    asked = sorted(day for day in history.asked if day <= until)[-MIN_SCORES:]
    if len(asked) == MIN_SCORES and until - REACHES_BACK < asked[0] <= begins:
        begins = asked[0] - timedelta(days=1)
    return Cycle(
        begins=begins,
        readings=tuple(one for one in in_order(history.readings) if begins < one.asked_for <= until),
        asked=sum(1 for day in history.asked if begins < day <= until),
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


def first_reading(history: History, plan: Plan) -> Reading | None:
    """Return what a response is held against: the baseline, or else the first reading up to the end of induction."""
    completed = plan.induction_completed_on
    before = [one for one in in_order(history.readings) if completed is None or one.asked_for <= completed]
    return before[0] if before else None


def responded(history: History, plan: Plan) -> bool:
    """Say whether a response is on record: half of the first reading or less, or remission (below 5).

    Source: https://stanfordhealthcare.org/publications/837/837264.html .
    """
    after = post_induction(history, plan)
    if any(reading.total < REMISSION_BELOW for reading in after):
        return True
    first = first_reading(history, plan)
    return first is not None and any(reading.total <= RESPONSE_SHARE * first.total for reading in after)


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
