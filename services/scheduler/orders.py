"""What staff, patients and clinicians may ask of the scheduler: a decision, rows, events and timers in one transaction.

Each takes a patient whose row the transaction holds (`store.lock_patient`): orders and events of one patient never
overlap, and their events leave in the order in which they were written.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from services.scheduler import asking, store, timers
from services.scheduler.facts import plan_event, session_event
from services.scheduler.model import plans, questions, sessions
from services.scheduler.model.catalogue import newest
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.sessions import Session, SessionKind, SessionState, Slot
from shared.bus import publish
from shared.database import Transaction
from shared.events import (
    PlanChanged,
    PlanStarted,
    SessionAttended,
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionMissed,
    SessionMoved,
)
from shared.ids import PlanId, SessionId, new_id

FARTHEST: Final = timedelta(days=731)
"""How far ahead a session may be booked."""


class OrderError(Exception):
    """What was asked is not possible as things stand."""


class NotInCareError(OrderError):
    """The patient was discharged: nothing can be planned or booked."""

    def __init__(self) -> None:
        super().__init__("The patient was discharged. Enrol them again to plan or book.")


class PlanActiveError(OrderError):
    """The patient already follows a plan."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"The patient already follows {plan.protocol.id!r}, begun on {plan.start_on:%Y-%m-%d}.")


class OverlapError(OrderError):
    """The patient has another session at that time."""

    def __init__(self, other: Session) -> None:
        super().__init__(
            f"The patient already has a session on {other.slot.starts_at:%Y-%m-%d at %H:%M} ({other.slot.zone}) "
            f"for {other.slot.minutes} minutes. Move or cancel that one, or choose another time."
        )


class InPastError(OrderError):
    """A session cannot be booked into the past."""

    def __init__(self, slot: Slot, now: datetime) -> None:
        super().__init__(
            f"{slot.starts_at:%Y-%m-%dT%H:%M} in {slot.zone} has passed: it is now {now:%Y-%m-%dT%H:%M}Z. "
            "Give a time to come."
        )


class TooFarError(OrderError):
    """A session years ahead is a slip of the pen."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(f"{slot.starts_at:%Y-%m-%dT%H:%M} is more than two years from now. Check the year.")


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


async def book(tx: Transaction, patient: Patient, slot: Slot, kind: SessionKind = SessionKind.TREATMENT) -> Session:
    """Book a session; a treatment belongs to the patient's running plan, if there is one.

    Raises:
        NotInCareError: the patient was discharged.
        InPastError: the time has passed.
        TooFarError: the time is years ahead.
        OverlapError: the patient has another session then.
    """
    if not patient.in_care:
        raise NotInCareError
    others = await store.open_sessions(tx, patient.id)
    _refuse(slot, others, tx.now)
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


async def move(tx: Transaction, patient: Patient, session: Session, slot: Slot) -> Session:
    """Move a session to another time; what was pending for the old one is replaced.

    Moved to where it is, it stays as it is: a patient who confirmed that time has not confirmed less.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
        InPastError: the time has passed.
        TooFarError: the time is years ahead.
        OverlapError: the patient has another session then.
    """
    moved = sessions.move(session, slot)
    if slot == session.slot:
        return session
    _refuse(slot, [other for other in await store.open_sessions(tx, patient.id) if other.id != session.id], tx.now)
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
        TooEarlyError: it begins more than a day from now.
    """
    missed = replace(sessions.miss(session, tx.now), reason=reason, note=note)
    await _close(tx, patient, missed, session_event(SessionMissed, missed))
    return missed


async def attend(
    tx: Transaction, patient: Patient, session: Session, *, reason: str | None, note: str | None
) -> Session:
    """Record that the session took place: the plan goes on, and the questions afterwards begin anew.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
        TooEarlyError: it begins more than a day from now.
    """
    attended = replace(sessions.attend(session, tx.now), reason=reason, note=note)
    plan = await store.active_plan(tx, patient.id) if attended.kind is SessionKind.TREATMENT else None
    if attended.kind is SessionKind.CONSULTATION:
        await store.save_session(tx, attended)
        await publish(tx, session_event(SessionAttended, attended))
        await timers.remind(tx, attended, plan)
        return attended
    before = await asking.known(tx, patient, plan)
    follows_before = asking.course(tx, patient, plan, before)
    attended = replace(attended, plan=attended.plan if plan is None else plan.id)
    record = before.and_attended(attended)
    if plan is not None:
        plan = plans.standing(asking.measured(plan, follows_before, patient, tx), record.held_on)
        attended = replace(attended, number=plan.attended)
    follows = asking.course(tx, patient, plan, record)
    late = questions.late(follows, follows_before, patient.zone, tx.now)
    attended = replace(attended, not_asked=late.lost)
    await store.save_session(tx, attended)
    await publish(tx, session_event(SessionAttended, attended))
    if plan is not None:
        plan = asking.with_measure_before(replace(plan, why=plan.why + plans.not_asked(late.lost)), follows)
        await store.save_plan(tx, plan)
        await publish(tx, plan_event(PlanChanged, plan))
        await asking.release(tx, patient, plan)
    await timers.remind(tx, attended, plan)
    latest = attended if record.latest and record.latest.id == attended.id else record.latest
    await timers.ask_anew(tx, patient, plan, latest, late.then(questions.questions(follows, patient.zone), tx.now))
    await _ask_to_book(tx, patient, plan, record.ahead)
    return attended


async def decide(tx: Transaction, patient: Patient, plan: Plan, interval_days: int, decided_on: date) -> Plan:
    """Give a plan the interval that a clinician decided. What is booked stays; staff move it if they wish."""
    decided = plans.after_decision(plan, interval_days, decided_on, await store.attended_on(tx, plan.id))
    await store.save_plan(tx, decided)
    await publish(tx, plan_event(PlanChanged, decided))
    await _plan_again(tx, patient, decided)
    return decided


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
        await publish(tx, plan_event(PlanChanged, ended))
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


def _refuse(slot: Slot, others: list[Session], now: datetime) -> None:
    if slot.starts_at_utc <= now:
        raise InPastError(slot, now)
    if slot.starts_at_utc - now > FARTHEST:
        raise TooFarError(slot)
    for other in others:
        if slot.overlaps(other.slot):
            raise OverlapError(other)
