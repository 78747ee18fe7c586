"""Notices of a session: who was told what no longer holds is told so, once for each change."""

from collections.abc import Sequence

from services.notifier.commands.changes import withhold
from services.notifier.model.message import Message
from services.notifier.model.notices import Notice, Truth, notice
from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.send_rules import Postpone, Reason, Send, may_send
from services.notifier.planner import Planner
from services.notifier.store import claims
from services.notifier.store.message_filters import notices_about
from services.notifier.store.messages import PlannedMessage
from services.notifier.store.queries import notices_waiting, told_of
from shared.bus import publish
from shared.database import Transaction
from shared.events import MessagePlanned, SessionEvent
from shared.ids import MessageId, PatientId


async def tell_what_changed(tx: Transaction, planner: Planner, event: SessionEvent) -> None:
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
