"""Sessions: what no longer holds is taken back in the transaction that learns of it, and who was told is told so."""

from collections.abc import Sequence

from services.notifier.commands.changes import withhold
from services.notifier.model.message import Message
from services.notifier.model.notices import Notice, Truth, notice
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.send_rules import Postpone, Reason, Send, may_send
from services.notifier.planner import Planner
from services.notifier.store import claims, sessions
from services.notifier.store.message_filters import about, about_another_start, notices_about
from services.notifier.store.messages import PlannedMessage
from services.notifier.store.queries import notices_waiting, told_of
from shared.bus import Handlers, publish
from shared.database import Transaction
from shared.events import (
    MessagePlanned,
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
from shared.ids import MessageId, PatientId


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
        await _tell(tx, planner, event)


async def _tell(tx: Transaction, planner: Planner, event: SessionEvent) -> None:
    """Plan what has to be said to a patient who was told what no longer holds, once for each change."""
    told = await told_of(tx, event.clinic, event.patient, event.session)
    truth = Truth(event.starts_at_utc, open=event.state in {"booked", "confirmed"}, off=event.state == "cancelled")
    wanted = notice(told, truth, tx.now)
    waiting = await notices_waiting(tx, event.clinic, event.patient, event.session)
    if wanted is not None and any(_says(message, wanted) for message in waiting):
        return
    if waiting:
        await withhold(tx, notices_about(event.session), Reason.SUPERSEDED)
    if wanted is not None:
        planned = [await planner.plan(tx, _plan(event, wanted, channel)) for channel in wanted.channels]
        await _say_when(tx, [key for key in planned if key is not None], wanted)


def _says(message: Message, wanted: Notice) -> bool:
    return message.occurrence == wanted.occurrence and message.starts_at == wanted.starts_at


def _plan(event: SessionEvent, wanted: Notice, channel: Channel) -> PlannedMessage:
    return PlannedMessage(
        clinic=event.clinic,
        patient=PatientId(event.patient),
        purpose=Purpose.REMINDER,
        channel=channel,
        occurrence=wanted.occurrence,
        about=event.session,
        turn=str(event.version),
        due_at=wanted.due_at,
        starts_at=wanted.starts_at,
    )


async def _say_when(tx: Transaction, planned: Sequence[MessageId], wanted: Notice) -> None:
    """Tell the clinic when notices go out, and whether that is before the patient acts on what they were told."""
    for message in await claims.due_messages(tx, planned):
        match may_send(message.draft(), message.conditions(tx.now, daily_limit=0), wanted.due_at):
            case Send():
                goes_at = wanted.due_at
            case Postpone(until):
                goes_at = until
            case _:
                # It is withheld as soon as the sender looks at it, which says why.
                continue
        said = MessagePlanned(
            clinic=message.clinic,
            version=message.version,
            patient=message.patient,
            message=message.id,
            purpose=message.purpose,
            channel=message.channel,
            occurrence=message.occurrence,
            about=message.about,
            to="",
            at=tx.now,
            goes_at=goes_at,
            in_time=goes_at < wanted.needed_by,
        )
        await publish(tx, said)
