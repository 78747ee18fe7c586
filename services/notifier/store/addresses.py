"""Addresses at which nothing arrives, and who uses an address."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.notifier.model.people import ContactPoint
from services.notifier.store import people
from services.notifier.tables import BAD_ADDRESSES, CONTACT_POINTS, PATIENTS
from shared.database import Reader, Transaction


async def keep_bad(tx: Transaction, fingerprint: str, *, why: str, by: str | None) -> bool:
    """Keep that nothing arrives at an address; return False where it was known."""
    statement = insert(BAD_ADDRESSES).values(fingerprint=fingerprint, why=why, by=by, at=tx.now)
    return int((await tx.execute(statement.on_conflict_do_nothing())).rowcount) > 0


async def forget_bad(tx: Transaction, fingerprint: str) -> bool:
    """Forget that nothing arrives at an address; return False where nothing else was known."""
    gone = await tx.execute(BAD_ADDRESSES.delete().where(BAD_ADDRESSES.c.fingerprint == fingerprint))
    return int(gone.rowcount) > 0


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
