"""Sessions: what no longer holds is taken back, in the transaction that learns of it."""

from services.notifier.desk import Desk
from services.notifier.model.judging import Reason
from services.notifier.model.purposes import Channel, Occurrence, Purpose
from services.notifier.store import sessions
from services.notifier.store.messages import Plan, withhold
from services.notifier.store.reading import mailed_about
from services.notifier.tables import MESSAGES
from shared.bus import Handlers
from shared.database import Transaction
from shared.events import (
    SessionAttended,
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionEvent,
    SessionMissed,
    SessionMoved,
)
from shared.ids import PatientId


def register(handlers: Handlers, desk: Desk) -> None:
    """Register the handlers of this module."""

    @handlers.on(SessionBooked, SessionConfirmed)
    async def session_stands(tx: Transaction, event: SessionEvent) -> None:
        await sessions.keep_session(tx, event)

    @handlers.on(SessionMoved)
    async def session_moved(tx: Transaction, event: SessionMoved) -> None:
        if await sessions.keep_session(tx, event):
            about = MESSAGES.c.about == event.session
            # What was already planned for the new time stays: a timer may overtake nothing, but a replay may.
            await withhold(tx, about & (MESSAGES.c.starts_at != event.starts_at_utc), Reason.SESSION_MOVED)
            await _update_calendar(tx, desk, event, Occurrence.MOVED)

    @handlers.on(SessionCancelled)
    async def session_cancelled(tx: Transaction, event: SessionCancelled) -> None:
        if await sessions.keep_session(tx, event):
            await withhold(tx, MESSAGES.c.about == event.session, Reason.SESSION_OVER)
            await _update_calendar(tx, desk, event, Occurrence.CANCELLED)

    @handlers.on(SessionAttended, SessionMissed)
    async def session_over(tx: Transaction, event: SessionEvent) -> None:
        if await sessions.keep_session(tx, event):
            await withhold(tx, MESSAGES.c.about == event.session, Reason.SESSION_OVER)


async def _update_calendar(tx: Transaction, desk: Desk, event: SessionEvent, occurrence: Occurrence) -> None:
    if not await mailed_about(tx, event.session):
        return
    await desk.plan(
        tx,
        Plan(
            clinic=event.clinic,
            patient=PatientId(event.patient),
            purpose=Purpose.REMINDER,
            channel=Channel.EMAIL,
            occurrence=occurrence,
            about=event.session,
            turn=str(event.version),
            due_at=tx.now,
            starts_at=event.starts_at_utc,
        ),
    )
