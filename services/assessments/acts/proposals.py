"""Ask the interval rule after a PHQ-9, and keep what a clinician decides about its proposal."""

import json
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.assessments.kit import Kit
from services.assessments.model.interval.history import History, Parameters, Verdict
from services.assessments.model.interval.ladder import RULE, RULE_VERSION, evaluate
from services.assessments.model.lifecycles import PROPOSAL, ProposalState
from services.assessments.model.rules import BEYOND_28
from services.assessments.store import alerts, checkins, known, proposals
from services.assessments.store.checkins import Checkin
from services.assessments.store.known import KnownPlan, Patient
from services.assessments.store.proposals import Proposal, Signature
from shared.bus import cancel_timers, publish
from shared.database import Reader, Transaction
from shared.events import IntervalDecided, IntervalExpired, IntervalProposed
from shared.events.assessments import Decision
from shared.ids import ClinicId, new_id
from shared.telemetry.log import get_logger

log = get_logger(__name__)

INSTRUMENT: Final = "phq-9"
TRIAL: Final = "for trial"
_PROPOSAL: Final = "proposal"
_REASON: Final = "decision-reason"
_DECIDED: Final[dict[Decision, ProposalState]] = {
    "approve": ProposalState.APPROVED,
    "change": ProposalState.CHANGED,
    "refuse": ProposalState.REFUSED,
}


async def signatures(reader: Reader, kit: Kit, clinic: ClinicId) -> dict[tuple[str, int], Signature]:
    """Return under which rules a clinic has signed.

    While no live provider is set the interval rule counts as signed for trial; that ends with the trial.
    """
    signed = await proposals.signed(reader, clinic)
    if kit.trial:
        signed.setdefault((RULE, RULE_VERSION), Signature(RULE, RULE_VERSION, TRIAL, reader.now, None))
    return signed


async def propose(tx: Transaction, kit: Kit, patient: Patient, checkin: Checkin) -> Proposal | None:
    """Put one proposal after a PHQ-9, in place of an open one of the plan; none while the rule is unsigned."""
    plan_id = checkin.plan or await known.current_plan(tx, patient.id)
    plan = None if plan_id is None else await known.plan(tx, plan_id)
    if plan is None or patient.discharged:
        return None
    signed = await signatures(tx, kit, patient.clinic)
    if (RULE, RULE_VERSION) not in signed:
        log.info("interval.rule_unsigned", rule=RULE)
        return None
    parameters = Parameters(beyond_28_days=(BEYOND_28, 1) in signed)
    verdict = evaluate(await _history(tx, kit, patient, plan), plan.plan, parameters)
    await supersede(tx, plan.id)
    return await _add(tx, kit, checkin, plan, verdict)


async def _history(tx: Transaction, kit: Kit, patient: Patient, plan: KnownPlan) -> History:
    return History(
        readings=await checkins.readings(tx, kit.keyring, patient.id, plan.id, INSTRUMENT),
        asked=await checkins.asked(tx, patient.id, plan.id, INSTRUMENT),
        sessions=await known.attended_on(tx, plan.id),
        changes=await proposals.decided_changes(tx, plan.id, patient.zone),
        outside=await proposals.outside(tx, kit.keyring, patient.id),
        open_alerts=await alerts.not_closed(tx, patient.id),
    )


async def _add(tx: Transaction, kit: Kit, checkin: Checkin, plan: KnownPlan, verdict: Verdict) -> Proposal:
    proposal = Proposal(
        id=new_id(),
        clinic=checkin.clinic,
        patient=checkin.patient,
        plan=plan.id,
        checkin=checkin.id,
        version=1,
        direction=verdict.direction,
        review=verdict.review,
        from_days=verdict.from_days,
        to_days=verdict.to_days,
        rule=verdict.rule,
        rule_version=verdict.rule_version,
        sealed=kit.keyring.seal(_detail(verdict), context=_PROPOSAL),
        state=ProposalState.OPEN,
        proposed_at=tx.now,
        expires_at=tx.now + timedelta(days=kit.times.proposal_days),
    )
    await proposals.add(tx, proposal)
    await publish(
        tx,
        IntervalProposed(
            clinic=proposal.clinic,
            patient=proposal.patient,
            proposal=proposal.id,
            plan=proposal.plan,
            version=proposal.version,
            direction=verdict.direction.value,
            from_days=proposal.from_days,
            to_days=proposal.to_days,
            rule=proposal.rule,
            rule_version=proposal.rule_version,
            detail=proposal.sealed,
            expires_at=proposal.expires_at,
        ),
    )
    await publish(tx, _expired(proposal, 2), at=proposal.expires_at, timer=_timer(proposal.id))
    return proposal


def _detail(verdict: Verdict) -> str:
    return json.dumps(
        {
            "review": verdict.review,
            "reasons": [
                {"code": reason.code, "text": reason.text, "values": dict(reason.values)} for reason in verdict.reasons
            ],
            "evidence": [
                {
                    "checkin": str(reading.checkin),
                    "asked_for": reading.asked_for.isoformat(),
                    "at": reading.completed_at.isoformat(),
                    "total": reading.total,
                }
                for reading in verdict.evidence
            ],
        }
    )


def detail(kit: Kit, proposal: Proposal) -> str:
    """Return a proposal's reasons and evidence as JSON, in clear."""
    return kit.keyring.open(proposal.sealed, context=_PROPOSAL)


def reason_text(kit: Kit, proposal: Proposal) -> str | None:
    """Return the clinician's reason, in clear."""
    return None if proposal.reason is None else kit.keyring.open(proposal.reason, context=_REASON)


async def supersede(tx: Transaction, plan_id: UUID) -> None:
    """End a plan's open proposal: newer answers or another interval have overtaken it."""
    current = await proposals.open_of_plan(tx, plan_id)
    if current is None:
        return
    changed = await proposals.change(tx, current.id, {"state": ProposalState.SUPERSEDED})
    await cancel_timers(tx, _timer(current.id))
    await publish(tx, _expired(changed, changed.version))


async def expire(tx: Transaction, event: IntervalExpired) -> None:
    """End a proposal that nobody decided in time."""
    proposal = await proposals.get(tx, event.proposal)
    if proposal is not None and PROPOSAL.allows(proposal.state, ProposalState.EXPIRED):
        await proposals.change(tx, proposal.id, {"state": ProposalState.EXPIRED})


async def decide(
    tx: Transaction,
    kit: Kit,
    proposal: Proposal,
    *,
    decision: Decision,
    interval_days: int | None,
    reason: str | None,
    by: str,
) -> Proposal:
    """Keep a clinician's decision and tell it; the scheduler plans again.

    Raises:
        IllegalTransitionError: it is decided, superseded or expired.
    """
    state = _DECIDED[decision]
    PROPOSAL.move(ProposalState.EXPIRED if _is_late(tx.now, proposal) else proposal.state, state)
    holds = {"approve": proposal.to_days, "change": interval_days, "refuse": None}[decision]
    changed = await proposals.change(
        tx,
        proposal.id,
        {
            "state": state,
            "decision": decision,
            "interval_days": holds,
            "decided_by": by,
            "decided_at": tx.now,
            "reason": None if reason is None else kit.keyring.seal(reason, context=_REASON),
        },
    )
    await cancel_timers(tx, _timer(proposal.id))
    await publish(
        tx,
        IntervalDecided(
            clinic=changed.clinic,
            patient=changed.patient,
            proposal=changed.id,
            plan=changed.plan,
            version=changed.version,
            decision=decision,
            interval_days=holds,
            by=by,
            at=tx.now,
        ),
    )
    return changed


def _is_late(now: datetime, proposal: Proposal) -> bool:
    return proposal.state is ProposalState.OPEN and now >= proposal.expires_at


def _timer(proposal_id: UUID) -> str:
    return f"proposal:{proposal_id}"


def _expired(proposal: Proposal, version: int) -> IntervalExpired:
    return IntervalExpired(
        clinic=proposal.clinic, patient=proposal.patient, proposal=proposal.id, plan=proposal.plan, version=version
    )
