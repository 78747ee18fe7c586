"""The timers of a patient: written, replaced and cancelled in the transaction that changes their cause.

Their names all begin with the patient, so that a discharge ends them in one statement:
`patient/<id>/session/<id>/3d`, `patient/<id>/checkin/day-7`, `patient/<id>/booking`.
"""

from collections.abc import Iterable
from datetime import datetime

from services.scheduler.model import due
from services.scheduler.model.catalogue import CADENCE_1
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.protocols import Cadence
from services.scheduler.model.sessions import Session
from shared.bus import Timer, cancel_timers, pending_timers, publish, publish_timers
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


def of_booking(patient: PatientId) -> str:
    """Return the name of the timer that asks a patient to book."""
    return f"{of_patient(patient)}booking"


def cadence_of(plan: Plan | None) -> Cadence:
    """Return a plan's cadence; a session without a plan has that of the first protocol."""
    return CADENCE_1 if plan is None else plan.protocol.cadence


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
            starts_at=wall_text(session.slot.starts_at),
            zone=session.slot.zone,
            starts_at_utc=session.slot.starts_at_utc,
            minutes=session.slot.minutes,
        )
        await publish(tx, event, at=reminder.at, timer=of_session(session) + reminder.occurrence)


async def ask_after(tx: Transaction, session: Session, patient: Patient, plan: Plan | None) -> None:
    """Replace a patient's check-ins by those after this attended session."""
    await cancel_timers(tx, of_check_ins(patient.id))
    await _write(tx, session, patient, due.still_ahead(_asked(session, patient, plan), tx.now))


async def retime(tx: Transaction, session: Session, patient: Patient, plan: Plan | None) -> None:
    """Move the pending check-ins after this session to the zone in which the patient now lives."""
    prefix = of_check_ins(patient.id)
    pending = {name.removeprefix(prefix) for name in await pending_timers(tx, prefix)}
    await _write(tx, session, patient, due.retimed(_asked(session, patient, plan), pending, tx.now))


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


def _asked(session: Session, patient: Patient, plan: Plan | None) -> list[due.CheckIn]:
    if session.attended_on is None:
        raise ValueError(f"Session {session.id} was not attended: nothing follows from it.")
    return due.check_ins(session.attended_on, patient.zone, cadence_of(plan))


async def _write_booking(tx: Transaction, patient: Patient, plan: Plan, at: datetime) -> None:
    event = BookingDue(
        clinic=plan.clinic, version=plan.version, patient=patient.id, plan=plan.id, due_on=plan.next_due_on
    )
    await publish(tx, event, at=at, timer=of_booking(patient.id))


async def _write(tx: Transaction, session: Session, patient: Patient, asked: Iterable[due.CheckIn]) -> None:
    await publish_timers(tx, [_timer(session, patient, check_in) for check_in in asked])


def _timer(session: Session, patient: Patient, check_in: due.CheckIn) -> Timer:
    event = CheckinDue(
        clinic=session.clinic,
        version=session.version,
        patient=patient.id,
        session=session.id,
        plan=session.plan,
        occurrence=check_in.occurrence,
        asked_for=check_in.asked_for,
        instruments=check_in.instruments,
    )
    return Timer(of_check_ins(patient.id) + check_in.occurrence, check_in.at, event)
