"""Why staff did something: their words, sealed, with who and when."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.clinic.model.reasons import Reason
from services.clinic.tables import REASONS
from shared.database import Reader, Transaction
from shared.events import PlanChanged
from shared.events.scheduling import Continued
from shared.ids import ClinicId, PatientId, derived_id, new_id
from shared.protection import Keyring

_REASON: Final = "reason"
_MOST: Final = 100
"""Reasons that are read at most, the newest."""


async def keep(tx: Transaction, clinic: ClinicId, patient: PatientId, reason: Reason, keyring: Keyring) -> None:
    """Keep why something was done."""
    values = {"id": new_id(), "clinic": clinic, "patient": patient, "thing": reason.thing, "what": reason.what}
    said = {"reason": keyring.seal(reason.words, context=_REASON), "by": reason.by, "at": reason.at}
    await tx.execute(insert(REASONS).values(**values, **said))


async def keep_continued(tx: Transaction, event: PlanChanged, continued: Continued) -> None:
    """Keep why a plan goes on, sealed as its owner tells it; told again it is kept once."""
    about = {"clinic": event.clinic, "patient": event.patient, "thing": event.plan, "what": "continued"}
    said = {"reason": continued.reason, "by": continued.by, "at": continued.at}
    one = derived_id("continued", str(event.plan), str(event.version))
    await tx.execute(insert(REASONS).values(id=one, **about, **said).on_conflict_do_nothing())


async def of_patient(reader: Reader, clinic: ClinicId, patient: PatientId, keyring: Keyring) -> list[Reason]:
    """Return what was done about a patient and why, the newest first."""
    mine = (REASONS.c.clinic == clinic) & (REASONS.c.patient == patient)
    rows = await reader.all(select(REASONS).where(mine).order_by(REASONS.c.at.desc(), REASONS.c.id.desc()).limit(_MOST))
    return [Reason(row.thing, row.what, keyring.open(row.reason, context=_REASON), row.by, row.at) for row in rows]
