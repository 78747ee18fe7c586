"""Telling anew which numbers said stop, for services that may have missed it."""

from typing import Final

from sqlalchemy import select

from services.notifier.store.opting import tell_standing
from services.notifier.tables import CONTACT_POINTS, PATIENTS, STOPS
from shared.database import Database
from shared.ids import PatientId

TOGETHER: Final = 100
"""Patients that are told of in one transaction."""


async def retell(database: Database) -> int:
    """Publish the stop of every number that said it and is some patient's; return how many."""
    told, last = 0, None
    same = STOPS.c.fingerprint == CONTACT_POINTS.c.fingerprint
    stopped = select(CONTACT_POINTS.c.patient).join(STOPS, same).where(~CONTACT_POINTS.c.retired)
    while True:
        async with database.transaction() as tx:
            wanted = select(PATIENTS.c.patient).where(PATIENTS.c.patient.in_(stopped)).order_by(PATIENTS.c.patient)
            wanted = wanted if last is None else wanted.where(PATIENTS.c.patient > last)
            found = await tx.all(wanted.limit(TOGETHER).with_for_update())
            told += sum([await tell_standing(tx, PatientId(row.patient), {}) for row in found])
        if not found:
            return told
        last = found[-1].patient
