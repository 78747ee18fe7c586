"""Numbers of which it is in doubt that they want texts."""

from uuid import UUID

from sqlalchemy import select

from services.notifier.model.answering import Kind
from services.notifier.model.inbound import Intent
from services.notifier.tables import CONTACT_POINTS, INBOUND, QUESTIONS
from shared.database import Reader


async def in_doubt(reader: Reader, after: UUID | None, most: int) -> list[UUID]:
    """Return patients with a contact point in doubt, in the order of their ids."""
    asked = select(QUESTIONS.c.fingerprint).where(QUESTIONS.c.kind == Kind.STOP)
    mine = select(CONTACT_POINTS.c.patient).where(~CONTACT_POINTS.c.retired, CONTACT_POINTS.c.fingerprint.in_(asked))
    mine = mine if after is None else mine.where(CONTACT_POINTS.c.patient > after)
    rows = await reader.all(mine.distinct().order_by(CONTACT_POINTS.c.patient).limit(most))
    return [row.patient for row in rows]


async def is_asked(reader: Reader, fingerprint: str) -> bool:
    """Tell whether a number was asked if it wants texts, and has not answered."""
    mine = select(QUESTIONS.c.kind).where(QUESTIONS.c.fingerprint == fingerprint, QUESTIONS.c.kind == Kind.STOP)
    return await reader.scalar(mine) is not None


async def unclear_text(reader: Reader, fingerprint: str) -> str | None:
    """Return the latest text of a number that was not clear, sealed."""
    mine = select(INBOUND.c.body).where(INBOUND.c.fingerprint == fingerprint, INBOUND.c.intent == Intent.DOUBT)
    wrote: str | None = await reader.scalar(mine.order_by(INBOUND.c.received_at.desc()).limit(1))
    return wrote
