"""The audit trail: who read or changed what, by ids alone. Rows are only ever added; a trigger refuses the rest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from services.clinic.tables import AUDIT
from shared.database import Transaction
from shared.ids import ClinicId, PatientId, new_id


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
