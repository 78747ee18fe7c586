"""What a clinician's decision about an interval does to the plan."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class DecisionOutcome(StrEnum):
    """What a decision did to the plan."""

    APPLIED = "applied"
    KEPT = "kept-for-maintenance"
    REFUSED = "refused"
    PLAN_ENDED = "plan-ended"
    UNKNOWN = "not-known-here"
    TAKEN_BACK = "taken-back"


HOLDS: Final = frozenset({DecisionOutcome.APPLIED, DecisionOutcome.KEPT})
"""Outcomes by which the plan goes."""


@dataclass(frozen=True)
class Decision:
    """A decision as it is kept; `interval_days` is None where it was refused."""

    proposal: UUID
    patient: UUID
    plan: UUID
    version: int
    decision: str
    interval_days: int | None
    decided_at: datetime
    outcome: DecisionOutcome
