"""Claiming due messages: each is judged, worded and on record as an attempt before anything is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from services.notifier.commands import held_messages
from services.notifier.commands.changes import Change, apply
from services.notifier.kept_words import seal_words
from services.notifier.letters import LetterWriter, Ready, body_print
from services.notifier.metrics import HELD
from services.notifier.model.due import DueMessage
from services.notifier.model.explaining import WHY
from services.notifier.model.purposes import Channel
from services.notifier.model.rate import Limits
from services.notifier.model.reconciliation import AskPerson, AskProvider, detain
from services.notifier.model.send_rules import Expire, Postpone, Send, Withhold, may_send
from services.notifier.model.states import Standing, State
from services.notifier.store import attempts, claims
from services.notifier.store.held_messages import Detained
from services.notifier.store.messages import note, note_all
from shared.database import Reader, Transaction
from shared.languages import TextsError
from shared.protection import SealedError, mask
from shared.telemetry.log import get_logger

log = get_logger(__name__)

ALL: Final = tuple(Channel)
UNSENDABLE: Final = "unsendable"
"""Error of a message that could not be made: an address that cannot be opened, a clinic that is not known."""


@dataclass(frozen=True, slots=True)
class Unsendable:
    """It cannot be made; `error` is the kind of fault."""

    error: str


Decided: TypeAlias = Ready | Detained | Postpone | Withhold | Expire | Unsendable


async def claim(
    tx: Transaction, writer: LetterWriter, limits: Limits, *, owner: int, most: int, channels: Sequence[Channel] = ALL
) -> list[Ready]:
    """Claim up to `most` due messages and return the letters of those that go out, their attempts on record.

    Args:
        tx: that makes it so once it has committed.
        writer: makes letters.
        limits: of the sender.
        owner: the number of its lease.
        most: messages at once.
        channels: by which they go.
    """
    if not limits.rate.per_second:
        return await prepare(tx, writer, await claims.claim(tx, most, channels), owner)
    spent = await claims.lock_rate(tx, limits.sender)
    allowed = min(most, limits.rate.allows(spent, tx.now))
    ready = await prepare(tx, writer, await claims.claim(tx, allowed, channels), owner) if allowed > 0 else []
    if ready:
        await claims.spend_rate(tx, limits.sender, limits.rate, spent, len(ready))
    return ready


async def next_due(reader: Reader, limits: Limits, channels: Sequence[Channel] = ALL) -> datetime | None:
    """Return the next instant at which there is something to claim."""
    due = await claims.next_due(reader, channels)
    if due is None or not limits.rate.per_second:
        return due
    spent = await claims.used_until(reader, limits.sender)
    return max(due, limits.rate.next_at(spent, reader.now))


async def prepare(tx: Transaction, writer: LetterWriter, due: Sequence[DueMessage], owner: int) -> list[Ready]:
    """Decide over claimed messages; write attempts for those that go out, and why for those that do not."""
    decided = [(message, decide(message, writer, tx.now)) for message in due]
    await _close(tx, decided)
    await _put_off(tx, [(message, how) for message, how in decided if isinstance(how, Postpone)])
    await held_messages.detain(tx, [how for _, how in decided if isinstance(how, Detained)])
    going = [(message, how) for message, how in decided if isinstance(how, Ready)]
    await _write_attempts(tx, writer, going, owner)
    return [ready for _, ready in going]


def decide(message: DueMessage, writer: LetterWriter, now: datetime) -> Decided:
    """Return what becomes of a due message: its letter, or why there is none."""
    # One message that cannot be made must not keep its neighbours from going out.
    try:
        verdict = may_send(message.draft(), message.conditions(now, daily_limit=writer.house.daily_limit), now)
        if not isinstance(verdict, Send):
            return verdict
        return _detained(message, writer, now) or writer.write(message, now)
    except (SealedError, TextsError, ValueError, LookupError) as error:
        log.exception("message.unsendable", message=str(message.id))
        return Unsendable(type(error).__name__)


def _detained(message: DueMessage, writer: LetterWriter, now: datetime) -> Detained | None:
    """Return how a message is held where a restore is open and it may have gone out before; else None."""
    restore = message.restore
    asked = None if restore is None or restore.cleared else detain(message.candidate(), restore.gap)
    if restore is None or asked is None:
        return None
    look_at, why = None, None
    match asked:
        case AskProvider():
            look_at = max(now, restore.gap.until + writer.house.settle_after)
        case AskPerson(reason):
            why = str(reason)
    return Detained(message, restore.id, message.destination().sealed, writer.prints(message), look_at, why)


async def _close(tx: Transaction, decided: Sequence[tuple[DueMessage, Decided]]) -> None:
    changes: list[Change] = []
    for message, how in decided:
        match how:
            case Withhold(reason):
                changes.append(Change(message, Standing(State.WITHHELD), reason=reason))
            case Expire(reason):
                changes.append(Change(message, Standing(State.EXPIRED), reason=reason))
            case Unsendable(error):
                changes.append(Change(message, Standing(State.FAILED, UNSENDABLE)))
                await note(tx, message.id, "cannot be made", error)
    await apply(tx, changes)


async def _put_off(tx: Transaction, held: Sequence[tuple[DueMessage, Postpone]]) -> None:
    if not held:
        return
    ids = [message.id for message, _ in held]
    await claims.mark_held(tx, ids, [hold.until for _, hold in held], [str(hold.reason) for _, hold in held])
    await note_all(
        tx, [(message.id, "held", f"until {hold.until.isoformat()}: {WHY[hold.reason]}") for message, hold in held]
    )
    for _, hold in held:
        HELD.labels(hold.reason).inc()


async def _write_attempts(
    tx: Transaction, writer: LetterWriter, going: Sequence[tuple[DueMessage, Ready]], owner: int
) -> None:
    if not going:
        return
    to = [message.destination() for message, _ in going]
    await claims.mark_sending(
        tx,
        [message.id for message, _ in going],
        [mask(ready.letter.to) for _, ready in going],
        [address.fingerprint for address in to],
    )
    printed = body_print(writer.keyring)
    calls = [
        attempts.Attempt(
            id=ready.letter.attempt,
            message=message.id,
            channel=message.channel,
            address=address.sealed,
            body_print=printed(ready.letter.body),
            words=seal_words(writer.keyring, ready.kept),
        )
        for (message, ready), address in zip(going, to, strict=True)
    ]
    await attempts.write_attempts(tx, calls, owner)
