"""Recording that a session took place, and correcting what was recorded: the plan and all questions follow anew."""

from dataclasses import dataclass, replace
from uuid import UUID

from services.scheduler import store
from services.scheduler.commands import asking, timers
from services.scheduler.model import plans, questions, sessions
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.questions import Course, Late
from services.scheduler.model.refusals import NotInCareError, OverlapError
from services.scheduler.model.sessions import Session, SessionKind, SessionState
from services.scheduler.published_events import plan_event, session_event
from services.scheduler.store import Correction
from shared.bus import publish
from shared.database import Transaction
from shared.events import PlanChanged, SessionAttended, SessionCorrected
from shared.ids import new_id
from shared.walltime import to_wall


@dataclass(frozen=True)
class Corrector:
    """Who corrects a record, and why.

    Attributes:
        name: as staff know them, or as the program is called.
        staff: whose account it is; None for a program.
        sealed: the reason, sealed for the context `correction`.
    """

    name: str
    staff: UUID | None
    sealed: str


async def attend(
    tx: Transaction, patient: Patient, session: Session, *, sealed_reason: str | None, sealed_note: str | None
) -> Session:
    """Record that the session took place: the plan goes on, and the questions afterwards begin anew.

    Raises:
        IllegalTransitionError: the session is over or cancelled.
        TooEarlyError: it begins more than a day from now.
    """
    attended = replace(sessions.attend(session, tx.now), sealed_reason=sealed_reason, sealed_note=sealed_note)
    if attended.kind is SessionKind.CONSULTATION:
        await store.save_session(tx, attended)
        await publish(tx, session_event(SessionAttended, attended))
        await timers.remind(tx, attended, None)
        return attended
    plan = await store.active_plan(tx, patient.id)
    attended = replace(attended, plan=attended.plan if plan is None else plan.id)
    known = await asking.known(tx, patient, plan)
    before, record = asking.course(tx, patient, plan, known), known.and_attended(attended)
    if plan is not None:
        plan = plans.standing(asking.measured(plan, before, patient, tx), record.held_on)
        attended = replace(attended, number=plan.attended)
    after = asking.course(tx, patient, plan, record)
    late = questions.late(after, before, patient.zone, tx.now)
    attended = replace(attended, not_asked=late.lost)
    await store.save_session(tx, attended)
    await publish(tx, session_event(SessionAttended, attended))
    if record.latest is not None and record.latest.id == attended.id:
        record = replace(record, latest=attended)
    await timers.remind(tx, attended, plan)
    await _go_on(tx, patient, plan, record, _Follows(after, late))
    return attended


async def correct(
    tx: Transaction, patient: Patient, session: Session, state: SessionState, corrector: Corrector
) -> Session:
    """Record a session as something else than it was recorded as. What was stays on record, with who and why.

    Raises:
        NothingToCorrectError: it is open still, or recorded so already.
        TooEarlyError, NotYetMissedError: the outcome of a session that is not there yet.
        NotInCareError: booked again, though the patient was discharged.
        OverlapError: booked again, though the patient has another session then.
    """
    corrected = sessions.correct(session, state, tx.now)
    plan = await store.active_plan(tx, patient.id)
    if corrected.open:
        await _refuse_to_book_again(tx, patient, corrected)
    treatment = corrected.kind is SessionKind.TREATMENT
    if plan is not None and treatment and session.plan is None and state is SessionState.ATTENDED:
        corrected = replace(corrected, plan=plan.id)
    before = asking.course(tx, patient, plan, await asking.known(tx, patient, plan))
    await store.save_session(tx, corrected)
    record = await asking.known(tx, patient, plan)
    if plan is not None and treatment and corrected.plan == plan.id:
        stood = plans.standing(asking.measured(plan, before, patient, tx), record.held_on)
        plan = replace(
            stood, why=stood.why + _said(session, corrected, to_wall(tx.now, patient.zone).date().isoformat())
        )
        corrected = replace(corrected, number=_number(corrected, plan))
    else:
        await _correct_ended(tx, corrected)
    after = asking.course(tx, patient, plan, record)
    late = Late(None, ())
    if corrected.state is SessionState.ATTENDED and treatment:
        late = questions.late(after, before, patient.zone, tx.now)
        corrected = replace(corrected, not_asked=late.lost)
    await store.save_session(tx, corrected)
    await _note(tx, session, corrected, corrector)
    if record.latest is not None and record.latest.id == corrected.id:
        record = replace(record, latest=corrected)
    await timers.remind(tx, corrected, plan)
    if treatment and patient.in_care:
        await _go_on(tx, patient, plan, record, _Follows(after, late))
    return corrected


@dataclass(frozen=True)
class _Follows:
    """What follows from the sessions now on record."""

    course: Course
    late: Late


async def _go_on(tx: Transaction, patient: Patient, plan: Plan | None, record: asking.Known, follows: _Follows) -> None:
    """Tell how the plan now stands, and replace what is planned by what follows; what is owed stays."""
    if plan is not None:
        why = plan.why + plans.not_asked(follows.late.lost)
        plan = asking.with_measure_before(replace(plan, why=why), follows.course)
        await store.save_plan(tx, plan)
        await publish(tx, plan_event(PlanChanged, plan, record.held_on))
        await asking.release(tx, patient, plan)
    planned = questions.questions(follows.course, patient.zone)
    await timers.ask_anew(tx, patient, plan, record.latest, follows.late.then(planned, tx.now))
    if plan is not None:
        await timers.ask_to_book(tx, patient, plan, booked=bool(record.ahead))


async def _refuse_to_book_again(tx: Transaction, patient: Patient, session: Session) -> None:
    if not patient.in_care:
        raise NotInCareError
    for other in await store.open_sessions(tx, patient.id):
        if other.slot.overlaps(session.slot):
            raise OverlapError(other)


async def _correct_ended(tx: Transaction, session: Session) -> None:
    """Let the plan of a session that has ended since count its sessions anew; nothing is asked or due under it."""
    if session.plan is None:
        return
    ended = await store.find_plan(tx, session.plan)
    if ended is not None:
        held_on = await store.attended_on(tx, ended.id)
        counted = replace(plans.standing(ended, held_on), why=ended.why)
        await store.save_plan(tx, counted)
        await publish(tx, plan_event(PlanChanged, counted, held_on))


async def _note(tx: Transaction, session: Session, corrected: Session, corrector: Corrector) -> None:
    correction = Correction(
        id=new_id(),
        session=corrected.id,
        version=corrected.version,
        before=session.state,
        after=corrected.state,
        by=corrector.name,
        staff=corrector.staff,
        at=tx.now,
        sealed=corrector.sealed,
    )
    await store.add_correction(tx, corrected, correction)
    about = {"before": session.state.value, "by": corrector.name, "at": tx.now, "reason": corrector.sealed}
    await publish(tx, session_event(SessionCorrected, corrected, **about))


def _number(session: Session, plan: Plan) -> int | None:
    if session.state is SessionState.ATTENDED:
        return plan.attended
    return plan.attended + 1 if session.open else None


def _said(session: Session, corrected: Session, today: str) -> str:
    day = f"{session.slot.starts_at:%Y-%m-%d}"
    return f" On {today} the record of the session of {day} was corrected from {session.state} to {corrected.state}."
