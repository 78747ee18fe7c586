"""What is due is planned; whether it still goes out is judged when it does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from services.notifier.model.purposes import Channel, Consented, Purpose
from services.notifier.planner import Planner
from services.notifier.store import people, sessions
from services.notifier.store.messages import PlannedMessage
from services.notifier.store.sessions import Remindable
from shared.bus import Handlers, Heard, NotYet
from shared.database import Transaction
from shared.events import BookingDue, SessionDue
from shared.ids import PatientId

CLOCKS_CHANGE: Final = timedelta(hours=3)
"""More than any zone's clocks are ever changed by: a reminder is due whole days before, on the wall."""
BOOKING_USEFUL_FOR: Final = timedelta(days=14)
"""An invitation to book is of no use long after the day it was for. Engineering default."""


def register(handlers: Handlers, planner: Planner) -> None:
    """Register the handlers of this module."""

    @handlers.on_many(SessionDue)
    async def sessions_due(tx: Transaction, heard: Sequence[Heard[SessionDue]]) -> None:
        known = await sessions.sessions_and_channels(tx, {each.event.session for each in heard})
        if any(each.event.session not in known for each in heard):
            raise NotYet("A session became due before its booking or its patient arrived.")
        reminders = [_reminder(tx, known[each.event.session], each) for each in heard]
        # Who agreed to both has the time in a text, and the visit in a calendar.
        entries = [
            replace(plan, channel=Channel.EMAIL)
            for plan, each in zip(reminders, heard, strict=True)
            if plan.channel == Channel.SMS and known[each.event.session].entry
        ]
        await planner.plan_all(tx, [*reminders, *entries])

    @handlers.on(BookingDue)
    async def booking_due(tx: Transaction, event: BookingDue) -> None:
        if not await people.known(tx, event.patient):
            raise NotYet("A booking became due before its patient arrived.")
        channel = await people.channel_of(tx, PatientId(event.patient), Consented.BOOKING)
        await planner.plan(
            tx,
            PlannedMessage(
                clinic=event.clinic,
                patient=PatientId(event.patient),
                purpose=Purpose.BOOKING,
                channel=channel,
                occurrence=event.due_on.isoformat(),
                about=event.plan,
                due_at=tx.now,
                useful_until=datetime.combine(event.due_on, time(), UTC) + BOOKING_USEFUL_FOR,
            ),
        )


def _reminder(tx: Transaction, session: Remindable, heard: Heard[SessionDue]) -> PlannedMessage:
    event = heard.event
    return PlannedMessage(
        clinic=event.clinic,
        patient=PatientId(event.patient),
        purpose=Purpose.REMINDER,
        channel=Channel(session.channel or Channel.SMS),
        occurrence=event.occurrence,
        about=event.session,
        turn=_turn(session, event),
        due_at=tx.now,
        starts_at=event.starts_at_utc,
        trace=heard.trace,
        not_before=None if event.days_before is None else _first(event.starts_at_utc, event.days_before),
    )


def _first(starts_at: datetime, days: int) -> datetime:
    """Return an instant before which a reminder of so many days cannot have gone out."""
    return starts_at - timedelta(days=days) - CLOCKS_CHANGE


def _turn(session: Remindable, event: SessionDue) -> str:
    """Tell the reminders of one time from those of another, also where a session was moved away and back."""
    current = session.starts_at == event.starts_at_utc
    return f"placed-{session.placed}" if current else f"version-{event.version}"
