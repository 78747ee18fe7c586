"""What is known of a number that texted: who uses it, what lies ahead, what it was asked, how it goes on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.answering import (
    ANSWER_EVERY,
    GENERAL,
    LOOP_WITHIN,
    WHICH_WITHIN,
    Ahead,
    Kind,
    Question,
    Sender,
)
from services.notifier.model.arriving import Arrival
from services.notifier.model.inbound import Intent
from services.notifier.model.people import NumberUser
from services.notifier.model.purposes import Occurrence, Purpose
from services.notifier.store import people
from services.notifier.store.queries import sessions_ahead
from services.notifier.tables import CONTACT_POINTS, INBOUND, MESSAGES, QUESTIONS
from shared.database import Reader, Transaction
from shared.walltime import parse_wall

_HEARD: Final = 100
"""Earlier texts of a number that say what it agreed to, or how it goes on; more within days no person writes."""


async def sender_of(tx: Transaction, fingerprint: str, users: Sequence[NumberUser], words: str) -> Sender:
    """Return what is known of a number; `words` is the fingerprint of what it has just said."""
    patients = list(dict.fromkeys(user.patient for user in users))
    heard = select(func.count().label("texts"), func.count().filter(INBOUND.c.words == words).label("same")).where(
        INBOUND.c.fingerprint == fingerprint, INBOUND.c.received_at > tx.now - LOOP_WITHIN
    )
    counted = await tx.one(heard)
    return Sender(
        patients=patients,
        stopped=await people.stopped(tx, fingerprint),
        ahead=await _ahead(tx, fingerprint, patients),
        question=await _question(tx, fingerprint),
        repeats=counted.same,
        lately=counted.texts,
        answered=await _answered(tx, fingerprint),
    )


async def _ahead(tx: Transaction, fingerprint: str, patients: Sequence[UUID]) -> list[Ahead]:
    said = await _said(tx, fingerprint)
    return [
        Ahead(
            patient=session.patient,
            session=session.id,
            version=session.version,
            placed=session.placed,
            wall=parse_wall(session.wall),
            reminded=session.reminded,
            # Its owner may not have heard yet of what this number said a moment ago.
            agreed=said.get((str(session.id), session.placed), session.state == "confirmed"),
        )
        for session in await sessions_ahead(tx, patients, tx.now)
    ]


async def _said(tx: Transaction, fingerprint: str) -> dict[tuple[str, int], bool]:
    """Return by session and its placement whether the number last said yes or no to it."""
    mine = select(INBOUND.c.intent, INBOUND.c.sessions).where(
        INBOUND.c.fingerprint == fingerprint, INBOUND.c.intent.in_([Intent.CONFIRM, Intent.DECLINE])
    )
    newest = mine.order_by(INBOUND.c.received_at.desc(), INBOUND.c.turn_at.desc()).limit(_HEARD)
    latest: dict[tuple[str, int], bool] = {}
    for row in await tx.all(newest):
        for session, placed in (row.sessions or {}).items():
            latest.setdefault((session, placed), row.intent == Intent.CONFIRM)
    return latest


async def _answered(tx: Transaction, fingerprint: str) -> frozenset[str]:
    lately = select(MESSAGES.c.occurrence).where(
        MESSAGES.c.to_fingerprint == fingerprint,
        MESSAGES.c.purpose == Purpose.REPLY,
        MESSAGES.c.occurrence.in_(sorted(GENERAL)),
        MESSAGES.c.created_at > tx.now - ANSWER_EVERY,
    )
    return frozenset(row.occurrence for row in await tx.all(lately.distinct()))


async def crisis_texts_since(reader: Reader, fingerprint: str, since: datetime) -> int:
    """Return how many of the clinic's crisis texts were planned for a number since an instant."""
    mine = select(func.count()).where(
        MESSAGES.c.to_fingerprint == fingerprint,
        MESSAGES.c.purpose == Purpose.REPLY,
        MESSAGES.c.occurrence == Occurrence.CRISIS,
        MESSAGES.c.created_at > since,
    )
    return int(await reader.scalar(mine) or 0)


async def _question(reader: Reader, fingerprint: str) -> Question | None:
    row = await reader.one_or_none(select(QUESTIONS).where(QUESTIONS.c.fingerprint == fingerprint))
    if row is None or (row.kind != Kind.STOP and row.asked_at <= reader.now - WHICH_WITHIN):
        return None
    return Question(Kind(row.kind), tuple(_option(each) for each in row.options))


def _option(kept: dict[str, Any]) -> Ahead:
    return Ahead(
        patient=UUID(kept["patient"]),
        session=UUID(kept["session"]),
        version=kept["version"],
        placed=kept["placed"],
        wall=parse_wall(kept["wall"]),
    )


async def ask(tx: Transaction, fingerprint: str, question: Question) -> bool:
    """Keep what a number is asked; a question about texts is not replaced by another. Return whether it was kept."""
    options = [
        {
            "patient": str(each.patient),
            "session": str(each.session),
            "version": each.version,
            "placed": each.placed,
            "wall": each.wall.isoformat(timespec="minutes"),
        }
        for each in question.options
    ]
    values = {"kind": question.kind, "options": options, "asked_at": tx.now}
    statement = insert(QUESTIONS).values(fingerprint=fingerprint, **values)
    kept = await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["fingerprint"], set_=values, where=QUESTIONS.c.kind != Kind.STOP
        )
    )
    return int(kept.rowcount) > 0


async def settle(tx: Transaction, fingerprint: str) -> bool:
    """Forget what a number was asked; return whether texts were held for it."""
    gone = delete(QUESTIONS).where(QUESTIONS.c.fingerprint == fingerprint).returning(QUESTIONS.c.kind)
    return (await tx.execute(gone)).scalar() == Kind.STOP


async def end_doubt(tx: Transaction, fingerprint: str) -> bool:
    """Forget that a number was asked whether it wants texts; return whether it was. What else it was asked stays."""
    asked = (QUESTIONS.c.fingerprint == fingerprint) & (QUESTIONS.c.kind == Kind.STOP)
    return int((await tx.execute(delete(QUESTIONS).where(asked))).rowcount) > 0


async def mark_wrong(tx: Transaction, fingerprint: str) -> None:
    """Write that a number is not that of those who were thought to use it: until it is corrected nothing goes there."""
    marked = update(CONTACT_POINTS).where(CONTACT_POINTS.c.fingerprint == fingerprint, ~CONTACT_POINTS.c.retired)
    await tx.execute(marked.values(wrong_at=tx.now))


async def arrivals(tx: Transaction, fingerprint: str, intent: Intent, since: datetime, but: str) -> list[Arrival]:
    """Return when texts of a number came that asked for the same since an instant, but for one of them."""
    mine = select(INBOUND.c.received_at, INBOUND.c.arrived_at, INBOUND.c.door, INBOUND.c.turn_at).where(
        INBOUND.c.fingerprint == fingerprint,
        INBOUND.c.intent == intent,
        INBOUND.c.received_at >= since,
        INBOUND.c.sid != but,
    )
    return [Arrival(row.received_at, row.arrived_at, row.door, row.turn_at) for row in await tx.all(mine)]
