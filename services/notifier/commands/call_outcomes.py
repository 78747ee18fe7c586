"""What calls came to, written in one transaction for many."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.notifier.commands.addresses import mark_bad
from services.notifier.commands.changes import Change, apply
from services.notifier.commands.stop_and_start import opt_out
from services.notifier.metrics import DOUBLED
from services.notifier.model.call_outcomes import OPTED_OUT, Accepted, CallOutcome, Found, Later, Refused, Unknown
from services.notifier.model.causes import is_dead
from services.notifier.model.message import Message
from services.notifier.model.purposes import Channel
from services.notifier.model.settling import Patience
from services.notifier.model.states import NEXT, PROVIDER_STATUS, Standing, State, report
from services.notifier.store.attempts import Ending, close_attempts
from services.notifier.store.messages import lock, note
from shared.database import Transaction

LOST_MAIL = "unknown"
"""Error of an e-mail of which nobody will ever know whether it went out. It stays unknown, and is never sent again."""


@dataclass(frozen=True)
class Call:
    """An attempt's call, done; with the traceparent of its span, where one was recorded."""

    message: UUID
    attempt: UUID
    channel: Channel
    outcome: CallOutcome
    traceparent: str | None = None


async def store_call_outcomes(tx: Transaction, calls: Sequence[Call], patience: Patience) -> None:
    """Write what calls came to: attempts, messages, events, opt-outs; one transaction for all."""
    messages = await lock(tx, {call.message for call in calls})
    closed = await close_attempts(tx, [_ending(call, tx.now, patience) for call in calls])
    changes: list[Change] = []
    for call in calls:
        step = await _step(tx, messages[call.message], call, current=call.attempt in closed)
        changes += [] if step is None else [replace(step, traceparent=call.traceparent)]
    await apply(tx, changes)
    for call in calls:
        to = messages[call.message].to_fingerprint
        if call.outcome == Refused(OPTED_OUT) and to is not None:
            await opt_out(tx, to, how=f"provider error {OPTED_OUT}")
        elif isinstance(call.outcome, Refused) and is_dead(call.outcome.code):
            await mark_bad(tx, to, why=call.outcome.code)


def _ending(call: Call, now: datetime, patience: Patience) -> Ending:
    match call.outcome:
        case Accepted(sid, status):
            return Ending(call.attempt, "accepted", status, sid)
        case Refused(code):
            return Ending(call.attempt, "refused", code)
        case Later(after, reason):
            again = "" if after is None else f"; again in {after.total_seconds():.0f} s"
            return Ending(call.attempt, "later", f"{reason}{again}")
        case Unknown(reason) if call.channel == Channel.EMAIL:
            return Ending(call.attempt, "lost", f"{reason}; a mail server cannot be asked, so it is not sent again")
        case Unknown(reason):
            return Ending(call.attempt, "unknown", reason, look_at=now + patience.margin)


async def _step(tx: Transaction, message: Message, call: Call, *, current: bool) -> Change | None:
    """Return the step that a call's outcome means, or None.

    `current` tells whether the attempt was open until now. The outcome of one that was settled meanwhile, because its
    sender was thought dead, says nothing of the attempt that followed it; but what was accepted, was.
    """
    standing = message.standing
    if not current and not isinstance(call.outcome, Accepted):
        return None
    match call.outcome:
        case Accepted(sid, status):
            return await accepted(tx, message, [Found(sid, status, None)])
        case Refused(code):
            after = Standing(State.FAILED, code)
        case Unknown() if call.channel == Channel.EMAIL:
            after = Standing(State.UNKNOWN, LOST_MAIL)
        case Unknown():
            after = Standing(State.UNKNOWN)
        case Later(pause, _):
            # Also where its sender was thought dead meanwhile: nobody would look up what is known not to be there.
            waits = standing.state in {State.SENDING, State.UNKNOWN}
            next_at = None if pause is None else tx.now + pause
            return Change(message, Standing(State.PLANNED), next_at=next_at) if waits else None
    # A status report may have overtaken the answer to the call: it knows more.
    return Change(message, after) if after.state in NEXT[standing.state] else None


async def accepted(tx: Transaction, message: Message, words: Sequence[Found]) -> Change | None:
    """Return the step that the provider's words on a message mean together, or None where they mean none.

    A second copy, which is one under another id than the first, is put on record and counted.
    """
    standing, sid = message.standing, message.sid
    for word in words:
        if sid is not None and word.sid != sid:
            DOUBLED.inc()
            await note(
                tx, message.id, "second copy", f"the provider reports {word.status} for another id than the first"
            )
            continue
        sid = word.sid
        known = word.status if word.status in PROVIDER_STATUS else "accepted"
        standing = report(standing, known, word.error)
    if standing.state == message.state and sid == message.sid:
        return None
    return Change(message, standing, sid=sid)
