"""What a patient is asked, planned anew as its cause changes: what is on record, what follows, and its timers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.scheduler import store
from services.scheduler.commands import timers
from services.scheduler.model import questions
from services.scheduler.model.catalogue import WITHOUT_PLAN
from services.scheduler.model.due import CHECK_IN_HOUR
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.questions import Course
from services.scheduler.model.sessions import Session, SessionKind
from shared.database import Transaction
from shared.instruments import MEASURE
from shared.walltime import at_wall, to_wall


@dataclass(frozen=True)
class Known:
    """What is on record of a patient's sessions.

    Attributes:
        latest: the attended treatment of the latest day.
        held_on: the days of the plan's attended sessions, first to last.
        ahead: booked treatments that are still to come, the next first.
    """

    latest: Session | None
    held_on: tuple[date, ...]
    ahead: tuple[Session, ...]

    def and_attended(self, session: Session) -> "Known":
        """Return what is on record once a session was attended too."""
        if session.attended_on is None:
            raise ValueError(f"Session {session.id} was not attended: nothing follows from it.")
        rank = (session.attended_on, session.slot.starts_at_utc)
        newer = self.latest is None or self.latest.attended_on is None or rank >= _rank(self.latest)
        held = self.held_on if session.plan is None else tuple(sorted((*self.held_on, session.attended_on)))
        ahead = tuple(other for other in self.ahead if other.id != session.id)
        return Known(session if newer else self.latest, held, ahead)


def _rank(session: Session) -> tuple[date, object]:
    return (session.attended_on or date.min, session.slot.starts_at_utc)


async def known(tx: Transaction, patient: Patient, plan: Plan | None) -> Known:
    """Return what is on record of a patient's sessions."""
    held = () if plan is None else await store.attended_on(tx, plan.id)
    latest = await store.latest_treatment(tx, patient.id)
    return Known(latest, held, await ahead(tx, patient))


async def ahead(tx: Transaction, patient: Patient) -> tuple[Session, ...]:
    """Return the booked treatments that are still to come, the next first."""
    listed = await store.open_sessions(tx, patient.id)
    return tuple(one for one in listed if one.kind is SessionKind.TREATMENT and one.slot.starts_at_utc >= tx.now)


def course(tx: Transaction, patient: Patient, plan: Plan | None, record: Known) -> Course:
    """Return what the questions to a patient follow from."""
    latest_on = None if record.latest is None else record.latest.attended_on
    if plan is None:
        return Course(WITHOUT_PLAN, latest_on)
    today = to_wall(tx.now, patient.zone).date()
    next_on = record.ahead[0].slot.starts_at.date() if record.ahead else plan.next_due_on
    was_asked = plan.before_on is not None and at_wall(plan.before_on, CHECK_IN_HOUR, patient.zone) <= tx.now
    return Course(
        cadence=plan.protocol.cadence,
        latest_on=latest_on,
        held_on=record.held_on,
        series_sessions=plan.protocol.series_sessions,
        next_on=next_on if next_on >= today else None,
        from_on=today if tx.now < at_wall(today, CHECK_IN_HOUR, patient.zone) else today + timedelta(days=1),
        before_on=plan.before_on if was_asked else None,
        measured_on=plan.measured_on,
    )


def measured(plan: Plan, follows: Course, patient: Patient, tx: Transaction) -> Plan:
    """Return a plan that knows the last measure that was asked by what was planned so far."""
    days = [
        one.asked_for
        for one in questions.questions(follows, patient.zone)
        if MEASURE in one.instruments and one.at <= tx.now
    ]
    if follows.before_on is not None:
        days.append(follows.before_on)
    return replace(plan, measured_on=max(days)) if days else plan


def with_measure_before(plan: Plan, follows: Course) -> Plan:
    """Return a plan that knows the measure set before its next session, and the one that this replaces."""
    before, asked = questions.measure_before(follows), follows.before_on
    if before is None or before == asked:
        return replace(plan, before_on=asked)
    measured_on = max((day for day in (plan.measured_on, asked) if day is not None), default=None)
    return replace(plan, before_on=before, measured_on=measured_on)


async def begin(tx: Transaction, patient: Patient, plan: Plan) -> None:
    """Ask for the baseline of a new plan."""
    if plan.protocol.cadence.measures is not None:
        await _set_baseline(tx, patient, plan, await ahead(tx, patient))


async def hasten(tx: Transaction, patient: Patient, plan: Plan, booked: Sequence[Session]) -> None:
    """Set the pending baseline by the first session as it now is; asked is asked."""
    if plan.attended == 0 and await timers.pending(tx, timers.of_baseline(patient.id)):
        await _set_baseline(tx, patient, plan, booked)


async def release(tx: Transaction, patient: Patient, plan: Plan) -> None:
    """Ask at once for a baseline that still waits as the first session is recorded: it is owed."""
    measures = plan.protocol.cadence.measures
    if measures is not None and plan.attended == 1 and await timers.pending(tx, timers.of_baseline(patient.id)):
        today = to_wall(tx.now, patient.zone).date()
        await timers.ask_baseline(tx, patient, plan, questions.baseline(today, patient.zone, measures, tx.now))


async def _set_baseline(tx: Transaction, patient: Patient, plan: Plan, booked: Sequence[Session]) -> None:
    measures = plan.protocol.cadence.measures
    if measures is not None:
        first_on = min([plan.start_on, *(session.slot.starts_at.date() for session in booked)])
        await timers.ask_baseline(tx, patient, plan, questions.baseline(first_on, patient.zone, measures, tx.now))


async def after_change(tx: Transaction, patient: Patient, plan: Plan, record: Known) -> Plan:
    """Set the measures of maintenance by the next session as it now is; return the plan, which may know a new one."""
    follows = course(tx, patient, plan, record)
    if follows.cadence.measures is None or plan.attended < follows.series_sessions:
        return plan
    changed = with_measure_before(plan, follows)
    if changed != plan:
        await store.save_plan(tx, changed)
    planned = questions.still_ahead(questions.questions(follows, patient.zone), tx.now)
    await timers.ask_also(tx, patient, changed, record.latest, planned)
    return changed


async def move_home(tx: Transaction, patient: Patient, plan: Plan | None) -> None:
    """Ask what is pending at ten where the patient now lives."""
    record = await known(tx, patient, plan)
    follows = course(tx, patient, plan, record)
    pending = await timers.pending(tx, timers.of_check_ins(patient.id))
    moved = questions.retimed(questions.questions(follows, patient.zone), pending, tx.now)
    await timers.write(tx, patient, plan, record.latest, moved)
    if plan is not None:
        await hasten(tx, patient, plan, record.ahead)


async def plan_again(tx: Transaction, patient: Patient, plan: Plan | None) -> None:
    """Set what hangs on the next session: the question to book, the baseline, the measure before it."""
    if plan is None:
        return
    record = await known(tx, patient, plan)
    plan = await after_change(tx, patient, plan, record)
    await hasten(tx, patient, plan, record.ahead)
    await ask_to_book(tx, patient, plan, record.ahead)


async def ask_to_book(tx: Transaction, patient: Patient, plan: Plan | None, booked: Sequence[Session]) -> None:
    """Set the question to book by the plan's present date; without a plan nobody is asked."""
    if plan is not None:
        await timers.ask_to_book(tx, patient, plan, booked=bool(booked))
