"""Messages that a restore holds up, and the word that lets them go."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notifier.commands.call_outcomes import accepted
from services.notifier.commands.changes import Change, apply, withhold
from services.notifier.commands.stop_and_start import opt_in, opt_out
from services.notifier.model.call_outcomes import Found
from services.notifier.model.message import Message
from services.notifier.model.reconciliation import AskPerson, Free, Had, Reconciled
from services.notifier.model.send_rules import Reason
from services.notifier.model.states import Standing, State
from services.notifier.store import attempts, people
from services.notifier.store import held_messages as store
from services.notifier.store.message_filters import held_among
from services.notifier.store.messages import lock, note, note_all
from shared.database import Transaction


async def begin(tx: Transaction, lost: store.Lost) -> int:
    """Open a restore: from now on what may have gone out is settled first. Return how many stops were kept.

    What patients said about their own numbers in the lost time holds at once.
    """
    await store.begin(tx, lost)
    stops = 0
    for contact, granted in lost.consents:
        fingerprint = await people.fingerprint_of(tx, contact)
        if fingerprint is not None:
            await (opt_in if granted else opt_out)(tx, fingerprint, how="text, before the restore")
            stops += not granted
    return stops


async def detain(tx: Transaction, detained: Sequence[store.Detained]) -> None:
    """Hold messages; the caller has locked them."""
    if not detained:
        return
    await apply(tx, [Change(each.message, Standing(State.HELD)) for each in detained])
    await store.keep(tx, detained)
    asked = "the provider is asked whether it has it"
    await note_all(tx, [(each.message.id, "held after a restore", each.why or asked) for each in detained])


async def look_again(tx: Transaction, message: UUID, at: datetime, reason: str) -> None:
    """Write that the provider could not be asked, and when it is asked again."""
    await store.put_off(tx, message, at)
    await note(tx, message, "looked up after a restore", f"could not see: {reason}")


async def settle(tx: Transaction, held: store.HeldMessage, reconciled: Reconciled, seen: Sequence[str] = ()) -> None:
    """Write what was found out about a held message; one that was closed meanwhile stays as it is.

    Args:
        tx: the caller's.
        held: the message as it was when it was looked up.
        reconciled: what was found out.
        seen: the provider's ids of the texts from which it was.
    """
    message = (await lock(tx, [held.message.id]))[held.message.id]
    if message.state != State.HELD:
        return
    match reconciled:
        case Had(sent):
            found = Found(sent.sid, sent.status, sent.error)
            began = sent.at or held.gap.until
            await attempts.keep_found(
                tx, message, address=held.address, body_print=held.body_prints[0], sid=found.sid, began=began
            )
            await store.clear(tx, message.id)
            step = await accepted(tx, message, [found])
            await apply(tx, [] if step is None else [step])
        case Free():
            await _let_go(tx, message, "the provider has nothing of it")
        case AskPerson(why):
            await store.ask_person(tx, message.id, str(why), seen)
            await note(tx, message.id, "waits for a person", str(why))


async def _let_go(tx: Transaction, message: Message, word: str) -> None:
    await store.clear(tx, message.id)
    await apply(tx, [Change(message, Standing(State.PLANNED), next_at=tx.now)])
    await note(tx, message.id, "may go after a restore", word)


async def release(tx: Transaction, messages: Sequence[UUID], who: str) -> int:
    """Let held messages go on a person's word; consent, hour and session are judged once more when they do."""
    locked = await lock(tx, messages)
    free = [message for message in locked.values() if message.state == State.HELD]
    for message in free:
        await _let_go(tx, message, f"on the word of {who}")
    return len(free)


async def drop(tx: Transaction, messages: Sequence[UUID], who: str) -> int:
    """Withhold held messages on a person's word."""
    dropped = await withhold(tx, held_among(messages), Reason.DROPPED)
    for message in dropped:
        await store.clear(tx, message.id)
        await note(tx, message.id, "dropped after a restore", f"on the word of {who}")
    return len(dropped)


async def close(tx: Transaction) -> int:
    """Close the open restore and return how many messages are still held: where that is not 0, it stays open."""
    left = (await store.counts(tx))["held"]
    if not left:
        await store.close(tx)
    return left
