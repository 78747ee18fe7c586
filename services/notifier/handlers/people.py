"""Clinics and patients: whom the notifier knows, and who may be written to."""

from uuid import UUID

from services.notifier.commands import doubts
from services.notifier.commands.changes import withhold
from services.notifier.commands.stop_and_start import tell_standing
from services.notifier.model.purposes import POLICIES
from services.notifier.model.quiet_hours import WakingHours
from services.notifier.model.send_rules import Reason
from services.notifier.planner import Planner
from services.notifier.store import people
from services.notifier.store.message_filters import for_purposes, of_clinic, of_patients
from services.notifier.store.messages import look_again
from shared.bus import Handlers, NotYet
from shared.database import Transaction
from shared.events import ClinicChanged, PatientChanged, PatientDischarged, PatientEnrolled
from shared.ids import PatientId

_TO_PATIENTS = [purpose for purpose, policy in POLICIES.items() if policy.to_patient]


def register(handlers: Handlers, planner: Planner) -> None:
    """Register the handlers of this module."""

    @handlers.on(ClinicChanged)
    async def clinic_changed(tx: Transaction, event: ClinicChanged) -> None:
        WakingHours.parse(event.quiet_from, event.quiet_until)
        if await people.keep_clinic(tx, event):
            await look_again(tx, of_clinic(event.clinic))
            tx.after_commit(planner.wake_up.wake)

    @handlers.on(PatientEnrolled, PatientChanged)
    async def patient_changed(tx: Transaction, event: PatientEnrolled) -> None:
        patient = PatientId(event.patient)
        before = {row.contact: row for row in await people.contact_points(tx, patient)}
        if await people.keep_patient(tx, event, planner.keyring):
            await tell_standing(tx, patient, {key: row.purposes for key, row in before.items()})
            await doubts.tell_standing(tx, patient, {key: row.fingerprint for key, row in before.items()})
            if event.in_care is False:
                await _hold_back(tx, event.patient)
            # Another zone has other nights; another number may be one that never said stop.
            await look_again(tx, of_patients([event.patient]))
            tx.after_commit(planner.wake_up.wake)

    @handlers.on(PatientDischarged)
    async def patient_discharged(tx: Transaction, event: PatientDischarged) -> None:
        if not await people.discharge(tx, event):
            if not await people.known(tx, event.patient):
                raise NotYet("A patient was discharged before the enrolment arrived.")
            return  # They are back in care since, or it is told once more: what waits for them stays.
        await _hold_back(tx, event.patient)


async def _hold_back(tx: Transaction, patient: UUID) -> None:
    """Withhold what waits for a patient who has left."""
    await withhold(tx, for_purposes(patient, _TO_PATIENTS), Reason.DISCHARGED)
