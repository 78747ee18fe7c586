"""What the scheduler does about the events of other services."""

from typing import Final
from uuid import UUID

from services.scheduler import store
from services.scheduler.commands import booking, patients, plans
from services.scheduler.model.decisions import Decision, DecisionOutcome
from services.scheduler.model.patients import Patient
from services.scheduler.model.replies import Reply, ReplyOutcome, outcome_of_no, outcome_of_yes
from shared.bus import Handlers, NotYet
from shared.database import Transaction
from shared.events import (
    ClinicChanged,
    IntervalDecided,
    IntervalTakenBack,
    PatientChanged,
    PatientDischarged,
    PatientEnrolled,
    ReplyReceived,
)
from shared.events.clinic import stays
from shared.ids import ClinicId, PatientId
from shared.walltime import to_wall

handlers: Final = Handlers()
_DECISIONS: Final = ("approve", "change", "refuse")


@handlers.on(ClinicChanged)
async def clinic_changed(tx: Transaction, event: ClinicChanged) -> None:
    """Keep the zone of the clinic's clock: what a wall time means without one. What is booked keeps its own."""
    await store.save_clinic(tx, event.clinic, event.version, event.zone)


@handlers.on(PatientEnrolled, PatientChanged)
async def patient_changed(tx: Transaction, event: PatientEnrolled) -> None:
    """Keep where a patient lives; a new zone moves what they are asked, and nothing that is booked."""
    known = await store.lock_patient(tx, event.patient)
    if known is not None and event.version <= known.version:
        return
    in_care = stays(event, None if known is None else known.in_care)
    patient = Patient(PatientId(event.patient), ClinicId(event.clinic), event.version, event.zone, in_care)
    await store.save_patient(tx, patient)
    if known is not None and known.in_care and not in_care:
        await patients.discharge(tx, patient)  # Their leaving was missed here.
    if known is not None and patient.in_care and known.zone != patient.zone:
        await patients.move_home(tx, patient)


@handlers.on(PatientDischarged)
async def patient_discharged(tx: Transaction, event: PatientDischarged) -> None:
    """End what was planned for a patient who left."""
    known = await _patient(tx, event.patient)
    if event.version <= known.version:
        return
    patient = Patient(known.id, known.clinic, event.version, known.zone, in_care=False)
    await store.save_patient(tx, patient)
    await patients.discharge(tx, patient)


@handlers.on(ReplyReceived)
async def reply_received(tx: Transaction, event: ReplyReceived) -> None:
    """Confirm the session that a patient said yes to, or take that back at a no, if it is what they were told of."""
    if event.intent not in {"confirm", "decline"}:
        return
    patient = await _patient(tx, event.patient)
    session = None if event.session is None else await store.find_session(tx, event.session)
    decide = outcome_of_yes if event.intent == "confirm" else outcome_of_no
    outcome = decide(session, patient=patient.id, version=event.session_version, now=tx.now)
    reply = Reply(event.reply, patient.id, event.session, event.session_version, event.at, outcome)
    await store.save_reply(tx, reply)
    if session is not None and outcome is ReplyOutcome.CONFIRMED:
        await booking.confirm(tx, session)
    if session is not None and outcome is ReplyOutcome.TAKEN_BACK:
        await booking.unconfirm(tx, session)


@handlers.on(IntervalDecided)
async def interval_decided(tx: Transaction, event: IntervalDecided) -> None:
    """Give the plan the interval that a clinician decided; in the induction it is kept until maintenance begins."""
    patient = await _patient(tx, event.patient)
    plan = await store.active_plan(tx, patient.id)
    if event.decision not in _DECISIONS:
        # A word of a later version is kept on record; nobody's treatment follows from what is not understood.
        outcome = DecisionOutcome.UNKNOWN
    elif event.interval_days is None or event.decision == "refuse":
        outcome = DecisionOutcome.REFUSED
    elif plan is None or plan.id != event.plan:
        outcome = DecisionOutcome.PLAN_ENDED
    else:
        outcome = DecisionOutcome.APPLIED if plan.induction_complete else DecisionOutcome.KEPT
    if not await _is_new(tx, event, outcome):
        return
    if (
        outcome in {DecisionOutcome.APPLIED, DecisionOutcome.KEPT}
        and plan is not None
        and event.interval_days is not None
    ):
        await plans.decide(tx, patient, plan, event.interval_days, to_wall(event.at, patient.zone).date())


@handlers.on(IntervalTakenBack)
async def interval_taken_back(tx: Transaction, event: IntervalTakenBack) -> None:
    """Give the plan the interval that it had before a decision that a clinician took back."""
    patient = await _patient(tx, event.patient)
    held = await store.decision_holds(tx, event.proposal)
    plan = await store.active_plan(tx, patient.id)
    if not await _is_new(tx, event, DecisionOutcome.TAKEN_BACK):
        return
    if held and plan is not None and plan.id == event.plan:
        await plans.take_back(tx, patient, plan, event.proposal, await store.decided_before(tx, plan, patient.zone))


async def _is_new(tx: Transaction, event: IntervalDecided | IntervalTakenBack, outcome: DecisionOutcome) -> bool:
    """Keep what became of a decision, unless a newer version is kept; return whether it was news."""
    decided_at = event.at if isinstance(event, IntervalDecided) else event.decided_at
    decision = Decision(
        proposal=event.proposal,
        patient=event.patient,
        plan=event.plan,
        version=event.version,
        decision=event.decision,
        interval_days=event.interval_days,
        decided_at=decided_at,
        outcome=outcome,
    )
    return await store.save_decision(tx, decision)


async def _patient(tx: Transaction, patient: UUID) -> Patient:
    known = await store.lock_patient(tx, patient)
    if known is None:
        raise NotYet(f"Patient {patient} has not been told of yet.")
    return known
