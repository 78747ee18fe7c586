"""Telling anew how clinics and patients stand, for services that may have missed it.

Every event carries the version that holds: who knows it, or a newer one, changes nothing.
"""

from typing import Final

from services.clinic import published_events
from services.clinic.model.patient import Patient, PatientState
from services.clinic.store import clinics, patients
from shared import events
from shared.bus import publish
from shared.database import Database
from shared.ids import ClinicId
from shared.protection import Keyring

TOGETHER: Final = 200
"""Patients that are told of in one transaction."""


async def retell(database: Database, keyring: Keyring) -> int:
    """Publish the state of every clinic and patient; return how many."""
    async with database.transaction() as tx:
        ids = await clinics.every(tx)
        for one in ids:
            clinic = await clinics.find(tx, one, keyring, lock=True)
            if clinic is not None:
                await publish(tx, published_events.clinic_changed(clinic, keyring))
    return len(ids) + sum([await _patients(database, keyring, clinic) for clinic in ids])


async def _patients(database: Database, keyring: Keyring, clinic: ClinicId) -> int:
    count, last = 0, None
    while True:
        async with database.transaction() as tx:
            found = await patients.lock_page(tx, clinic, keyring, limit=TOGETHER, after=last)
            for patient in found:
                for event in _state_of(patient, keyring):
                    await publish(tx, event)
        if not found:
            return count
        count, last = count + len(found), found[-1].id


def _state_of(patient: Patient, keyring: Keyring) -> list[events.PatientEvent]:
    enrolled = published_events.enrolled(patient, keyring)
    if patient.state is PatientState.DISCHARGED:
        # They were a patient until the version before; a service that missed all of it needs both.
        return [
            enrolled.model_copy(update={"version": max(1, patient.version - 1)}),
            published_events.discharged(patient),
        ]
    # An enrolment, whatever the version: a change would not bring back whom a service holds for discharged.
    return [enrolled]
