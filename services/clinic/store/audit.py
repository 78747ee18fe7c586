"""The audit trail: who read or changed what, by ids alone. Rows are only ever added; a trigger refuses the rest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, insert, select

from services.clinic.tables import AUDIT
from shared.database import Reader, Transaction
from shared.ids import ClinicId, PatientId, new_id


async def stands(
    reader: Reader,
    clinic: ClinicId,
    who: str,
    what: str,
    *,
    thing: UUID | None,
    patient: PatientId | None,
    since: datetime,
) -> bool:
    """Tell whether a line says already that somebody did this, no longer ago than `since`."""
    same = (AUDIT.c.clinic == clinic) & (AUDIT.c.who == who) & (AUDIT.c.what == what) & (AUDIT.c.at >= since)
    about = AUDIT.c.thing.is_not_distinct_from(thing) & AUDIT.c.patient.is_not_distinct_from(patient)
    return bool(await reader.scalar(select(exists().where(same & about))))


async def note(
    tx: Transaction,
    clinic: ClinicId,
    who: str,
    what: str,
    *,
    thing: UUID | None = None,
    patient: PatientId | None = None,
    at: datetime | None = None,
) -> None:
    """Add a line.

    Args:
        tx: the transaction of the deed: it and its line are kept together.
        clinic: whose data.
        who: `staff:<id>` or `token:<name>`.
        what: such as `patient.read`.
        thing: the id of what was read or changed.
        patient: whose data, where it is one patient's.
        at: when, where that was before the transaction.
    """
    values = {"id": new_id(), "clinic": clinic, "at": at or tx.now, "who": who, "what": what}
    await tx.execute(insert(AUDIT).values(**values, thing=thing, patient=patient))
