"""Taking back a decision, or a signature under a rule: what held before holds again, and both states stay on record."""

from typing import Final
from uuid import UUID

from services.assessments import published_events
from services.assessments.commands import signing
from services.assessments.commands.proposals import AlertOpenError, blocking, reconsider
from services.assessments.dependencies import Dependencies
from services.assessments.model.interval.interval_rule import RULE
from services.assessments.model.lifecycles import PROPOSAL, ProposalState
from services.assessments.model.rules import Rule
from services.assessments.store import proposals, read_models, signatures
from services.assessments.store.proposals import Proposal
from services.assessments.store.read_models import Patient
from shared.bus import publish
from shared.database import Transaction
from shared.ids import ClinicId
from shared.languages import Language, say_day
from shared.walltime import to_wall

CONTEXT: Final = "decision-taken-back"
_REMEDY: Final = "Set another interval instead: change what the rule says next, with your reason."


class DecisionStandsError(Exception):
    """A decision that cannot be taken back any more, and what to do instead."""


class NotSignedError(Exception):
    """There is no signature to withdraw."""


async def take_back(
    tx: Transaction,
    deps: Dependencies,
    patient: Patient,
    proposal: Proposal,
    *,
    by: str,
    staff: UUID | None,
    reason: str,
) -> Proposal:
    """Let a decision count no more and tell it; the scheduler gives the plan the interval that it had before.

    The rule is asked again once the plan has its interval back: what is still the latest evidence may be decided again.

    Args:
        tx: the patient is locked in it.
        deps: the means of the service.
        patient: whose decision it is.
        proposal: as it was decided.
        by: who takes it back.
        staff: whose account that is; None for a program.
        reason: why.

    Raises:
        IllegalTransitionError: it was not decided, or was taken back before.
        DecisionStandsError: a later decision or a session since then rests on it, or the plan has ended.
        AlertOpenError: a safety alert of the patient is not closed.
    """
    PROPOSAL.move(proposal.state, ProposalState.TAKEN_BACK)
    if standing := await blocking(tx, patient.id):
        raise AlertOpenError(standing, patient.zone)
    await _refuse(tx, patient, proposal)
    changed = await proposals.change(
        tx,
        proposal.id,
        {
            "state": ProposalState.TAKEN_BACK,
            "taken_back_by": by,
            "taken_back_staff": staff,
            "taken_back_at": tx.now,
            "taken_back_why": deps.keyring.seal(reason, context=CONTEXT),
        },
    )
    await publish(tx, published_events.taken_back(changed))
    if proposal.interval_days is None:
        await reconsider(tx, deps, patient)
    return changed


def why_taken_back(deps: Dependencies, proposal: Proposal) -> str | None:
    """Return why a decision was taken back, in clear."""
    return None if proposal.taken_back_why is None else deps.keyring.open(proposal.taken_back_why, context=CONTEXT)


async def _refuse(tx: Transaction, patient: Patient, proposal: Proposal) -> None:
    if proposal.plan != await read_models.current_plan(tx, patient.id):
        raise DecisionStandsError("The plan of this decision has ended: no interval follows from it any more.")
    if proposal.decided_at is None or proposal.interval_days is None:
        return
    for later in await proposals.decided(tx, proposal.plan):
        if later.interval_days is not None and later.decided_at is not None and later.decided_at > proposal.decided_at:
            when = say_day(Language.EN, to_wall(later.decided_at, patient.zone).date())
            raise DecisionStandsError(
                f"A later decision has replaced this one: {later.interval_days} days, by {later.decided_by} on {when}. "
                f"Take that one back first, or set another interval with your reason."
            )
    plan = await read_models.plan(tx, proposal.plan)
    if plan is None or plan.plan.induction_completed_on is None:
        return  # In the induction the decision waits: no session has followed from it.
    begun = max(to_wall(proposal.decided_at, patient.zone).date(), plan.plan.induction_completed_on)
    # A session of the same day was planned before the decision.
    since = [day for day in await read_models.attended_on(tx, proposal.plan) if day > begun]
    if since:
        when = say_day(Language.EN, since[-1])
        raise DecisionStandsError(
            f"A session was attended under {proposal.interval_days} days since, on {when}, so that this stays on "
            f"record as it was. {_REMEDY}"
        )


async def withdraw(
    tx: Transaction, deps: Dependencies, clinic: ClinicId, rule: Rule, *, by: str, staff: UUID | None, reason: str
) -> None:
    """Withdraw a clinic's signature under the present version of a rule.

    From then on the rule proposes nothing, and what it has proposed cannot be approved, until it is signed again. What
    was decided stays: that was a clinician's decision. Where another rule proposed what this one allowed it to, that
    rule is asked again.

    Raises:
        NotSignedError: it is not signed.
    """
    signature = (await signing.in_force(tx, deps, clinic)).get((rule.id, rule.version))
    if signature is None:
        raise NotSignedError(f"{rule.name} is not signed in version {rule.version}: there is nothing to withdraw.")
    await signatures.withdraw(tx, deps.keyring, clinic=clinic, signature=signature, by=by, staff=staff, reason=reason)
    if rule.id == RULE:
        return
    for patient_id in await proposals.waiting_patients(tx, clinic):
        patient = await read_models.lock_patient(tx, patient_id)
        if patient is not None:
            await reconsider(tx, deps, patient)
