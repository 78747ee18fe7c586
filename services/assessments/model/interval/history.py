"""What the interval rule looks at, and what it says."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

MEMORY_CYCLES: Final = range(6, 13)
"""Cycles for which a failed rung may stay blocked."""


class Direction(StrEnum):
    """What the rule proposes for the interval."""

    SHORTEN = "shorten"
    HOLD = "hold"
    LENGTHEN = "lengthen"


@dataclass(frozen=True)
class Reading:
    """A completed PHQ-9.

    Args:
        asked_for: the day that the check-in was for; an answer after midnight still counts for it.
        completed_at: when the answers came.
        total: 0 to 27.
    """

    checkin: UUID
    asked_for: date
    completed_at: datetime
    total: int


@dataclass(frozen=True)
class Change:
    """A decided change of the interval, in days, on the date of the decision."""

    on: date
    from_days: int
    to_days: int


@dataclass(frozen=True)
class OutsideChange:
    """Something other than the interval that moved the scores: a shock, a dose, another medication."""

    on: date
    kind: str


@dataclass(frozen=True)
class History:
    """One patient's course under one plan.

    Args:
        readings: completed PHQ-9s.
        asked: for which days a PHQ-9 was asked and is answered, or can be answered no more.
        sessions: dates of the attended sessions.
        changes: decided changes of the interval.
        outside: outside changes on record.
        open_alerts: safety alerts that nobody has closed.
    """

    readings: tuple[Reading, ...]
    asked: tuple[date, ...]
    sessions: tuple[date, ...]
    changes: tuple[Change, ...] = ()
    outside: tuple[OutsideChange, ...] = ()
    open_alerts: int = 0


@dataclass(frozen=True)
class Plan:
    """The plan as the scheduler last told it.

    Args:
        interval_days: the interval that now holds.
        induction_completed_on: the date of induction's last session, once it is complete.
        ladder: intervals in days that the protocol allows, shortest first; None where the plan has not said them.
        opt_in_above: days above which a clinic must have agreed to longer intervals; None where there is no such limit.
    """

    protocol: str
    maintenance: bool
    induction_completed_on: date | None
    interval_days: int
    ladder: tuple[int, ...] | None = None
    opt_in_above: int | None = None

    def needs_opt_in(self, days: int) -> bool:
        """Tell whether an interval is one that a clinic must have agreed to."""
        return self.opt_in_above is not None and days > self.opt_in_above


@dataclass(frozen=True)
class Parameters:
    """What a clinic may set.

    Args:
        beyond_28_days: the clinic's opt-in to intervals above the protocol's limit (28 days in those that ship).
        memory_cycles: for how many cycles a rung that had to be shortened is not tried again. Prototype: with 12, fast
            relapsers were held better than by a fixed schedule at matched visits; without memory they were not.

    Raises:
        ValueError: `memory_cycles` outside 6 to 12.
    """

    beyond_28_days: bool = False
    memory_cycles: int = 12

    def __post_init__(self) -> None:
        """Refuse a memory outside the range that the rule was described with."""
        if self.memory_cycles not in MEMORY_CYCLES:
            raise ValueError(f"memory_cycles is {self.memory_cycles}; it must be 6 to 12.")


class Code(StrEnum):
    """Why the rule proposes what it proposes; the words are in `reasons`."""

    SAFETY_ALERT_OPEN = "safety-alert-open"
    INDUCTION_NOT_COMPLETE = "induction-not-complete"
    RESPONSE_NOT_DOCUMENTED = "response-not-documented"
    INSUFFICIENT_DATA = "insufficient-data"
    SCORES_NEEDED = "scores-needed"
    NO_LADDER = "no-ladder"
    LADDER_NOT_KNOWN = "ladder-not-known"
    AT_SHORTEST_RUNG = "at-shortest-rung"
    SHORTENED_TWICE = "shortened-twice"
    OUTSIDE_CHANGE = "outside-change"
    RISE_RIGHT_AFTER_SESSION = "rise-right-after-session"
    LATE_SCORES_HIGH = "late-scores-high"
    RISE_CONFIRMED = "rise-confirmed"
    RISE_UNCONFIRMED = "rise-unconfirmed"
    LATE_SCORES_STABLE = "late-scores-stable"
    CYCLE_NOT_OVER = "cycle-not-over"
    CHANGED_THIS_CYCLE = "changed-this-cycle"
    CHANGED_SINCE = "changed-since"
    FIRST_CYCLE = "first-cycle"
    PREVIOUS_CYCLE_INSUFFICIENT = "previous-cycle-insufficient"
    PREVIOUS_CYCLE_NOT_STABLE = "previous-cycle-not-stable"
    RUNG_BLOCKED = "rung-blocked"
    AT_LONGEST_RUNG = "at-longest-rung"
    OPT_IN_NEEDED = "opt-in-needed"
    BETWEEN = "between"


@dataclass(frozen=True)
class Reason:
    """A coded reason, its sentence for the clinician, and the figures in it."""

    code: Code
    text: str
    values: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the rule proposes.

    Args:
        review: the question is not the interval alone: a clinician must look.
        to_days: the proposed interval; as now, for a hold.
        evidence: the readings that were used, oldest first.
        newest: the reading that put the question.
    """

    direction: Direction
    review: bool
    from_days: int
    to_days: int
    reasons: tuple[Reason, ...]
    evidence: tuple[Reading, ...]
    newest: Reading
    rule: str
    rule_version: int
