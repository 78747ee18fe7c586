"""Attempts whose outcome nobody knows: found, looked up, settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text, update

from services.notifier.model.message import Message
from services.notifier.model.outcomes import CANNOT_SHOW, Blind, Found, Nothing, Sight
from services.notifier.model.purposes import Channel
from services.notifier.model.settling import Free, LookAgain, Patience, Settled, settle
from services.notifier.model.states import Standing, State
from services.notifier.presence import is_dead
from services.notifier.store.changes import Change, apply, lock
from services.notifier.store.messages import message_of, note_all
from services.notifier.store.outcomes import LOST_MAIL, Ending, accepted, close_attempts
from services.notifier.tables import ATTEMPTS, MESSAGES
from shared.database import Reader, Transaction


async def orphan_owners(reader: Reader) -> Sequence[int]:
    """Return the numbers of all senders that have attempts under way, living or dead."""
    return [row.owner for row in await reader.all(select(ATTEMPTS.c.owner).where(_CALLING).distinct())]


_KNOWN: Final = text("SELECT sid FROM attempts WHERE sid = ANY(CAST(:sids AS text[]))")
_LOCK: Final = text(
    """
    SELECT id, empty_looks FROM attempts
    WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'unknown' ORDER BY id FOR UPDATE
    """
)
_AGAIN: Final = text(
    """
    UPDATE attempts AS a SET look_at = c.look_at, empty_looks = c.empty_looks, detail = coalesce(c.asks, a.detail)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:looks AS timestamptz[]), CAST(:empties AS int[]), CAST(:asks AS text[]))
         AS c (id, look_at, empty_looks, asks)
    WHERE a.id = c.id
    """
)
LOST_TEXT: Final = "unknown"
"""Error of a text of which nobody found out whether it went out."""
_ASKS = ATTEMPTS.c.detail == CANNOT_SHOW.reason
_CALLING = ATTEMPTS.c.state == "calling"
_UNKNOWN = ATTEMPTS.c.state == "unknown"


@dataclass(frozen=True, slots=True)
class UnknownAttempt:
    """An attempt of which nobody knows whether it went out; the address is sealed."""

    id: UUID
    message: UUID
    address: str
    body_print: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A message of which only a person can find out whether it went out, with its attempt; the address is sealed."""

    message: Message
    address: str
    started_at: datetime
    detail: str | None


async def take_over(tx: Transaction, owner: int, patience: Patience) -> int:
    """Make a dead sender's attempts unknown; return how many. A living sender's are left alone."""
    if not await is_dead(tx, owner):
        return 0
    # A text can be looked up; an e-mail that was under way is lost from sight for ever.
    is_text = ATTEMPTS.c.channel == Channel.SMS
    closing = update(ATTEMPTS).where(_CALLING, ATTEMPTS.c.owner == owner)
    texts = await tx.execute(
        closing.where(is_text)
        .values(state="unknown", detail="the sender died", ended_at=tx.now, look_at=tx.now + patience.margin)
        .returning(ATTEMPTS.c.message)
    )
    mails = await tx.execute(
        closing.where(~is_text)
        .values(state="lost", detail="the sender died; a mail server cannot be asked", ended_at=tx.now)
        .returning(ATTEMPTS.c.message)
    )
    after = {row.message: Standing(State.UNKNOWN) for row in texts}
    after |= {row.message: Standing(State.UNKNOWN, LOST_MAIL) for row in mails}
    locked = await lock(tx, after)
    await apply(tx, [Change(each, after[key]) for key, each in locked.items() if each.state == State.SENDING])
    return len(after)


async def due_looks(reader: Reader, most: int) -> list[UnknownAttempt]:
    """Return unknown attempts that are to be looked up now, at most one of each message."""
    due = select(ATTEMPTS).where(_UNKNOWN, ATTEMPTS.c.look_at <= reader.now)
    first: dict[UUID, UnknownAttempt] = {}
    for row in await reader.all(due.order_by(ATTEMPTS.c.look_at).limit(most)):
        attempt = UnknownAttempt(row.id, row.message, row.address, row.body_print, row.started_at)
        first.setdefault(row.message, attempt)
    return list(first.values())


async def next_look(reader: Reader) -> datetime | None:
    """Return when the next unknown attempt is looked up."""
    found: datetime | None = await reader.scalar(select(func.min(ATTEMPTS.c.look_at)).where(_UNKNOWN))
    return found


async def unknown_count(reader: Reader) -> int:
    """Return how many attempts wait to be settled."""
    return int(await reader.scalar(select(func.count()).where(_UNKNOWN)) or 0)


async def for_a_person(reader: Reader) -> list[Unsettled]:
    """Return the unknown attempts of which nobody but a person can find out what became, with their messages."""
    joined = ATTEMPTS.join(MESSAGES, MESSAGES.c.id == ATTEMPTS.c.message)
    mine = select(MESSAGES, ATTEMPTS.c.address.label("attempt_address"), ATTEMPTS.c.started_at, ATTEMPTS.c.detail)
    asked = mine.select_from(joined).where(_UNKNOWN, _ASKS)
    rows = await reader.all(asked.order_by(ATTEMPTS.c.started_at, ATTEMPTS.c.id))
    return [Unsettled(message_of(row), row.attempt_address, row.started_at, row.detail) for row in rows]


async def for_a_person_count(reader: Reader) -> int:
    """Return how many those are."""
    return int(await reader.scalar(select(func.count()).where(_UNKNOWN, _ASKS)) or 0)


async def decide(tx: Transaction, messages: Sequence[UUID], *, go: bool, who: str) -> int:
    """Close unknown attempts on a person's word: the message goes again, or counts as not sent. Return how many."""
    locked = await lock(tx, messages)
    asked = select(ATTEMPTS.c.id, ATTEMPTS.c.message).where(_UNKNOWN, _ASKS, ATTEMPTS.c.message.in_(locked))
    attempts = await tx.all(asked.order_by(ATTEMPTS.c.id).with_for_update())
    word = "nothing of it went out" if go else "it is not sent again"
    state = "nothing" if go else "lost"
    await close_attempts(tx, [Ending(row.id, state, f"{word}, on the word of {who}") for row in attempts])
    unsettled = [locked[row.message] for row in attempts if locked[row.message].state == State.UNKNOWN]
    after = Standing(State.PLANNED) if go else Standing(State.FAILED, LOST_TEXT)
    await apply(tx, [Change(each, after, next_at=tx.now if go else None) for each in unsettled])
    return len(unsettled)


async def under_way(reader: Reader) -> bool:
    """Tell whether a call is under way, or a look-up due."""
    now = _UNKNOWN & (ATTEMPTS.c.look_at <= reader.now)
    return bool(await reader.scalar(select(select(ATTEMPTS.c.id).where(_CALLING | now).exists())))


async def known_sids(reader: Reader, sids: Sequence[str]) -> set[str]:
    """Return those of the provider's ids that belong to attempts already."""
    return {row.sid for row in await reader.all(_KNOWN.bindparams(sids=list(sids)))}


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
    unknown = {row.id: row for row in await tx.all(_LOCK.bindparams(ids=[look.attempt for look in looks]))}
    known = await known_sids(
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
        match settle(sight, empty_looks=unknown[look.attempt].empty_looks, now=tx.now, patience=patience):
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
    await tx.execute(
        _AGAIN.bindparams(
            ids=[attempt for attempt, _ in again],
            looks=[later.at for _, later in again],
            empties=[later.empty_looks for _, later in again],
            asks=[later.asks for _, later in again],
        )
    )
    await note_all(tx, notes)


def _sight(seen: tuple[Found, ...] | Blind, known: set[str]) -> Sight:
    if isinstance(seen, Blind):
        return seen
    # The same words may have gone to the same number before; what is ours already is another message.
    return next((found for found in seen if found.sid not in known), Nothing())
