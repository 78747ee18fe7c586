"""Taking back a discharge by mistake: the same record is in care again, and both states stay on record."""

from dataclasses import replace

from services.clinic import published_events
from services.clinic.commands.patients import PatientCommands, read_reason, who
from services.clinic.model.patient import Patient, PatientState
from services.clinic.model.reasons import Reason
from services.clinic.store import audit, patients, reasons
from shared.bus import publish
from shared.database import Transaction
from shared.web.problems import Conflict
from shared.web.tokens import Principal


async def reinstate(
    tx: Transaction, principal: Principal, commands: PatientCommands, present: Patient, reason: str
) -> Patient:
    """Put a patient whose row is locked back in care.

    Consents are those of before the discharge; the notifier keeps what was stopped since. What the discharge ended
    (plan, sessions, questions) is not restarted: a person decides what goes on.

    Raises:
        Invalid: the reason cannot be kept.
        Conflict: the patient is in care, or goes on under another record, or the record number is another one's now.
    """
    if present.state is not PatientState.DISCHARGED:
        raise Conflict("This patient is in care: there is no discharge to take back.")
    if present.joined_into is not None:
        raise Conflict(f"This record was closed as a duplicate. Care goes on in {present.joined_into}.")
    tied = await patients.tied_to(tx, present, commands.keyring)
    back = [one.id for one in tied if one.earlier == present.id]
    if back:
        raise Conflict(f"This patient was enrolled again since. Their record is {back[-1]}.")
    if present.external_id is not None:
        number, held = present.external_id, PatientState.ENROLLED
        holder = await patients.by_external_id(tx, present.clinic, number, commands.keyring, state=held)
        if holder is not None:
            raise Conflict(
                f"Another patient of this clinic ({holder}) has this record number now. Change it there first."
            )
    words = read_reason(reason)
    patient = replace(present, version=present.version + 1, state=PatientState.ENROLLED, discharged_at=None)
    await patients.reinstate(tx, patient)
    await publish(tx, published_events.enrolled(patient, commands.keyring))
    await audit.note(tx, principal.clinic, who(principal), "patient.reinstated", thing=patient.id, patient=patient.id)
    said = Reason(patient.id, "reinstated", words, principal.name, tx.now)
    await reasons.keep(tx, principal.clinic, patient.id, said, commands.keyring)
    return patient
