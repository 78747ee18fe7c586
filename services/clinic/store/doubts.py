"""Numbers of which it is in doubt whether they want texts, as the notifier says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.clinic.tables import DOUBTS
from shared.database import Reader, Transaction
from shared.ids import PatientId
from shared.protection import Keyring


@dataclass(frozen=True)
class Doubt:
    """Since when a number is asked whether it wants texts, and what it wrote before; None where that is not known."""

    at: datetime
    wrote: str | None


async def keep(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Write whether a contact point is in doubt, unless something newer is held."""
    statement = insert(DOUBTS).values(values)
    known = {name: statement.excluded[name] for name in ("version", "open", "wrote", "at")}
    newer = DOUBTS.c.version < statement.excluded.version
    await tx.execute(statement.on_conflict_do_update(index_elements=[DOUBTS.c.contact], set_=known, where=newer))


async def of_patient(reader: Reader, patient: PatientId, keyring: Keyring) -> dict[UUID, Doubt]:
    """Return the doubts that are open, by contact point."""
    rows = await reader.all(select(DOUBTS).where(DOUBTS.c.patient == patient, DOUBTS.c.open))
    return {row.contact: Doubt(row.at, row.wrote and keyring.open(row.wrote, context="reply")) for row in rows}
