"""Attempts whose outcome nobody knows: found, looked up, settled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update

from services.notifier.model.outcomes import Blind, Found, Nothing, Sight
from services.notifier.model.purposes import Channel
from services.notifier.model.settling import Free, LookAgain, Patience, Settled, settle
from services.notifier.model.states import Standing, State
from services.notifier.presence import is_dead
from services.notifier.store.changes import Change, apply, lock
from services.notifier.store.messages import note
from services.notifier.store.outcomes import LOST_MAIL, accepted
from services.notifier.tables import ATTEMPTS
from shared.database import Reader, Transaction


async def orphan_owners(reader: Reader) -> Sequence[int]:
    """Return the numbers of all senders that have attempts under way, living or dead."""
    return [row.owner for row in await reader.all(select(ATTEMPTS.c.owner).where(_CALLING).distinct())]


_CALLING = ATTEMPTS.c.state == "calling"
_UNKNOWN = ATTEMPTS.c.state == "unknown"


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
    after |= {row.message: Standing(State.FAILED, LOST_MAIL) for row in mails}
    rows = await lock(tx, after)
    await apply(tx, [Change(row, after[key]) for key, row in rows.items() if row.state == State.SENDING])
    return len(after)


async def due_looks(reader: Reader, most: int) -> Sequence[Row[Any]]:
    """Return unknown attempts that are to be looked up now."""
    due = select(ATTEMPTS).where(_UNKNOWN, ATTEMPTS.c.look_at <= reader.now)
    return await reader.all(due.order_by(ATTEMPTS.c.look_at).limit(most))


async def next_look(reader: Reader) -> datetime | None:
    """Return when the next unknown attempt is looked up."""
    found: datetime | None = await reader.scalar(select(func.min(ATTEMPTS.c.look_at)).where(_UNKNOWN))
    return found


async def unknown_count(reader: Reader) -> int:
    """Return how many attempts wait to be settled."""
    return int(await reader.scalar(select(func.count()).where(_UNKNOWN)) or 0)


async def under_way(reader: Reader) -> bool:
    """Tell whether a call is under way, or a look-up due."""
    now = _UNKNOWN & (ATTEMPTS.c.look_at <= reader.now)
    return bool(await reader.scalar(select(select(ATTEMPTS.c.id).where(_CALLING | now).exists())))


async def known_sids(reader: Reader, sids: Sequence[str]) -> set[str]:
    """Return those of the provider's ids that belong to attempts already."""
    rows = await reader.all(select(ATTEMPTS.c.sid).where(ATTEMPTS.c.sid.in_(sids)))
    return {row.sid for row in rows}


async def store_look(tx: Transaction, attempt_id: UUID, seen: tuple[Found, ...] | Blind, patience: Patience) -> None:
    """Write what a look at the provider says about an unknown attempt."""
    attempt = await tx.one(select(ATTEMPTS).where(ATTEMPTS.c.id == attempt_id).with_for_update())
    if attempt.state != "unknown":
        return
    message = (await lock(tx, [attempt.message]))[attempt.message]
    sight = await _sight(tx, seen)
    verdict = settle(sight, empty_looks=attempt.empty_looks, now=tx.now, patience=patience)
    match verdict:
        case Settled(found):
            await _end(tx, attempt_id, "accepted", "found at the provider", sid=found.sid)
            step = await accepted(tx, message, [found])
            await apply(tx, [] if step is None else [step])
        case Free():
            await _end(tx, attempt_id, "nothing", "the provider has nothing of it")
            if message.state == State.UNKNOWN:
                await apply(tx, [Change(message, Standing(State.PLANNED), next_at=tx.now)])
        case LookAgain(at, empty_looks):
            values = {"look_at": at, "empty_looks": empty_looks}
            await tx.execute(update(ATTEMPTS).where(ATTEMPTS.c.id == attempt_id).values(values))
    await note(tx, message.id, "looked up", sight.reason if isinstance(sight, Blind) else type(sight).__name__.lower())


async def _sight(tx: Transaction, seen: tuple[Found, ...] | Blind) -> Sight:
    if isinstance(seen, Blind):
        return seen
    known = await known_sids(tx, [found.sid for found in seen])
    # The same words may have gone to the same number before; what is ours already is another message.
    return next((found for found in seen if found.sid not in known), Nothing())


async def _end(tx: Transaction, attempt: UUID, state: str, detail: str, *, sid: str | None = None) -> None:
    values = {"state": state, "detail": detail, "sid": sid, "ended_at": tx.now, "look_at": None}
    await tx.execute(update(ATTEMPTS).where(ATTEMPTS.c.id == attempt).values(values))
