"""Attempts whose outcome nobody knows: found, looked up, settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.notifier.commands.call_outcomes import LOST_MAIL, accepted
from services.notifier.commands.changes import Change, apply
from services.notifier.model.call_outcomes import Blind, Found, Nothing, Sight
from services.notifier.model.settling import Free, LookAgain, Patience, Settled, settle
from services.notifier.model.states import Standing, State
from services.notifier.store import attempts
from services.notifier.store.attempts import Ending, close_attempts
from services.notifier.store.leases import is_dead
from services.notifier.store.messages import lock, note_all
from shared.database import Transaction

LOST_TEXT: Final = "unknown"
"""Error of a text of which nobody found out whether it went out."""


async def take_over(tx: Transaction, owner: int, patience: Patience) -> int:
    """Make a dead sender's attempts unknown; return how many. A living sender's are left alone."""
    if not await is_dead(tx, owner):
        return 0
    texts, mails = await attempts.lose_calls(tx, owner, tx.now + patience.margin)
    after = dict.fromkeys(texts, Standing(State.UNKNOWN)) | dict.fromkeys(mails, Standing(State.UNKNOWN, LOST_MAIL))
    locked = await lock(tx, after)
    await apply(tx, [Change(each, after[key]) for key, each in locked.items() if each.state == State.SENDING])
    return len(after)


async def decide(tx: Transaction, messages: Sequence[UUID], *, go: bool, who: str) -> int:
    """Close unknown attempts on a person's word: the message goes again, or counts as not sent. Return how many."""
    locked = await lock(tx, messages)
    asked = await attempts.lock_for_a_person(tx, list(locked))
    word = "nothing of it went out" if go else "it is not sent again"
    state = "nothing" if go else "lost"
    await close_attempts(tx, [Ending(attempt, state, f"{word}, on the word of {who}") for attempt, _ in asked])
    unsettled = [locked[message] for _, message in asked if locked[message].state == State.UNKNOWN]
    after = Standing(State.PLANNED) if go else Standing(State.FAILED, LOST_TEXT)
    await apply(tx, [Change(each, after, next_at=tx.now if go else None) for each in unsettled])
    return len(unsettled)


@dataclass(frozen=True)
class Look:
    """What a look at the provider saw of an unknown attempt: every text of its words, or nothing at all."""

    attempt: UUID
    message: UUID
    seen: tuple[Found, ...] | Blind


async def store_looks(tx: Transaction, looks: Sequence[Look], patience: Patience) -> None:
    """Write what looks at the provider say about unknown attempts, at most one of each message; all in one go."""
    # Messages before their attempts, as whoever stores a call's outcome or a report does: or two would wait for ever.
    messages = await lock(tx, {look.message for look in looks})
    unknown = await attempts.lock_unknown(tx, [look.attempt for look in looks])
    known = await attempts.known_sids(
        tx, [found.sid for look in looks if not isinstance(look.seen, Blind) for found in look.seen]
    )
    endings: list[Ending] = []
    changes: list[Change | None] = []
    again: list[tuple[UUID, LookAgain]] = []
    notes: list[tuple[UUID, str, str]] = []
    for look in looks:
        if look.attempt not in unknown:
            continue
        message, sight = messages[look.message], _sight(look.seen, known)
        match settle(sight, empty_looks=unknown[look.attempt], now=tx.now, patience=patience):
            case Settled(found):
                known.add(found.sid)
                endings.append(Ending(look.attempt, "accepted", "found at the provider", found.sid))
                changes.append(await accepted(tx, message, [found]))
            case Free():
                endings.append(Ending(look.attempt, "nothing", "the provider has nothing of it"))
                if message.state == State.UNKNOWN:
                    changes.append(Change(message, Standing(State.PLANNED), next_at=tx.now))
            case LookAgain() as later:
                again.append((look.attempt, later))
        told = sight.reason if isinstance(sight, Blind) else type(sight).__name__.lower()
        notes.append((message.id, "looked up", told))
    await close_attempts(tx, endings)
    await apply(tx, [change for change in changes if change is not None])
    await attempts.look_again(tx, again)
    await note_all(tx, notes)


def _sight(seen: tuple[Found, ...] | Blind, known: set[str]) -> Sight:
    if isinstance(seen, Blind):
        return seen
    # The same words may have gone to the same number before; what is ours already is another message.
    return next((found for found in seen if found.sid not in known), Nothing())
