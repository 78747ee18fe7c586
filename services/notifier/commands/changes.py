"""Steps of messages, written in sets, each with the events that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notifier.commands.announce import Announcement, announce
from services.notifier.metrics import WITHHELD
from services.notifier.model.due import DueMessage
from services.notifier.model.message import Message
from services.notifier.model.purposes import NOTICES, POLICIES, Channel, Purpose
from services.notifier.model.send_rules import ANOTHER_CHANNEL_MAY_HELP, Reason
from services.notifier.model.states import Standing, State, move
from services.notifier.store import people
from services.notifier.store.message_filters import MessageFilter
from services.notifier.store.messages import PlannedMessage, close_pending, plan, write_steps
from shared.database import Transaction
from shared.events import MessageDelivered, MessageEvent, MessageFailed, MessageSent, MessageWithheld
from shared.ids import ClinicId, MessageId, PatientId

_NOT_YET = frozenset({State.PLANNED, State.HELD, State.SENDING, State.UNKNOWN})
_ARRIVED = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED})
_LOST = frozenset({State.FAILED, State.UNDELIVERED})
_CLOSED = frozenset({State.WITHHELD, State.EXPIRED})


@dataclass(frozen=True)
class Change:
    """Where a message stands after what happened.

    Attributes:
        before: as it stood, locked by the caller.
        sid: the provider's id, once it is known; the first one stays.
        next_at: when a planned message is looked at next.
        traceparent: of what happened; the message's own trace where None.
    """

    before: Message | DueMessage
    after: Standing
    sid: str | None = None
    next_at: datetime | None = None
    reason: Reason | None = None
    traceparent: str | None = None

    def events(self) -> Sequence[type[MessageEvent]]:
        """Return what has to be said of the step, in order."""
        was, now = self.before.state, self.after.state
        said: list[type[MessageEvent]] = []
        if was == now:
            return said
        if was in _NOT_YET and now in _ARRIVED:
            said.append(MessageSent)
        if now == State.DELIVERED:
            said.append(MessageDelivered)
        if now in _LOST or (now == State.UNKNOWN and self.after.error is not None):
            said.append(MessageFailed)
        if now in _CLOSED:
            said.append(MessageWithheld)
        return said


async def apply(tx: Transaction, changes: Sequence[Change]) -> None:
    """Write steps, say what follows from each, and plan the next channel for what will not arrive on this one.

    Raises:
        IllegalTransitionError: one of them is no step forward.
    """
    if not changes:
        return
    events = {change.before.id: change.events() for change in changes}
    now = await write_steps(
        tx,
        [change.before.id for change in changes],
        states=[move(change.before.state, change.after.state) for change in changes],
        errors=[change.after.error for change in changes],
        reasons=[None if change.reason is None else str(change.reason) for change in changes],
        sids=[change.sid for change in changes],
        nexts=[change.next_at for change in changes],
        # Two events of one step have two versions, or a reader would ignore the second.
        steps=[max(1, len(events[change.before.id])) for change in changes],
    )
    stems = {change.before.id: change.traceparent for change in changes}
    in_order = sorted(now, key=lambda each: each.bytes)
    await announce(tx, [said for key in in_order for said in _said(now[key], events[key], stems[key])])
    for change in changes:
        if change.reason is not None and change.after.state in _CLOSED:
            WITHHELD.labels(change.reason).inc()
        if _is_for_another_channel(change):
            await plan_next_channel(tx, now[change.before.id])


def _said(message: Message, events: Sequence[type[MessageEvent]], traceparent: str | None) -> list[Announcement]:
    first = message.version - len(events) + 1
    return [Announcement(kind, message, version, traceparent) for version, kind in enumerate(events, start=first)]


def _is_for_another_channel(change: Change) -> bool:
    if change.before.state == change.after.state:
        return False
    return change.after.state in _LOST or change.reason in ANOTHER_CHANNEL_MAY_HELP


async def withhold(tx: Transaction, which: MessageFilter, reason: Reason) -> list[Message]:
    """Withhold the messages that match and have not gone out, say so, and return them."""
    withheld = await close_pending(tx, which, reason)
    await announce(tx, [Announcement(MessageWithheld, message, message.version) for message in withheld])
    return withheld


async def plan_next_channel(tx: Transaction, message: Message) -> MessageId | None:
    """Plan a message on the next channel that the patient consented to; return None where there is none.

    Word that a time no longer holds tries both; all else goes from text to e-mail.
    """
    purpose = Purpose(message.purpose)
    policy = POLICIES[purpose]
    repeated = message.channel == Channel.SMS or message.occurrence in NOTICES
    if message.patient is None or policy.consent is None or not policy.next_channel or not repeated:
        return None
    other = Channel.EMAIL if message.channel == Channel.SMS else Channel.SMS
    if not await people.may_use(tx, PatientId(message.patient), other, policy.consent):
        return None
    return await plan(
        tx,
        PlannedMessage(
            clinic=ClinicId(message.clinic),
            patient=PatientId(message.patient),
            purpose=purpose,
            channel=other,
            occurrence=message.occurrence,
            about=message.about,
            turn=message.turn,
            due_at=tx.now,
            useful_until=message.useful_until,
            starts_at=message.starts_at,
            link=message.link,
            not_before=message.not_before,
            trace=message.trace,
        ),
    )
