"""Plans and sessions as the events that tell of them."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from services.scheduler.model.plans import Plan
from services.scheduler.model.sessions import Session
from shared.events import PlanStarted, SessionEvent
from shared.walltime import wall_text

P = TypeVar("P", bound=PlanStarted)
S = TypeVar("S", bound=SessionEvent)


def plan_event(kind: type[P], plan: Plan, held_on: Sequence[date] = (), **more: object) -> P:
    """Return the event of a kind that tells how a plan now stands, by the days of its attended sessions."""
    completed_on = plan.protocol.series_completed_on(held_on)
    follows = plan.protocol.position(plan.attended)
    rungs, window = plan.protocol.maintenance, follows.phase.window
    return kind(
        clinic=plan.clinic,
        version=plan.version,
        patient=plan.patient,
        plan=plan.id,
        protocol=plan.protocol.id,
        protocol_version=plan.protocol.version,
        phase=plan.phase,
        interval_days=plan.interval_days,
        next_due_on=plan.next_due_on,
        induction_complete=plan.induction_complete,
        attended=plan.attended,
        why=plan.why,
        induction_completed_on=completed_on,
        active=plan.active,
        phase_kind=follows.phase.kind.value,
        session=None if follows.sessions is None else follows.number,
        sessions=follows.sessions,
        ladder=rungs.ladder,
        opt_in_above=rungs.opt_in_above,
        modality=plan.protocol.modality,
        route=plan.protocol.route,
        window_earlier_days=None if window is None else window.earlier_days,
        window_later_days=None if window is None else window.later_days,
        **more,
    )


def session_event(kind: type[S], session: Session, **more: object) -> S:
    """Return the event of a kind that tells how a session now stands; never its note, nor why it was cancelled.

    What every event of a session tells is every field of the session by the same name.
    """
    stands = {name: value for name, value in session.flat().items() if name in SessionEvent.model_fields}
    stands |= {"session": session.id, "starts_at": wall_text(session.slot.starts_at)}
    return kind(**stands, **more)
