"""Addresses that do not work: marked by what the provider said or by staff, until they are replaced or said to work."""

from collections.abc import Iterable

from services.notifier.model.explaining import explain
from services.notifier.model.people import ContactPoint
from services.notifier.model.purposes import Purpose
from services.notifier.store import addresses, people
from shared.bus import publish
from shared.database import Transaction
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
    if not await addresses.keep_bad(tx, fingerprint, why=why, by=by):
        return False
    await _tell(tx, await addresses.users_of(tx, fingerprint), works=False, why=why, by=by)
    return True


async def mark_good(tx: Transaction, fingerprint: str, *, by: str) -> bool:
    """Keep that staff say an address works after all; False where nothing else was known."""
    if not await addresses.forget_bad(tx, fingerprint):
        return False
    await _tell(tx, await addresses.users_of(tx, fingerprint), works=True, why="staff", by=by)
    return True


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
