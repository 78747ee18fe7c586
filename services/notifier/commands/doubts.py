"""Telling whether it is in doubt that a number wants texts: of each patient who uses it, when that begins and ends."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.notifier.model.people import ContactPoint, NumberUser
from services.notifier.store import doubts, people
from shared.bus import publish
from shared.database import Transaction
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
        asked = await doubts.is_asked(tx, point.fingerprint)
        if asked or (before is not None and point.contact in before):
            await tell(
                tx, [point], is_open=asked, wrote=await doubts.unclear_text(tx, point.fingerprint) if asked else None
            )
            told += 1
    return told
