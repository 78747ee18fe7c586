"""Telling whether it is in doubt that a number wants texts: of each patient who uses it, when that begins and ends."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from services.notifier.model.answering import Kind
from services.notifier.model.inbound import Intent
from services.notifier.model.people import ContactPoint, NumberUser
from services.notifier.store import people
from services.notifier.tables import CONTACT_POINTS, INBOUND, QUESTIONS
from shared.bus import publish
from shared.database import Reader, Transaction
from shared.events import ContactDoubted
from shared.ids import PatientId


async def tell(
    tx: Transaction,
    users: Sequence[NumberUser | ContactPoint],
    *,
    is_open: bool,
    wrote: str | None = None,
    by: str | None = None,
) -> None:
    """Tell of each contact point of a number whether it is in doubt now.

    Args:
        tx: the caller's, which has locked the patients.
        users: the patients who use the number, each with that contact point.
        is_open: whether an answer is waited for.
        wrote: what was not clear, sealed.
        by: who settled it, where the number itself did not.
    """
    for user in users:
        event = ContactDoubted(
            clinic=user.clinic,
            patient=user.patient,
            version=await people.next_consent_version(tx, user.patient),
            contact=user.contact,
            open=is_open,
            wrote=wrote,
            by=by,
            at=tx.now,
        )
        await publish(tx, event)


async def tell_standing(tx: Transaction, patient: PatientId, before: Mapping[UUID, str] | None = None) -> int:
    """Tell of a patient's contact points that are in doubt, as of a number that somebody else has used before.

    Returns how many were told of.

    Args:
        tx: the caller's, which has locked the patient.
        patient: whose contact points.
        before: the fingerprint of each, by id, before they were changed; one that has it still is not told of again,
            and one that has another is told of where it is not in doubt.
    """
    points = [point for point in await people.contact_points(tx, patient) if point.kind == "sms"]
    told = 0
    for point in points:
        if before is not None and before.get(point.contact) == point.fingerprint:
            continue
        asked = await _asked(tx, point.fingerprint)
        if asked or (before is not None and point.contact in before):
            await tell(tx, [point], is_open=asked, wrote=await _wrote(tx, point.fingerprint) if asked else None)
            told += 1
    return told


async def in_doubt(reader: Reader, after: UUID | None, most: int) -> list[UUID]:
    """Return patients with a contact point in doubt, in the order of their ids."""
    asked = select(QUESTIONS.c.fingerprint).where(QUESTIONS.c.kind == Kind.STOP)
    mine = select(CONTACT_POINTS.c.patient).where(~CONTACT_POINTS.c.retired, CONTACT_POINTS.c.fingerprint.in_(asked))
    mine = mine if after is None else mine.where(CONTACT_POINTS.c.patient > after)
    rows = await reader.all(mine.distinct().order_by(CONTACT_POINTS.c.patient).limit(most))
    return [row.patient for row in rows]


async def _asked(reader: Reader, fingerprint: str) -> bool:
    mine = select(QUESTIONS.c.kind).where(QUESTIONS.c.fingerprint == fingerprint, QUESTIONS.c.kind == Kind.STOP)
    return await reader.scalar(mine) is not None


async def _wrote(reader: Reader, fingerprint: str) -> str | None:
    """Return the latest text of a number that was not clear, sealed."""
    mine = select(INBOUND.c.body).where(INBOUND.c.fingerprint == fingerprint, INBOUND.c.intent == Intent.DOUBT)
    wrote: str | None = await reader.scalar(mine.order_by(INBOUND.c.received_at.desc()).limit(1))
    return wrote
