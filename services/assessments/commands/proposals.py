"""Ask the interval rule after a PHQ-9, and keep what a clinician decides about its proposal."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.assessments import published_events
from services.assessments.commands import signing
from services.assessments.dependencies import Dependencies
from services.assessments.model.interval.history import Direction, History, Parameters, Verdict
from services.assessments.model.interval.interval_rule import RULE, RULE_VERSION, evaluate
from services.assessments.model.interval.objections import objections
from services.assessments.model.lifecycles import PROPOSAL, ProposalState
from services.assessments.model.rules import BEYOND_28, find
from services.assessments.store import alerts, checkins, proposals, read_models
from services.assessments.store.checkins import Checkin
from services.assessments.store.proposals import OpenAlert, Proposal
from services.assessments.store.read_models import KnownPlan, Patient
from services.assessments.store.signatures import Signature
from shared.bus import cancel_timers, publish
from shared.database import Transaction
from shared.events import IntervalExpired
from shared.events.assessments import Decision
from shared.ids import new_id
from shared.instruments import MEASURE
from shared.languages import Language, say_day, say_time
from shared.telemetry.log import get_logger
from shared.walltime import to_wall

log = get_logger(__name__)

_PROPOSAL: Final = "proposal"
_STEPS: Final = "ladder"
_REASON: Final = "decision-reason"
_OVERRULED: Final = "decision-overruled"
_DECIDED: Final[dict[Decision, ProposalState]] = {
    "approve": ProposalState.APPROVED,
    "change": ProposalState.CHANGED,
    "refuse": ProposalState.REFUSED,
}


@dataclass(frozen=True)
class Choice:
    """What a clinician decides.

    Args:
        interval_days: of a change.
        reason: of a change or a refusal.
        override_reason: why an interval is decided against which something stands.
    """

    decision: Decision
    interval_days: int | None = None
    reason: str | None = None
    override_reason: str | None = None


@dataclass(frozen=True)
class Overruled:
    """What stood against a decision, a sentence each, and why it was taken all the same."""

    against: tuple[str, ...]
    reason: str


class AlertOpenError(Exception):
    """Nothing is decided about an interval while a safety alert is open."""

    def __init__(self, alerts: list[OpenAlert], zone: str) -> None:
        first = to_wall(alerts[0].raised_at, zone)
        more = f", and {len(alerts) - 1} more," if len(alerts) > 1 else ""
        raised = f"{say_day(Language.EN, first.date())}, {say_time(Language.EN, first.time())}"
        super().__init__(
            f"A safety alert of this patient is not closed: {alerts[0].level}, raised on {raised}{more} must be closed "
            "first, with what was done. Then decide on the interval."
        )


class NeedsNoDecisionError(Exception):
    """A proposal that holds the interval is neither approved nor refused."""


class RuleUnsignedError(Exception):
    """A proposal of a rule that the clinic has not signed, or not any more, cannot be approved."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: this clinic's signature does not hold, so that nothing of it can be approved. Sign the rule "
            "again under Rules, or refuse this; another interval is your own decision, with your reason."
        )


class OverrideNeededError(Exception):
    """Something stands against this interval, and no reason was given to decide it all the same."""

    def __init__(self, against: tuple[str, ...]) -> None:
        super().__init__(f"{' '.join(against)} To decide it all the same, say why.")


async def propose(tx: Transaction, deps: Dependencies, patient: Patient, checkin: Checkin) -> Proposal | None:
    """Put one proposal after a PHQ-9, in place of the plan's present one; none while the rule is unsigned."""
    if patient.joined_into is not None:
        return await reconsider(tx, deps, patient)
    plan_id = checkin.plan or await read_models.current_plan(tx, patient.id)
    return None if plan_id is None else await _propose_or_not(tx, deps, patient, plan_id)


async def reconsider(tx: Transaction, deps: Dependencies, patient: Patient) -> Proposal | None:
    """Ask the rule again after something that it had looked at was corrected; return what now stands, if anything.

    For whoever voids or corrects a score, or corrects a session or the plan: call it in the same transaction, the
    patient locked and the correction written. A proposal that waits and was built on what no longer holds is
    superseded, and a new one takes its place where the rule still has something to say. Nothing happens where the rule
    says the same as before, or where that was decided on the same readings. What was decided stays on record. Of a
    record that was joined into another one the plan of that one is meant.
    """
    if patient.joined_into is not None:
        patient = await read_models.lock_patient(tx, patient.joined_into) or patient
    plan_id = await read_models.current_plan(tx, patient.id)
    return None if plan_id is None else await _propose_or_not(tx, deps, patient, plan_id)


async def _propose_or_not(tx: Transaction, deps: Dependencies, patient: Patient, plan_id: UUID) -> Proposal | None:
    plan = await read_models.plan(tx, plan_id)
    if plan is None or patient.discharged:
        return None
    signed = await signing.in_force(tx, deps, patient.clinic)
    if (RULE, RULE_VERSION) not in signed:
        log.info("interval.rule_unsigned", rule=RULE)
        # What it had proposed rests on older answers: signed again, it must not come to be approved.
        await supersede(tx, plan.id)
        return None
    history = await _history(tx, deps, patient, plan)
    current = await proposals.current_of_plan(tx, plan.id)
    if not history.readings:
        await supersede(tx, plan.id)
        return None
    verdict = evaluate(history, plan.plan, _parameters(signed))
    if current is not None and _says(deps, current) == _detail(verdict) and current.to_days == verdict.to_days:
        return current
    await supersede(tx, plan.id)
    if await _was_decided(tx, deps, plan.id, verdict):
        log.info("interval.decided_before", rule=RULE)
        return None
    return await _add(tx, deps, patient, plan, verdict)


def _parameters(signed: dict[tuple[str, int], Signature]) -> Parameters:
    return Parameters(beyond_28_days=(BEYOND_28, 1) in signed)


async def _was_decided(tx: Transaction, deps: Dependencies, plan_id: UUID, verdict: Verdict) -> bool:
    """Tell whether a clinician has decided, and most of all refused, this very interval on these very readings."""
    evidence = _detail(verdict)["evidence"]
    return any(
        one.to_days == verdict.to_days and _says(deps, one)["evidence"] == evidence
        for one in await proposals.decided(tx, plan_id)
    )


async def _history(tx: Transaction, deps: Dependencies, patient: Patient, plan: KnownPlan) -> History:
    # A person with two records that were joined is one person: half of the answers would be half of the evidence.
    duplicates = await read_models.duplicates(tx, patient.id)
    also = [one.id for one in duplicates if one.one_course]
    return History(
        readings=await checkins.readings(tx, deps.keyring, patient.id, plan.id, MEASURE, also=also),
        asked=await checkins.asked(tx, patient.id, plan.id, MEASURE, also=also),
        sessions=await read_models.attended_by(tx, plan.id, also),
        changes=await proposals.decided_changes(tx, plan.id, patient.zone),
        outside=await proposals.outside(tx, deps.keyring, patient.id),
        # An alert stands in the way of an interval whichever of the records it is about.
        open_alerts=sum([await alerts.not_closed(tx, one) for one in (patient.id, *(one.id for one in duplicates))]),
    )


async def blocking(tx: Transaction, patient_id: UUID) -> list[OpenAlert]:
    """Return the safety alerts of a person, under whichever record, that nobody has closed, oldest first."""
    every = [patient_id, *(one.id for one in await read_models.duplicates(tx, patient_id))]
    found = [alert for one in every for alert in await proposals.open_alerts(tx, one)]
    return sorted(found, key=lambda alert: alert.raised_at)


async def _add(tx: Transaction, deps: Dependencies, patient: Patient, plan: KnownPlan, verdict: Verdict) -> Proposal:
    waits = verdict.direction is not Direction.HOLD
    proposal = Proposal(
        id=new_id(),
        clinic=patient.clinic,
        patient=patient.id,
        plan=plan.id,
        checkin=verdict.newest.checkin,
        version=1,
        direction=verdict.direction,
        review=verdict.review,
        from_days=verdict.from_days,
        to_days=verdict.to_days,
        rule=verdict.rule,
        rule_version=verdict.rule_version,
        sealed=deps.keyring.seal(json.dumps(_detail(verdict) | {_STEPS: plan.plan.ladder}), context=_PROPOSAL),
        state=ProposalState.OPEN if waits else ProposalState.HELD,
        proposed_at=tx.now,
        expires_at=tx.now + timedelta(days=deps.times.proposal_days),
    )
    await proposals.add(tx, proposal)
    await publish(tx, published_events.proposed(proposal))
    if waits:
        await publish(tx, published_events.expired(proposal, 2), at=proposal.expires_at, timer=_timer(proposal.id))
    return proposal


async def tell_again(tx: Transaction, proposal: Proposal, *, decided: bool) -> int:
    """Tell how a proposal stands; return how many facts were told.

    Args:
        tx: the patient is locked in it.
        proposal: of a patient.
        decided: it is the newest that was decided of a running plan. An older decision is not told: whoever missed it
            would put it in place of what was decided since.
    """
    if proposal.state is ProposalState.TAKEN_BACK:
        await publish(tx, published_events.proposed(proposal))
        await publish(tx, published_events.taken_back(proposal))
        return 2
    if proposal.decision is not None and not decided:
        return 0
    await publish(tx, published_events.proposed(proposal))
    if proposal.decision is not None:
        await publish(tx, published_events.decided(proposal))
    elif proposal.state in {ProposalState.SUPERSEDED, ProposalState.EXPIRED}:
        overtaken = proposal.state is ProposalState.SUPERSEDED
        await publish(tx, published_events.expired(proposal, proposal.version, overtaken=overtaken))
    else:
        return 1
    return 2


def _detail(verdict: Verdict) -> dict[str, Any]:
    return {
        "review": verdict.review,
        "reasons": [
            {"code": str(reason.code), "text": reason.text, "values": dict(reason.values)} for reason in verdict.reasons
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


def _says(deps: Dependencies, proposal: Proposal) -> dict[str, Any]:
    """Return what a proposal says, without the steps that were open to whoever decides."""
    said: dict[str, Any] = json.loads(detail(deps, proposal))
    return {name: value for name, value in said.items() if name != _STEPS}


def detail(deps: Dependencies, proposal: Proposal) -> str:
    """Return a proposal's reasons and evidence as JSON, in clear."""
    return deps.keyring.open(proposal.sealed, context=_PROPOSAL)


def reason_text(deps: Dependencies, proposal: Proposal) -> str | None:
    """Return the clinician's reason, in clear."""
    return None if proposal.reason is None else deps.keyring.open(proposal.reason, context=_REASON)


def overruled(deps: Dependencies, proposal: Proposal) -> Overruled | None:
    """Return what stood against a decision and why it was taken all the same, in clear."""
    if proposal.overruled is None:
        return None
    said = json.loads(deps.keyring.open(proposal.overruled, context=_OVERRULED))
    return Overruled(tuple(said["against"]), said["reason"])


async def supersede(tx: Transaction, plan_id: UUID) -> None:
    """End what a plan now has of a proposal: newer answers or another interval have overtaken it."""
    current = await proposals.current_of_plan(tx, plan_id)
    if current is None:
        return
    changed = await proposals.change(tx, current.id, {"state": ProposalState.SUPERSEDED})
    await cancel_timers(tx, _timer(current.id))
    await publish(tx, published_events.expired(changed, changed.version, overtaken=True))


async def expire(tx: Transaction, event: IntervalExpired) -> None:
    """End a proposal that nobody decided in time."""
    proposal = await proposals.get(tx, event.proposal)
    if proposal is not None and PROPOSAL.allows(proposal.state, ProposalState.EXPIRED):
        await proposals.change(tx, proposal.id, {"state": ProposalState.EXPIRED})


async def decide(
    tx: Transaction, deps: Dependencies, patient: Patient, proposal: Proposal, choice: Choice, *, by: str
) -> Proposal:
    """Keep a clinician's decision and tell it; the scheduler plans again.

    Raises:
        AlertOpenError: a safety alert of the patient is not closed; nothing gives way to that.
        NeedsNoDecisionError: the proposal holds the interval.
        IllegalTransitionError: it is decided, superseded or expired.
        RuleUnsignedError: approved, and the clinic's signature under the rule does not hold any more.
        OverrideNeededError: something stands against the interval, and no reason was given to decide it all the same.
    """
    if standing := await blocking(tx, patient.id):
        raise AlertOpenError(standing, patient.zone)
    state = _DECIDED[choice.decision]
    if proposal.state is ProposalState.HELD and state is not ProposalState.CHANGED:
        raise NeedsNoDecisionError(
            f"The interval stays at {proposal.from_days} days without a decision. For another one, send a change."
        )
    PROPOSAL.move(ProposalState.EXPIRED if _is_late(tx.now, proposal) else proposal.state, state)
    if state is ProposalState.APPROVED:
        await _refuse_unsigned(tx, deps, patient, proposal)
    holds = {"approve": proposal.to_days, "change": choice.interval_days, "refuse": None}[choice.decision]
    against = () if holds is None else await _against(tx, deps, patient, proposal, holds)
    if against and choice.override_reason is None:
        raise OverrideNeededError(against)
    said = json.dumps({"against": against, "reason": choice.override_reason}) if against else None
    changed = await proposals.change(
        tx,
        proposal.id,
        {
            "state": state,
            "decision": choice.decision,
            "interval_days": holds,
            "decided_by": by,
            "decided_at": tx.now,
            "reason": None if choice.reason is None else deps.keyring.seal(choice.reason, context=_REASON),
            "overruled": None if said is None else deps.keyring.seal(said, context=_OVERRULED),
        },
    )
    await cancel_timers(tx, _timer(proposal.id))
    await publish(tx, published_events.decided(changed))
    return changed


async def _refuse_unsigned(tx: Transaction, deps: Dependencies, patient: Patient, proposal: Proposal) -> None:
    if (proposal.rule, proposal.rule_version) not in await signing.in_force(tx, deps, patient.clinic):
        rule = find(proposal.rule)
        raise RuleUnsignedError(proposal.rule if rule is None else rule.name)


async def _against(
    tx: Transaction, deps: Dependencies, patient: Patient, proposal: Proposal, interval_days: int
) -> tuple[str, ...]:
    """Return what stands against an interval as things are now, which may be later than the proposal."""
    plan = await read_models.plan(tx, proposal.plan)
    if plan is None:
        return ()
    signed = await signing.in_force(tx, deps, patient.clinic)
    return objections(await _history(tx, deps, patient, plan), plan.plan, _parameters(signed), interval_days)


def _is_late(now: datetime, proposal: Proposal) -> bool:
    return proposal.state is ProposalState.OPEN and now >= proposal.expires_at


def _timer(proposal_id: UUID) -> str:
    return f"proposal:{proposal_id}"
