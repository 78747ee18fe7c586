"""Texts from people, as they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.arriving import Arrival
from services.notifier.model.inbound import Intent
from services.notifier.tables import INBOUND
from shared.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class KeptText:
    """A text as its row stands.

    Attributes:
        number, body: sealed; the number is None where an older version kept the text.
        told: `{type, body}` of the events it led to; None where an older version kept it.
    """

    sid: str
    fingerprint: str
    number: str | None
    body: str
    intent: str
    received_at: datetime
    told: Sequence[Mapping[str, Any]] | None


async def kept_texts(reader: Reader, since: datetime, after: tuple[datetime, str] | None, most: int) -> list[KeptText]:
    """Return texts that came since an instant, oldest first; those after the one of this arrival and id."""
    place = tuple_(INBOUND.c.received_at, INBOUND.c.sid)
    wanted = select(INBOUND).where(INBOUND.c.received_at > since)
    wanted = wanted if after is None else wanted.where(place > tuple_(*after))
    rows = await reader.all(wanted.order_by(INBOUND.c.received_at, INBOUND.c.sid).limit(most))
    return [
        KeptText(row.sid, row.fingerprint, row.number, row.body, row.intent, row.received_at, row.told) for row in rows
    ]


async def keep(
    tx: Transaction,
    sid: str,
    arrival: Arrival,
    intent: Intent,
    *,
    fingerprint: str,
    number: str,
    body: str,
    words: str,
) -> bool:
    """Keep a text; return False where it came before.

    Args:
        tx: in which its number is locked.
        sid: the provider's id.
        arrival: when it came, and when its turn did.
        intent: what it was taken for by its words alone.
        fingerprint: of its number.
        number: sealed.
        body: sealed.
        words: fingerprint of its words.
    """
    values = {
        "sid": sid,
        "fingerprint": fingerprint,
        "intent": intent,
        "body": body,
        "received_at": arrival.at,
        "number": number,
        "arrived_at": arrival.stamp,
        "turn_at": arrival.turn,
        "door": arrival.door,
        "words": words,
    }
    kept = await tx.execute(insert(INBOUND).values(values).on_conflict_do_nothing())
    return int(kept.rowcount) > 0


async def keep_meaning(
    tx: Transaction, sid: str, intent: Intent, sessions: Mapping[str, int], told: Sequence[Mapping[str, Any]]
) -> None:
    """Write what a text was taken for, the sessions it answers with their placement, and what was told of it."""
    mine = update(INBOUND).where(INBOUND.c.sid == sid)
    await tx.execute(mine.values(intent=intent, sessions=dict(sessions) or None, told=list(told)))
