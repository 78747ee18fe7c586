"""Telling anew how plans and sessions stand, for services that may have missed it.

Every event carries the version that holds: who knows it, or a newer one, changes nothing.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.scheduler import store
from services.scheduler.model.sessions import SessionState
from services.scheduler.published_events import plan_event, session_event
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
    count, last = 0, None
    while True:
        async with database.transaction() as tx:
            found = await store.lock_patients(tx, after=last, limit=TOGETHER)
            count += sum([await _patient(tx, patient) for patient in found])
        if not found:
            return count
        last = found[-1]


async def _patient(tx: Transaction, patient: UUID) -> int:
    # Also one that has ended: whoever missed that would go on proposing an interval for it.
    plan = await store.newest_plan(tx, patient)
    if plan is not None:
        await publish(tx, plan_event(PlanChanged, plan, await store.attended_on(tx, plan.id)))
    held = await store.sessions_that_matter(tx, patient, since=tx.now - LATELY)
    for session in held:
        await publish(tx, session_event(_KINDS[session.state], session))
    return len(held) + (plan is not None)
