"""Sessions: what no longer holds is taken back in the transaction that learns of it, and who was told is told so."""

from services.notifier.commands import session_notices
from services.notifier.commands.changes import withhold
from services.notifier.model.send_rules import Reason
from services.notifier.planner import Planner
from services.notifier.store import sessions
from services.notifier.store.message_filters import about, about_another_start
from shared.bus import Handlers
from shared.database import Transaction
from shared.events import (
    SessionAttended,
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionCorrected,
    SessionEvent,
    SessionMissed,
    SessionMoved,
    SessionUnconfirmed,
)


def register(handlers: Handlers, planner: Planner) -> None:
    """Register the handlers of this module."""

    @handlers.on(
        SessionBooked,
        SessionConfirmed,
        SessionUnconfirmed,
        SessionMoved,
        SessionCancelled,
        SessionAttended,
        SessionMissed,
        SessionCorrected,
    )
    async def session_changed(tx: Transaction, event: SessionEvent) -> None:
        # Nothing was planned for, or told of, a session that has just been made.
        if not await sessions.keep_session(tx, event) or event.version == 1:
            return
        if event.state in {"booked", "confirmed"}:
            # What was already planned for this time stays: a timer may overtake nothing, but a replay may.
            await withhold(tx, about_another_start(event.session, event.starts_at_utc), Reason.SESSION_MOVED)
        else:
            await withhold(tx, about(event.session), Reason.SESSION_OVER)
        await session_notices.tell_what_changed(tx, planner, event)
