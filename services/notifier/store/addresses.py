"""Addresses that do not work: marked by what the provider said or by staff, until they are replaced or said to work."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.explaining import explain
from services.notifier.model.people import ContactPoint
from services.notifier.model.purposes import Purpose
from services.notifier.store import people
from services.notifier.tables import BAD_ADDRESSES, CONTACT_POINTS, PATIENTS
from shared.bus import publish
from shared.database import Reader, Transaction
from shared.events import ContactChecked


async def mark_bad(tx: Transaction, fingerprint: str | None, *, why: str, by: str | None = None) -> bool:
    """Keep that nothing arrives at an address, and tell it of each patient who uses it; False where it was known.

    Args:
        tx: the caller's.
        fingerprint: of the address.
        why: the provider's error code, or `staff`.
        by: who said so, where a person did.
    """
    if fingerprint is None:
        return False
    statement = insert(BAD_ADDRESSES).values(fingerprint=fingerprint, why=why, by=by, at=tx.now)
    if not int((await tx.execute(statement.on_conflict_do_nothing())).rowcount):
        return False
    await _tell(tx, await users_of(tx, fingerprint), works=False, why=why, by=by)
    return True


async def mark_good(tx: Transaction, fingerprint: str, *, by: str) -> bool:
    """Keep that staff say an address works after all; False where nothing else was known."""
    gone = await tx.execute(BAD_ADDRESSES.delete().where(BAD_ADDRESSES.c.fingerprint == fingerprint))
    if not int(gone.rowcount):
        return False
    await _tell(tx, await users_of(tx, fingerprint), works=True, why="staff", by=by)
    return True


async def users_of(tx: Transaction, fingerprint: str) -> list[ContactPoint]:
    """Lock the patients who use an address, in a fixed order, and return their contact points of it."""
    mine = (CONTACT_POINTS.c.fingerprint == fingerprint) & ~CONTACT_POINTS.c.retired
    rows = await tx.all(select(CONTACT_POINTS).where(mine).order_by(CONTACT_POINTS.c.patient))
    points = list(map(people.contact_point_of, rows))
    locked = select(PATIENTS.c.patient).where(PATIENTS.c.patient.in_([point.patient for point in points]))
    await tx.all(locked.order_by(PATIENTS.c.patient).with_for_update(key_share=True))
    return points


async def contact(reader: Reader, contact_id: UUID) -> ContactPoint | None:
    """Return a contact point that is in use."""
    mine = select(CONTACT_POINTS).where(CONTACT_POINTS.c.contact == contact_id, ~CONTACT_POINTS.c.retired)
    row = await reader.one_or_none(mine)
    return None if row is None else people.contact_point_of(row)


async def _tell(tx: Transaction, users: Iterable[ContactPoint], *, works: bool, why: str, by: str | None) -> None:
    said = explain(Purpose.REMINDER, None, why)
    for user in users:
        event = ContactChecked(
            clinic=user.clinic,
            patient=user.patient,
            version=await people.next_consent_version(tx, user.patient),
            contact=user.contact,
            kind=user.kind,
            works=works,
            why=why,
            by=by,
            at=tx.now,
            words=None if works or by else said and said.why,
        )
        await publish(tx, event)
