"""Telling anew how plans and sessions stand, for services that may have missed it.

Every event carries the version that holds: who knows it, or a newer one, changes nothing.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select

from services.scheduler import store
from services.scheduler.facts import plan_event, session_event
from services.scheduler.model.sessions import OPEN, Session, SessionState
from services.scheduler.tables import patients, sessions
from shared.bus import publish
from shared.database import Database, Transaction
from shared.events import (
    PlanChanged,
    SessionAttended,
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionEvent,
    SessionMissed,
)

TOGETHER: Final = 100
"""Patients that are told of in one transaction."""
LATELY: Final = timedelta(days=31)
"""How far back sessions that are over are told of: what came of older ones moves nothing any more."""
_KINDS: Final[dict[SessionState, type[SessionEvent]]] = {
    SessionState.BOOKED: SessionBooked,
    SessionState.CONFIRMED: SessionConfirmed,
    SessionState.CANCELLED: SessionCancelled,
    SessionState.ATTENDED: SessionAttended,
    SessionState.MISSED: SessionMissed,
}


async def retell(database: Database) -> int:
    """Publish the state of every patient's last plan and of every session that may still matter; return how many."""
    told, last = 0, None
    while True:
        async with database.transaction() as tx:
            wanted = select(patients.c.id).order_by(patients.c.id).limit(TOGETHER)
            found = await tx.all((wanted if last is None else wanted.where(patients.c.id > last)).with_for_update())
            told += sum([await _patient(tx, row.id) for row in found])
        if not found:
            return told
        last = found[-1].id


async def _patient(tx: Transaction, patient: UUID) -> int:
    # Also one that has ended: whoever missed that would go on proposing an interval for it.
    plan = await store.newest_plan(tx, patient)
    if plan is not None:
        await publish(tx, plan_event(PlanChanged, plan, await store.attended_on(tx, plan.id)))
    held = await _sessions(tx, patient)
    for session in held:
        await publish(tx, session_event(_KINDS[session.state], session))
    return len(held) + (plan is not None)


async def _sessions(tx: Transaction, patient: UUID) -> list[Session]:
    matters = or_(sessions.c.state.in_([state.value for state in OPEN]), sessions.c.starts_at_utc > tx.now - LATELY)
    rows = await tx.all(select(sessions.c.id).where(sessions.c.patient == patient, matters).order_by(sessions.c.id))
    found = [await store.find_session(tx, row.id) for row in rows]
    return [session for session in found if session is not None]
