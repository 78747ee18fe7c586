"""What is done about patients: one change each, with its rows, its event and its line in the audit trail."""

from dataclasses import replace
from uuid import UUID

from services.clinic import facts
from services.clinic.model.clinic import Clinic
from services.clinic.model.contacts import likely_number
from services.clinic.model.flaws import FlawedError
from services.clinic.model.patient import Details, DischargedError, GivenPatient, Patient, PatientState, check_details
from services.clinic.model.people import read_line
from services.clinic.model.searching import Entry, read_sought
from services.clinic.store import audit, clinics, patients
from services.clinic.store.directory import Directory
from shared.bus import publish
from shared.database import Reader, Transaction
from shared.ids import ClinicId, PatientId, new_id
from shared.protection import Keyring
from shared.walltime import to_wall
from shared.web.problems import Conflict, FieldError, Invalid, NotFound
from shared.web.tokens import Principal


def who(principal: Principal) -> str:
    """Return a person or program as the audit trail names them."""
    return f"staff:{principal.staff}" if principal.staff else f"token:{principal.name}"


def refuse(error: FlawedError) -> Invalid:
    """Return the answer to an input with flaws."""
    flaws = [FieldError(flaw.pointer, flaw.detail) for flaw in error.flaws]
    return Invalid("Some of what was sent cannot be used.", errors=flaws)


class Patients:
    """Orders about patients, with the keys that seal them and the directory that finds them."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self.directory = Directory(keyring)

    async def enrol(self, tx: Transaction, principal: Principal, given: GivenPatient) -> Patient:
        """Enrol a patient.

        Raises:
            Invalid: with the place of every flaw.
            Conflict: the record number belongs to another patient.
        """
        clinic = await self._clinic(tx, principal.clinic)
        details = self._checked(tx, clinic, given, None)
        await self._refuse_taken(tx, clinic.id, details.external_id, None)
        patient = Patient(
            id=PatientId(new_id()),
            clinic=clinic.id,
            version=1,
            state=PatientState.ENROLLED,
            enrolled_at=tx.now,
            **vars(details),
        )
        await patients.add(tx, patient, self.keyring)
        await publish(tx, facts.enrolled(patient, self.keyring))
        await self._note(tx, principal, "patient.enrolled", patient.id)
        return patient

    async def change(self, tx: Transaction, principal: Principal, present: Patient, given: GivenPatient) -> Patient:
        """Change a patient whose row is locked.

        Raises:
            Invalid: with the place of every flaw.
            Conflict: the patient was discharged, or the record number belongs to another one.
        """
        _refuse_discharged(present)
        clinic = await self._clinic(tx, principal.clinic)
        details = self._checked(tx, clinic, given, present)
        await self._refuse_taken(tx, clinic.id, details.external_id, present.id)
        patient = replace(present, version=present.version + 1, **vars(details))
        await patients.change(tx, patient, self.keyring)
        await publish(tx, facts.changed(patient, self.keyring))
        await self._note(tx, principal, "patient.changed", patient.id)
        return patient

    async def discharge(self, tx: Transaction, principal: Principal, present: Patient, reason: str | None) -> Patient:
        """Discharge a patient whose row is locked.

        Raises:
            Conflict: they were discharged before.
        """
        _refuse_discharged(present)
        version = present.version + 1
        patient = replace(present, version=version, state=PatientState.DISCHARGED, discharged_at=tx.now)
        try:
            told = read_line(reason, longest=500) if reason else "not given"
        except ValueError as error:
            raise Invalid.at("/reason", str(error)) from error
        await patients.discharge(tx, patient, told, self.keyring)
        await publish(tx, facts.discharged(patient))
        await self._note(tx, principal, "patient.discharged", patient.id)
        return patient

    async def held(self, tx: Transaction, clinic: ClinicId, patient: UUID) -> Patient:
        """Return a patient of this clinic and hold the row until the transaction ends.

        Raises:
            NotFound: there is no such patient, or it is another clinic's.
        """
        return _found(await patients.find(tx, clinic, PatientId(patient), self.keyring, lock=True), patient)

    async def read(self, tx: Transaction, principal: Principal, patient: UUID, *, note: bool = True) -> Patient:
        """Return a patient and note who read it; raises `NotFound` as `held` does."""
        found = _found(await patients.find(tx, principal.clinic, PatientId(patient), self.keyring), patient)
        if note:
            await self._note(tx, principal, "patient.read", found.id)
        return found

    async def found(self, reader: Reader, clinic: ClinicId, typed: str) -> list[Entry]:
        """Return the entries of whom a search may mean, the likeliest first."""
        return await self.directory.found(reader, clinic, read_sought(typed, likely_number(typed)))

    async def search(
        self, reader: Reader, clinic: ClinicId, typed: str, *, limit: int, after: UUID | None
    ) -> list[Patient]:
        """Return whom a search may mean, in the order of their enrolment."""
        ids = sorted(entry.id for entry in await self.found(reader, clinic, typed))
        wanted = [one for one in ids if after is None or one > after][:limit]
        return await patients.some(reader, clinic, wanted, self.keyring)

    async def _clinic(self, reader: Reader, clinic: ClinicId) -> Clinic:
        found = await clinics.find(reader, clinic, self.keyring)
        if found is None:
            raise NotFound("The clinic of your token does not exist here. Make a new token.")
        return found

    def _checked(self, tx: Transaction, clinic: Clinic, given: GivenPatient, present: Patient | None) -> Details:
        known = present.contacts if present else ()
        try:
            return check_details(given, today=to_wall(tx.now, clinic.zone).date(), known=known)
        except FlawedError as error:
            raise refuse(error) from error

    async def _refuse_taken(
        self, tx: Transaction, clinic: ClinicId, external_id: str | None, own: PatientId | None
    ) -> None:
        if external_id is None:
            return
        holder = await patients.by_external_id(tx, clinic, external_id, self.keyring)
        if holder not in {None, own}:
            raise Conflict(
                f"Another patient of this clinic ({holder}) already has this external_id. Look them up first."
            )

    async def _note(self, tx: Transaction, principal: Principal, what: str, patient: PatientId) -> None:
        await audit.note(tx, principal.clinic, who(principal), what, thing=patient, patient=patient)


def _refuse_discharged(patient: Patient) -> None:
    try:
        patient.can_change()
    except DischargedError as error:
        raise Conflict(str(error)) from error


def _found(patient: Patient | None, asked: UUID) -> Patient:
    if patient is None:
        raise NotFound(f"There is no patient {asked} in this clinic.")
    return patient
