"""What staff and patients ask about one session: book, move, confirm, cancel, miss.

Each takes a patient whose row the transaction holds (`store.lock_patient`): commands and events of one patient never
overlap, and their events leave in the order in which they were written.
"""

from dataclasses import replace

from services.scheduler import store
from services.scheduler.commands import asking, timers
from services.scheduler.model import sessions
from services.scheduler.model.patients import Patient
from services.scheduler.model.refusals import AS_USUAL, InPastError, Meant, NotInCareError, refuse
from services.scheduler.model.sessions import Booking, Session, SessionKind, Slot
from services.scheduler.published_events import session_event
from shared.bus import publish
from shared.database import Transaction
from shared.events import (
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionMissed,
    SessionMoved,
    SessionUnconfirmed,
)
from shared.ids import SessionId, new_id


async def book(tx: Transaction, patient: Patient, wanted: Booking, *, meant: Meant = AS_USUAL) -> Session:
    """Book a session; a treatment belongs to the patient's running plan, if there is one.

    Raises:
        NotInCareError: the patient was discharged.
        RefusedError: the time cannot be given, or nobody said that it is meant (`refuse`).
    """
    if not patient.in_care:
        raise NotInCareError
    others = await store.open_sessions(tx, patient.id)
    refuse(wanted.slot, others, tx.now, meant)
    running = await store.active_plan(tx, patient.id)
    plan = running if wanted.kind is SessionKind.TREATMENT else None
    session = sessions.book(
        wanted,
        patient,
        SessionId(new_id()),
        plan=None if plan is None else plan.id,
        number=None if plan is None else plan.attended + sum(other.plan == plan.id for other in others) + 1,
    )
    await store.save_session(tx, session)
    await publish(tx, session_event(SessionBooked, session))
    await timers.remind(tx, session, running)
    await asking.plan_again(tx, patient, plan)
    return session


async def move(tx: Transaction, patient: Patient, session: Session, slot: Slot, *, odd_hour: bool = False) -> Session:
    """Move a session to another time; what was pending for the old one is replaced.

    Moved to where it is, it stays as it is: a patient who confirmed that time has not confirmed less.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
        RefusedError: the time cannot be given, or nobody said that it is meant (`refuse`).
    """
    moved = sessions.move(session, slot)
    if slot == session.slot:
        return session
    if slot.starts_at_utc <= tx.now:
        raise InPastError(slot, tx.now)
    others = [other for other in await store.open_sessions(tx, patient.id) if other.id != session.id]
    refuse(slot, others, tx.now, Meant(odd_hour=odd_hour))
    plan = await store.active_plan(tx, patient.id)
    await store.save_session(tx, moved)
    await publish(tx, session_event(SessionMoved, moved))
    await timers.remind(tx, moved, plan)
    await asking.plan_again(tx, patient, plan)
    return moved


async def confirm(tx: Transaction, session: Session) -> Session:
    """Confirm a session; its reminders are written anew, so that they speak of the version that now holds.

    Raises:
        IllegalTransitionError: the session is anything but booked.
    """
    confirmed = sessions.confirm(session)
    await store.save_session(tx, confirmed)
    await publish(tx, session_event(SessionConfirmed, confirmed))
    await timers.remind(tx, confirmed, await store.active_plan(tx, session.patient))
    return confirmed


async def unconfirm(tx: Transaction, session: Session) -> Session:
    """Take back a confirmation: the patient said that they will not come. The session stays booked until staff act.

    Raises:
        IllegalTransitionError: the session is anything but confirmed.
    """
    booked = sessions.unconfirm(session)
    await store.save_session(tx, booked)
    await publish(tx, session_event(SessionUnconfirmed, booked))
    await timers.remind(tx, booked, await store.active_plan(tx, session.patient))
    return booked


async def cancel(
    tx: Transaction,
    patient: Patient,
    session: Session,
    *,
    code: str | None = None,
    sealed_reason: str | None = None,
    sealed_note: str | None = None,
) -> Session:
    """Cancel a session with its reminders, for a reason that is a code of ours or, sealed, what staff wrote.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
    """
    cancelled = replace(sessions.cancel(session), reason=code, sealed_reason=sealed_reason, sealed_note=sealed_note)
    await _close(tx, patient, cancelled, session_event(SessionCancelled, cancelled))
    return cancelled


async def miss(
    tx: Transaction, patient: Patient, session: Session, *, sealed_reason: str | None, sealed_note: str | None
) -> Session:
    """Record that the patient did not come. The plan stays where it is: the same session is still due.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
        NotYetMissedError: it has not begun.
    """
    missed = replace(sessions.miss(session, tx.now), sealed_reason=sealed_reason, sealed_note=sealed_note)
    await _close(tx, patient, missed, session_event(SessionMissed, missed))
    return missed


async def _close(tx: Transaction, patient: Patient, session: Session, event: SessionCancelled | SessionMissed) -> None:
    plan = await store.active_plan(tx, patient.id)
    await store.save_session(tx, session)
    await publish(tx, event)
    await timers.remind(tx, session, plan)
    await asking.plan_again(tx, patient, plan)
