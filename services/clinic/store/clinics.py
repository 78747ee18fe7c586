"""Clinics, with the numbers of the people on call sealed at rest."""

from typing import Final

from sqlalchemy import func, insert, select, update

from services.clinic.model.clinic import Clinic, OnCall
from services.clinic.model.contacts import ContactKind
from services.clinic.tables import CLINICS
from shared.database import Reader, Transaction
from shared.ids import ClinicId
from shared.languages import Language
from shared.protection import Keyring
from shared.web.away import Whom

_FIRST_START: Final = 0x6B656572


async def add(tx: Transaction, clinic: Clinic, keyring: Keyring) -> None:
    """Write a new clinic."""
    await tx.execute(insert(CLINICS).values(id=clinic.id, **_values(clinic, keyring), changed_at=tx.now))


async def change(tx: Transaction, clinic: Clinic, keyring: Keyring) -> None:
    """Write a clinic's new settings."""
    values = _values(clinic, keyring)
    await tx.execute(update(CLINICS).where(CLINICS.c.id == clinic.id).values(**values, changed_at=tx.now))


async def find(reader: Reader, clinic: ClinicId, keyring: Keyring, *, lock: bool = False) -> Clinic | None:
    """Return a clinic; with `lock`, nobody else changes it until the transaction ends."""
    wanted = select(CLINICS).where(CLINICS.c.id == clinic)
    row = await reader.one_or_none(wanted.with_for_update() if lock else wanted)
    if row is None:
        return None
    oncall = tuple(
        OnCall(ContactKind(one["kind"]), keyring.open(one["value"], context="contact")) for one in row.oncall
    )
    return Clinic(
        id=ClinicId(row.id),
        version=row.version,
        name=row.name,
        sender_name=row.sender_name,
        zone=row.zone,
        phone=row.phone,
        texts_from=row.quiet_from,
        texts_until=row.quiet_until,
        crisis={Language(language): text for language, text in row.crisis.items()},
        oncall=oncall,
        hours_reason=row.hours_reason,
    )


async def first(reader: Reader) -> ClinicId | None:
    """Return the clinic that was set up first, or None where there is none."""
    found = await reader.scalar(select(CLINICS.c.id).order_by(CLINICS.c.id).limit(1))
    return None if found is None else ClinicId(found)


async def every(reader: Reader) -> list[ClinicId]:
    """Return all clinics, the oldest first."""
    return [ClinicId(row.id) for row in await reader.all(select(CLINICS.c.id).order_by(CLINICS.c.id))]


async def whom_to_call(reader: Reader) -> Whom | None:
    """Return whom a patient calls where there is but one clinic: only then is it certain whose patient it is."""
    rows = await reader.all(select(CLINICS.c.phone, CLINICS.c.crisis).limit(2))
    return Whom(rows[0].phone, rows[0].crisis) if len(rows) == 1 else None


async def one_at_a_time(tx: Transaction) -> None:
    """Let only one process at a time set up the first clinic; ends with the transaction."""
    await tx.execute(select(func.pg_advisory_xact_lock(_FIRST_START)))


def _values(clinic: Clinic, keyring: Keyring) -> dict[str, object]:
    return {
        "version": clinic.version,
        "name": clinic.name,
        "sender_name": clinic.sender_name,
        "zone": clinic.zone,
        "phone": clinic.phone,
        "quiet_from": clinic.texts_from,
        "quiet_until": clinic.texts_until,
        "hours_reason": clinic.hours_reason,
        "crisis": {str(language): text for language, text in clinic.crisis.items()},
        "oncall": [
            {"kind": str(one.kind), "value": keyring.seal(one.value, context="contact")} for one in clinic.oncall
        ],
    }
