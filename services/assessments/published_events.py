"""Proposals and what was decided of them as the events that tell of them."""

from typing import TypedDict
from uuid import UUID

from services.assessments.model.interval.history import Direction
from services.assessments.store.proposals import Proposal
from shared.events import IntervalDecided, IntervalExpired, IntervalProposed, IntervalTakenBack
from shared.ids import ClinicId


class _About(TypedDict):
    clinic: ClinicId
    patient: UUID
    proposal: UUID
    plan: UUID
    version: int


def proposed(proposal: Proposal) -> IntervalProposed:
    """Return the event that tells of a proposal."""
    return IntervalProposed(
        **_about(proposal, 1),
        direction=proposal.direction.value,
        from_days=proposal.from_days,
        to_days=proposal.to_days,
        rule=proposal.rule,
        rule_version=proposal.rule_version,
        detail=proposal.sealed,
        expires_at=proposal.expires_at,
        needs_decision=proposal.direction is not Direction.HOLD,
    )


def decided(proposal: Proposal) -> IntervalDecided:
    """Return the event that tells what was decided."""
    return IntervalDecided(
        **_about(proposal, proposal.version),
        decision=proposal.decision,
        interval_days=proposal.interval_days,
        by=proposal.decided_by,
        at=proposal.decided_at,
        reason=proposal.reason,
        overruled=proposal.overruled,
    )


def expired(proposal: Proposal, version: int, *, overtaken: bool = False) -> IntervalExpired:
    """Return the event that tells that a proposal ended undecided, `overtaken` or by time."""
    return IntervalExpired(**_about(proposal, version), overtaken=overtaken)


def taken_back(proposal: Proposal) -> IntervalTakenBack:
    """Return the event that tells of a decision that was taken back."""
    return IntervalTakenBack(
        **_about(proposal, proposal.version),
        decision=proposal.decision,
        interval_days=proposal.interval_days,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        by=proposal.taken_back_by,
        staff=proposal.taken_back_staff,
        at=proposal.taken_back_at,
        reason=proposal.taken_back_why,
    )


def _about(proposal: Proposal, version: int) -> _About:
    return {
        "clinic": proposal.clinic,
        "patient": proposal.patient,
        "proposal": proposal.id,
        "plan": proposal.plan,
        "version": version,
    }
