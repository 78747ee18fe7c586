"""Contact points that were found not to work, by the provider or by staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.clinic.tables import CHECKS
from shared.database import Reader, Transaction
from shared.ids import PatientId


@dataclass(frozen=True)
class Broken:
    """Why nothing is sent to a contact point: the provider's error code or `staff`, since when, and who said so.

    `words` is what the code means, as the notifier says it.
    """

    why: str
    at: datetime
    by: str | None
    words: str | None = None


async def keep(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Write the latest word about a contact point."""
    statement = insert(CHECKS).values(values)
    known = {name: statement.excluded[name] for name in ("version", "works", "why", "words", "by", "at")}
    newer = CHECKS.c.version < statement.excluded.version
    await tx.execute(statement.on_conflict_do_update(index_elements=[CHECKS.c.contact], set_=known, where=newer))


async def broken(reader: Reader, patient: PatientId) -> dict[UUID, Broken]:
    """Return a patient's contact points that do not work; a number that was replaced has another id."""
    rows = await reader.all(select(CHECKS).where(CHECKS.c.patient == patient, ~CHECKS.c.works))
    return {row.contact: Broken(row.why, row.at, row.by, row.words) for row in rows}
