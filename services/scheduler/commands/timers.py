"""The timers of a patient: written, replaced and cancelled in the transaction that changes their cause.

Their names all begin with the patient, so that a discharge ends them in one statement:
`patient/<id>/session/<id>/3d`, `patient/<id>/checkin/day-7`, `patient/<id>/baseline`, `patient/<id>/booking`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.scheduler.model import due
from services.scheduler.model.catalogue import WITHOUT_PLAN
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.protocols import Cadence
from services.scheduler.model.questions import CheckIn
from services.scheduler.model.sessions import Session
from shared.bus import Timer, cancel_named, cancel_timers, pending_timers, publish, publish_timers
from shared.database import Transaction
from shared.events import BookingDue, CheckinDue, SessionDue
from shared.ids import PatientId
from shared.walltime import wall_text


def of_patient(patient: PatientId) -> str:
    """Return how the names of all timers of a patient begin."""
    return f"patient/{patient}/"


def of_session(session: Session) -> str:
    """Return how the names of a session's reminders begin."""
    return f"{of_patient(session.patient)}session/{session.id}/"


def of_check_ins(patient: PatientId) -> str:
    """Return how the names of a patient's check-ins begin."""
    return f"{of_patient(patient)}checkin/"


def of_baseline(patient: PatientId) -> str:
    """Return the name of the timer that asks for the baseline."""
    return f"{of_patient(patient)}baseline"


def of_booking(patient: PatientId) -> str:
    """Return the name of the timer that asks a patient to book."""
    return f"{of_patient(patient)}booking"


def cadence_of(plan: Plan | None) -> Cadence:
    """Return a plan's cadence; a session without a plan has that of the newest."""
    return WITHOUT_PLAN if plan is None else plan.protocol.cadence


async def remind(tx: Transaction, session: Session, plan: Plan | None) -> None:
    """Replace a session's reminders by those of its present time and version; an open session alone has any."""
    await cancel_timers(tx, of_session(session))
    if not session.open:
        return
    for reminder in due.reminders(session.slot, cadence_of(plan), tx.now):
        event = SessionDue(
            clinic=session.clinic,
            version=session.version,
            patient=session.patient,
            session=session.id,
            occurrence=reminder.occurrence,
            days=reminder.days,
            starts_at=wall_text(session.slot.starts_at),
            zone=session.slot.zone,
            starts_at_utc=session.slot.starts_at_utc,
            minutes=session.slot.minutes,
        )
        await publish(tx, event, at=reminder.at, timer=of_session(session) + reminder.occurrence)


async def pending(tx: Transaction, prefix: str) -> set[str]:
    """Return the ends of the names of the pending timers that begin so."""
    return {name.removeprefix(prefix) for name in await pending_timers(tx, prefix)}


async def ask_anew(
    tx: Transaction, patient: Patient, plan: Plan | None, latest: Session | None, asked: Iterable[CheckIn]
) -> None:
    """Replace a patient's check-ins; one that is due and has not fired yet is owed, and stays."""
    await cancel_timers(tx, of_check_ins(patient.id), after=tx.now)
    await write(tx, patient, plan, latest, asked)


async def ask_also(
    tx: Transaction, patient: Patient, plan: Plan, latest: Session | None, asked: Sequence[CheckIn]
) -> None:
    """Bring a patient's pending check-ins to what is asked now, and touch none that stays."""
    prefix = of_check_ins(patient.id)
    wanted = {check_in.occurrence for check_in in asked}
    held = await pending_timers(tx, prefix)
    gone = [name for name, due_at in held.items() if name.removeprefix(prefix) not in wanted and due_at > tx.now]
    await cancel_named(tx, gone)
    await write(tx, patient, plan, latest, [one for one in asked if prefix + one.occurrence not in held])


async def write(
    tx: Transaction, patient: Patient, plan: Plan | None, latest: Session | None, asked: Iterable[CheckIn]
) -> None:
    """Write check-ins, each in the place of a pending one of its name."""
    prefix = of_check_ins(patient.id)
    await publish_timers(
        tx, [Timer(prefix + one.occurrence, one.at, _checkin_due(patient, plan, latest, one)) for one in asked]
    )


async def ask_baseline(tx: Transaction, patient: Patient, plan: Plan, asked: CheckIn) -> None:
    """Write the question before the first session, in the place of a pending one."""
    event = _checkin_due(patient, plan, None, asked)
    await publish(tx, event, at=asked.at, timer=of_baseline(patient.id))


async def retime_booking(tx: Transaction, patient: Patient, plan: Plan) -> None:
    """Move the pending question to book to the zone in which the patient now lives; asked is asked."""
    if await pending_timers(tx, of_booking(patient.id)):
        at = due.booking_at(plan.next_due_on, patient.zone, plan.protocol.cadence)
        await _write_booking(tx, patient, plan, max(at, tx.now))


async def ask_to_book(tx: Transaction, patient: Patient, plan: Plan, *, booked: bool) -> None:
    """Replace the question to book by that of the plan's present date; none where something is booked."""
    at = due.booking_due(plan.next_due_on, patient.zone, plan.protocol.cadence, tx.now, booked=booked)
    if at is None:
        await cancel_timers(tx, of_booking(patient.id))
    else:
        await _write_booking(tx, patient, plan, at)


async def end(tx: Transaction, patient: PatientId) -> None:
    """Cancel every timer of a patient."""
    await cancel_timers(tx, of_patient(patient))


async def _write_booking(tx: Transaction, patient: Patient, plan: Plan, at: datetime) -> None:
    event = BookingDue(
        clinic=plan.clinic, version=plan.version, patient=patient.id, plan=plan.id, due_on=plan.next_due_on
    )
    await publish(tx, event, at=at, timer=of_booking(patient.id))


def _checkin_due(patient: Patient, plan: Plan | None, latest: Session | None, asked: CheckIn) -> CheckinDue:
    session = None if asked.of_plan else latest
    cause = session or plan
    if cause is None:
        raise ValueError(f"{asked.occurrence} of patient {patient.id} belongs to no session and to no plan.")
    return CheckinDue(
        clinic=patient.clinic,
        version=cause.version,
        patient=patient.id,
        session=None if session is None else session.id,
        plan=session.plan if session is not None else cause.id,
        occurrence=asked.occurrence,
        asked_for=asked.asked_for,
        instruments=asked.instruments,
    )
