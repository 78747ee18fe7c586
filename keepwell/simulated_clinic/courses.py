"""What the loop made of each patient, as the interface tells it: what was measured, proposed and decided."""

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from keepwell.simulated_clinic.counter import CheckinSeen, ProposalSeen
from services.assessments.model.interval.history import Code, Direction
from shared.instruments import MEASURE

DIRECTIONS: Final = tuple(direction.value for direction in Direction)
SHORT_OF_DATA: Final = frozenset({Code.INSUFFICIENT_DATA.value, Code.PREVIOUS_CYCLE_INSUFFICIENT.value})


@dataclass(frozen=True)
class Course:
    """One patient's measures and proposals.

    Attributes:
        induced: whether induction was completed, and its last measure was due.
    """

    induced: bool
    checkins: Sequence[CheckinSeen]
    proposals: Sequence[ProposalSeen]

    @property
    def measures(self) -> list[CheckinSeen]:
        return [one for one in self.checkins if MEASURE in one.instruments]

    @property
    def answers_everything(self) -> bool:
        """Tell whether no measure that was asked went unanswered."""
        return bool(self.measures) and not any(one.state == "expired" for one in self.measures)

    @property
    def has_baseline(self) -> bool:
        """Tell whether a measure from before the first session is there."""
        return any(one.occurrence == "baseline" and one.state == "completed" for one in self.measures)

    @property
    def in_induction(self) -> int:
        """Return how many of induction's measures were answered, the baseline left out."""
        return sum(one.occurrence.startswith("week-") and one.state == "completed" for one in self.measures)

    @property
    def short_of_data(self) -> int:
        """Return how many proposals say that data are missing."""
        return sum(bool(SHORT_OF_DATA.intersection(reason.code for reason in one.reasons)) for one in self.proposals)


def counts(courses: Sequence[Course]) -> dict[str, object]:
    """Return the counts of a clinic: all patients, and apart those who answered every measure."""
    proposals = [one for course in courses for one in course.proposals]
    directions = Tally(one.direction for one in proposals)
    decisions = Tally(one.decision for one in proposals if one.decision is not None)
    return {
        "proposals": {"all": len(proposals), **{way: directions[way] for way in DIRECTIONS}},
        "decisions": {
            "all": decisions.total(),
            **{kind: decisions[kind] for kind in ("approve", "change", "refuse")},
            "against_objections": sum(one.override_reason is not None for one in proposals),
        },
        "measures": _measured(courses),
        "measures_of_who_answer_everything": _measured([one for one in courses if one.answers_everything]),
    }


def _measured(courses: Sequence[Course]) -> dict[str, object]:
    induced = [one.in_induction for one in courses if one.induced]
    return {
        "patients": len(courses),
        "baselines": sum(one.has_baseline for one in courses),
        "induction_completed": len(induced),
        "in_induction_min": min(induced, default=None),
        "in_induction_median": median(induced) if induced else None,
        "proposals": sum(len(one.proposals) for one in courses),
        "insufficient_data": sum(one.short_of_data for one in courses),
    }
