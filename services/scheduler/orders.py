"""What staff, patients and clinicians may ask of the scheduler: a decision, rows, events and timers in one transaction.

Each takes a patient whose row the transaction holds (`store.lock_patient`): orders and events of one patient never
overlap, and their events leave in the order in which they were written.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from services.scheduler import asking, store, timers
from services.scheduler.facts import plan_event, session_event
from services.scheduler.model import plans, questions, sessions
from services.scheduler.model.catalogue import newest
from services.scheduler.model.orders import (
    AS_USUAL,
    InPastError,
    Meant,
    NothingToContinueError,
    NotInCareError,
    PlanActiveError,
    refuse,
)
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.sessions import Session, SessionKind, SessionState, Slot
from shared.bus import publish
from shared.database import Transaction
from shared.events import (
    PlanChanged,
    PlanStarted,
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionMissed,
    SessionMoved,
    SessionUnconfirmed,
)
from shared.events.scheduling import Continued
from shared.ids import PlanId, SessionId, new_id
from shared.walltime import to_wall


async def start_plan(tx: Transaction, patient: Patient, protocol: str, start_on: date) -> Plan:
    """Start the newest version of a protocol.

    Raises:
        NotInCareError: the patient was discharged.
        PlanActiveError: there is a plan already.
        UnknownProtocolError: there is no such protocol.
    """
    if not patient.in_care:
        raise NotInCareError
    if (running := await store.active_plan(tx, patient.id)) is not None:
        raise PlanActiveError(running)
    plan = plans.start(newest(protocol), start_on, plan=PlanId(new_id()), clinic=patient.clinic, patient=patient.id)
    await store.save_plan(tx, plan)
    await publish(tx, plan_event(PlanStarted, plan))
    await asking.begin(tx, patient, plan)
    await _ask_to_book(tx, patient, plan, await asking.ahead(tx, patient))
    return plan


async def continue_plan(tx: Transaction, patient: Patient, why: Continued) -> Plan:
    """Let the patient's last plan go on, which had ended: nothing that took place under it is done again.

    What it asks is planned anew from today on. Sessions that were cancelled as it ended stay cancelled.

    Raises:
        NotInCareError: the patient was discharged.
        PlanActiveError: there is a plan that runs.
        NothingToContinueError: there never was one.
    """
    if not patient.in_care:
        raise NotInCareError
    ended = await store.newest_plan(tx, patient.id)
    if (running := await store.active_plan(tx, patient.id)) is not None:
        raise PlanActiveError(running)
    if ended is None:
        raise NothingToContinueError
    record = await asking.known(tx, patient, ended)
    # The measure that was set before the next session was cancelled as the plan ended.
    plan = plans.continued(replace(ended, before_on=None), to_wall(tx.now, patient.zone).date(), record.held_on)
    follows = asking.course(tx, patient, plan, record)
    plan = asking.with_measure_before(plan, follows)
    await store.save_plan(tx, plan)
    await publish(tx, plan_event(PlanChanged, plan, record.held_on, continued=why))
    if not plan.attended:
        await asking.begin(tx, patient, plan)
    planned = questions.still_ahead(questions.questions(follows, patient.zone), tx.now)
    await timers.ask_anew(tx, patient, plan, record.latest, planned)
    await _ask_to_book(tx, patient, plan, record.ahead)
    return plan


async def book(
    tx: Transaction,
    patient: Patient,
    slot: Slot,
    kind: SessionKind = SessionKind.TREATMENT,
    *,
    meant: Meant = AS_USUAL,
) -> Session:
    """Book a session; a treatment belongs to the patient's running plan, if there is one.

    Raises:
        NotInCareError: the patient was discharged.
        OrderError: the time cannot be given, or nobody said that it is meant (`refuse`).
    """
    if not patient.in_care:
        raise NotInCareError
    others = await store.open_sessions(tx, patient.id)
    refuse(slot, others, tx.now, meant)
    running = await store.active_plan(tx, patient.id)
    plan = running if kind is SessionKind.TREATMENT else None
    session = Session(
        id=SessionId(new_id()),
        clinic=patient.clinic,
        patient=patient.id,
        plan=None if plan is None else plan.id,
        version=1,
        state=SessionState.BOOKED,
        slot=slot,
        number=None if plan is None else plan.attended + sum(other.plan == plan.id for other in others) + 1,
        kind=kind,
    )
    await store.save_session(tx, session)
    await publish(tx, session_event(SessionBooked, session))
    await timers.remind(tx, session, running)
    await _plan_again(tx, patient, plan)
    return session


async def move(tx: Transaction, patient: Patient, session: Session, slot: Slot, *, odd_hour: bool = False) -> Session:
    """Move a session to another time; what was pending for the old one is replaced.

    Moved to where it is, it stays as it is: a patient who confirmed that time has not confirmed less.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
        OrderError: the time cannot be given, or nobody said that it is meant (`refuse`).
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
    await _plan_again(tx, patient, plan)
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
    tx: Transaction, patient: Patient, session: Session, *, reason: str | None, note: str | None = None
) -> Session:
    """Cancel a session with its reminders.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
    """
    cancelled = replace(sessions.cancel(session), reason=reason, note=note)
    await _close(tx, patient, cancelled, session_event(SessionCancelled, cancelled))
    return cancelled


async def miss(tx: Transaction, patient: Patient, session: Session, *, reason: str | None, note: str | None) -> Session:
    """Record that the patient did not come. The plan stays where it is: the same session is still due.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
        NotYetMissedError: it has not begun.
    """
    missed = replace(sessions.miss(session, tx.now), reason=reason, note=note)
    await _close(tx, patient, missed, session_event(SessionMissed, missed))
    return missed


async def decide(tx: Transaction, patient: Patient, plan: Plan, interval_days: int, decided_on: date) -> Plan:
    """Give a plan the interval that a clinician decided. What is booked stays; staff move it if they wish."""
    held_on = await store.attended_on(tx, plan.id)
    decided = plans.after_decision(plan, interval_days, decided_on, held_on)
    await store.save_plan(tx, decided)
    await publish(tx, plan_event(PlanChanged, decided, held_on))
    await _plan_again(tx, patient, decided)
    return decided


async def take_back(
    tx: Transaction, patient: Patient, plan: Plan, proposal: UUID, before: tuple[int, date] | None
) -> Plan:
    """Give a plan the interval that it had before a decision that was taken back. What is booked stays."""
    held_on = await store.attended_on(tx, plan.id)
    today = to_wall(tx.now, patient.zone).date()
    stood = plans.after_taking_back(plan, before, today, held_on)
    await store.save_plan(tx, stood)
    await publish(tx, plan_event(PlanChanged, stood, held_on, taken_back=proposal))
    await _plan_again(tx, patient, stood)
    return stood


async def move_home(tx: Transaction, patient: Patient) -> None:
    """Ask a patient at ten where they now live. Sessions keep their wall time and zone: the clinic did not move."""
    plan = await store.active_plan(tx, patient.id)
    await asking.move_home(tx, patient, plan)
    if plan is not None:
        await timers.retime_booking(tx, patient, plan)


async def discharge(tx: Transaction, patient: Patient) -> None:
    """End everything: open sessions are cancelled, the plan ends, no timer is left."""
    for session in await store.open_sessions(tx, patient.id):
        await cancel(tx, patient, session, reason="discharged")
    if (plan := await store.active_plan(tx, patient.id)) is not None:
        ended = plans.ended(plan)
        await store.save_plan(tx, ended)
        await publish(tx, plan_event(PlanChanged, ended, await store.attended_on(tx, ended.id)))
    await timers.end(tx, patient.id)


async def _close(tx: Transaction, patient: Patient, session: Session, event: SessionCancelled | SessionMissed) -> None:
    plan = await store.active_plan(tx, patient.id)
    await store.save_session(tx, session)
    await publish(tx, event)
    await timers.remind(tx, session, plan)
    await _plan_again(tx, patient, plan)


async def _plan_again(tx: Transaction, patient: Patient, plan: Plan | None) -> None:
    """Set what hangs on the next session: the question to book, the baseline, the measure before it."""
    if plan is None:
        return
    record = await asking.known(tx, patient, plan)
    plan = await asking.after_change(tx, patient, plan, record)
    await asking.hasten(tx, patient, plan, record.ahead)
    await _ask_to_book(tx, patient, plan, record.ahead)


async def _ask_to_book(tx: Transaction, patient: Patient, plan: Plan | None, booked: Sequence[Session]) -> None:
    if plan is not None:
        await timers.ask_to_book(tx, patient, plan, booked=bool(booked))
