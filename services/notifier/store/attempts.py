"""Attempts: calls to the provider as they are on record, and what is known of how they ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.call_outcomes import CANNOT_SHOW
from services.notifier.model.message import Message
from services.notifier.model.purposes import Channel
from services.notifier.model.settling import LookAgain
from services.notifier.store.messages import message_of
from services.notifier.tables import ATTEMPTS, MESSAGES
from shared.database import Reader, Transaction
from shared.ids import new_id

NOBODY: Final = 0
"""Owner of an attempt that no sender made: it was found at the provider."""
_ASKS = ATTEMPTS.c.detail == CANNOT_SHOW.reason
_CALLING_NOW = ATTEMPTS.c.state == "calling"
_UNKNOWN = ATTEMPTS.c.state == "unknown"

_CALLING: Final = text(
    """
    INSERT INTO attempts (id, message, state, owner, channel, address, body_print, words, started_at, empty_looks)
    SELECT c.id, c.message, 'calling', :owner, c.channel, c.address, c.body_print, c.words, :now, 0
    FROM unnest(CAST(:ids AS uuid[]), CAST(:messages AS uuid[]), CAST(:channels AS text[]),
                CAST(:addresses AS text[]), CAST(:prints AS text[]), CAST(:words AS text[]))
         AS c (id, message, channel, address, body_print, words)
    """
)
_CLOSE: Final = text(
    """
    UPDATE attempts AS a
    SET state = c.state, ended_at = :now, detail = c.detail, sid = coalesce(a.sid, c.sid), look_at = c.look_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:details AS text[]), CAST(:sids AS text[]),
                CAST(:looks AS timestamptz[]))
         AS c (id, state, detail, sid, look_at)
    WHERE a.id = c.id AND a.state IN ('calling', 'unknown')
    RETURNING a.id
    """
)
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
_SPOKEN_OF: Final = text(
    """
    SELECT id, message, sid FROM attempts
    WHERE id = ANY(CAST(:ids AS uuid[])) OR sid = ANY(CAST(:sids AS text[]))
    """
)


@dataclass(frozen=True, slots=True)
class Attempted:
    """An attempt that reports speak of; `sid` is the provider's id where that is known already."""

    id: UUID
    message: UUID
    sid: str | None


@dataclass(frozen=True)
class Attempt:
    """A call that is about to be made.

    Attributes:
        address: sealed.
        body_print: fingerprint of the exact body.
        words: sealed, as staff may read them.
    """

    id: UUID
    message: UUID
    channel: str
    address: str
    body_print: str
    words: str


async def write_attempts(tx: Transaction, attempts: Sequence[Attempt], owner: int) -> None:
    """Write that calls are about to be made, and by whom."""
    await tx.execute(
        _CALLING.bindparams(
            owner=owner,
            now=tx.now,
            ids=[each.id for each in attempts],
            messages=[each.message for each in attempts],
            channels=[each.channel for each in attempts],
            addresses=[each.address for each in attempts],
            prints=[each.body_print for each in attempts],
            words=[each.words for each in attempts],
        )
    )


@dataclass(frozen=True)
class Ending:
    """How an attempt ended."""

    attempt: UUID
    state: str
    detail: str | None = None
    sid: str | None = None
    look_at: datetime | None = None


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


async def close_attempts(tx: Transaction, endings: Sequence[Ending]) -> set[UUID]:
    """Write how attempts ended and return those that were open; one that was settled meanwhile stays as it is."""
    closed = await tx.execute(
        _CLOSE.bindparams(
            now=tx.now,
            ids=[ending.attempt for ending in endings],
            states=[ending.state for ending in endings],
            details=[ending.detail for ending in endings],
            sids=[ending.sid for ending in endings],
            looks=[ending.look_at for ending in endings],
        )
    )
    return {row.id for row in closed}


async def keep_found(
    tx: Transaction, message: Message, *, address: str, body_print: str, sid: str, began: datetime
) -> None:
    """Write an attempt of before a restore that was found at the provider; the address is sealed."""
    values = {
        "id": new_id(),
        "message": message.id,
        "state": "accepted",
        "owner": NOBODY,
        "channel": message.channel,
        "address": address,
        "body_print": body_print,
        "started_at": began,
        "ended_at": tx.now,
        "detail": "found at the provider after a restore",
        "sid": sid,
        "empty_looks": 0,
    }
    await tx.execute(insert(ATTEMPTS).values(values))


async def orphan_owners(reader: Reader) -> Sequence[int]:
    """Return the numbers of all senders that have attempts under way, living or dead."""
    return [row.owner for row in await reader.all(select(ATTEMPTS.c.owner).where(_CALLING_NOW).distinct())]


async def lose_calls(tx: Transaction, owner: int, look_at: datetime) -> tuple[list[UUID], list[UUID]]:
    """Write that nobody knows what became of a dead sender's calls; return the messages of its texts and of its mails.

    A text can be looked up; an e-mail that was under way is lost from sight for ever.
    """
    is_text = ATTEMPTS.c.channel == Channel.SMS
    closing = update(ATTEMPTS).where(_CALLING_NOW, ATTEMPTS.c.owner == owner)
    texts = await tx.execute(
        closing.where(is_text)
        .values(state="unknown", detail="the sender died", ended_at=tx.now, look_at=look_at)
        .returning(ATTEMPTS.c.message)
    )
    mails = await tx.execute(
        closing.where(~is_text)
        .values(state="lost", detail="the sender died; a mail server cannot be asked", ended_at=tx.now)
        .returning(ATTEMPTS.c.message)
    )
    return [row.message for row in texts], [row.message for row in mails]


async def lock_for_a_person(tx: Transaction, messages: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Lock the attempts of messages of which only a person can find out what became; return each with its message."""
    asked = select(ATTEMPTS.c.id, ATTEMPTS.c.message).where(_UNKNOWN, _ASKS, ATTEMPTS.c.message.in_(messages))
    rows = await tx.all(asked.order_by(ATTEMPTS.c.id).with_for_update())
    return [(row.id, row.message) for row in rows]


async def lock_unknown(tx: Transaction, attempts: Sequence[UUID]) -> dict[UUID, int]:
    """Lock those of these attempts that are still unknown; return how many looks in a row found nothing of each."""
    return {row.id: row.empty_looks for row in await tx.all(_LOCK.bindparams(ids=list(attempts)))}


async def look_again(tx: Transaction, later: Sequence[tuple[UUID, LookAgain]]) -> None:
    """Write when attempts are looked up next."""
    await tx.execute(
        _AGAIN.bindparams(
            ids=[attempt for attempt, _ in later],
            looks=[each.at for _, each in later],
            empties=[each.empty_looks for _, each in later],
            asks=[each.asks for _, each in later],
        )
    )


async def spoken_of(reader: Reader, ids: Sequence[UUID], sids: Sequence[str]) -> list[Attempted]:
    """Return the attempts with one of these ids, or with one of the provider's."""
    rows = await reader.all(_SPOKEN_OF.bindparams(ids=list(ids), sids=list(sids)))
    return [Attempted(row.id, row.message, row.sid) for row in rows]


async def settle_by_report(tx: Transaction, attempt: UUID, sid: str) -> None:
    """Write that a status report named an attempt whose outcome was not known."""
    settled = update(ATTEMPTS).where(ATTEMPTS.c.id == attempt, ATTEMPTS.c.sid.is_(None))
    await tx.execute(
        settled.values(state="accepted", sid=sid, ended_at=tx.now, look_at=None, detail="known by its status report")
    )


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


async def under_way(reader: Reader) -> bool:
    """Tell whether a call is under way, or a look-up due."""
    now = _UNKNOWN & (ATTEMPTS.c.look_at <= reader.now)
    return bool(await reader.scalar(select(select(ATTEMPTS.c.id).where(_CALLING_NOW | now).exists())))


async def known_sids(reader: Reader, sids: Sequence[str]) -> set[str]:
    """Return those of the provider's ids that belong to attempts already."""
    return {row.sid for row in await reader.all(_KNOWN.bindparams(sids=list(sids)))}
