"""What is done about patients: one change each, with its rows, its event and its line in the audit trail."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from services.clinic import published_events
from services.clinic.model.clinic import Clinic
from services.clinic.model.contacts import likely_number, region_of
from services.clinic.model.duplicates import Duplicate, duplicates_of, is_twin
from services.clinic.model.flaws import FlawedError
from services.clinic.model.patient import (
    Details,
    DischargedError,
    GivenPatient,
    Patient,
    PatientState,
    check_details,
    signed,
)
from services.clinic.model.people import read_line
from services.clinic.model.reasons import Reason
from services.clinic.model.searching import Entry, read_sought
from services.clinic.store import audit, clinics, patients, reasons
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


class PatientCommands:
    """Commands about patients.

    Args:
        keyring: seals them.
        countries: regions beside the clinic's own whose numbers get texts.
    """

    def __init__(self, keyring: Keyring, countries: Collection[str] = ()) -> None:
        self.keyring = keyring
        self._countries = frozenset(countries)
        self.directory = Directory(keyring)

    async def enrol(
        self, tx: Transaction, principal: Principal, given: GivenPatient, *, earlier: UUID | None = None
    ) -> Patient:
        """Enrol a patient.

        Whoever was discharged is enrolled anew: with the same record number, or with `earlier`, the two are tied.

        Raises:
            Invalid: with the place of every flaw.
            Conflict: the record number belongs to another patient who is in care.
        """
        clinic = await self._clinic(tx, principal.clinic)
        patient = self._new(tx, clinic, principal, given)
        await self._refuse_taken(tx, clinic.id, patient.external_id, None)
        patient = replace(patient, earlier=await self._time_before(tx, patient, earlier))
        await patients.add(tx, patient, self.keyring)
        await publish(tx, published_events.enrolled(patient, self.keyring))
        await self._note(tx, principal, "patient.enrolled", patient.id)
        return patient

    async def duplicates(
        self, tx: Transaction, principal: Principal, given: GivenPatient, present: Patient | None = None
    ) -> list[Duplicate]:
        """Return whose duplicate a patient who is enrolled or changed may be; raises `Invalid` with every flaw's place.

        Of a patient who is changed, only those to whom the change makes them alike.
        """
        clinic = await self._clinic(tx, principal.clinic)
        own = Entry.of(self._new(tx, clinic, principal, given, present))
        entries = await self.directory.entries(tx, clinic.id)
        if present is None:
            return duplicates_of(own, entries)
        before = {(one.entry.id, one.shared) for one in duplicates_of(Entry.of(present), entries)}
        found = [one for one in duplicates_of(own, entries) if (one.entry.id, one.shared) not in before]
        return [one for one in found if one.entry.id != present.id]

    async def enrol_once(
        self, tx: Transaction, principal: Principal, given: GivenPatient, *, earlier: UUID | None = None
    ) -> Patient:
        """Enrol a patient unless one in care has the same name, birth date and number.

        Raises:
            Invalid: with the place of every flaw.
            Conflict: with the ids of the others and the remedy; or as `enrol` does.
        """
        clinic = await self._clinic(tx, principal.clinic)
        own = Entry.of(self._new(tx, clinic, principal, given))
        numbers = [f"+{number}" for number in own.numbers] if own.born else []
        alike = [
            one
            for one in await patients.by_contact(tx, clinic.id, numbers, self.keyring)
            if one.state is PatientState.ENROLLED and is_twin(own, Entry.of(one))
        ]
        if alike:
            ids = ", ".join(str(one.id) for one in alike)
            raise Conflict(
                f"A patient with this name, birth date and number is in care already ({ids}). Change that one, or send "
                'the same again with "confirm_duplicate": true if this is another person.'
            )
        return await self.enrol(tx, principal, given, earlier=earlier)

    async def change(self, tx: Transaction, principal: Principal, present: Patient, given: GivenPatient) -> Patient:
        """Change a patient whose row is locked.

        Raises:
            Invalid: with the place of every flaw.
            Conflict: the patient was discharged, or the record number belongs to another one.
        """
        _refuse_discharged(present)
        clinic = await self._clinic(tx, principal.clinic)
        details = self._checked(tx, clinic, principal, given, present)
        await self._refuse_taken(tx, clinic.id, details.external_id, present.id)
        patient = replace(present, version=present.version + 1, **vars(details))
        await patients.change(tx, patient, self.keyring)
        await publish(tx, published_events.changed(patient, self.keyring))
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
        words = read_reason(reason) if reason else "not given"
        await patients.discharge(tx, patient, words, self.keyring)
        await publish(tx, published_events.discharged(patient))
        await self._note(tx, principal, "patient.discharged", patient.id)
        said = Reason(patient.id, "discharged", words, principal.name, tx.now)
        await reasons.keep(tx, principal.clinic, patient.id, said, self.keyring)
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
        own = await clinics.find(reader, clinic, self.keyring)
        phone = likely_number(typed, region_of(own.phone)) if own else None
        return await self.directory.found(reader, clinic, read_sought(typed, phone))

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

    def _checked(
        self, tx: Transaction, clinic: Clinic, principal: Principal, given: GivenPatient, present: Patient | None
    ) -> Details:
        known = present.contacts if present else ()
        try:
            details = check_details(
                given,
                today=to_wall(tx.now, clinic.zone).date(),
                known=known,
                region=region_of(clinic.phone),
                countries=self._countries,
            )
        except FlawedError as error:
            raise refuse(error) from error
        return replace(details, contacts=signed(details.contacts, known, by=principal.name, now=tx.now))

    def _new(
        self,
        tx: Transaction,
        clinic: Clinic,
        principal: Principal,
        given: GivenPatient,
        present: Patient | None = None,
    ) -> Patient:
        """Return the patient that would come of what was typed; nothing is kept."""
        return Patient(
            id=PatientId(new_id()),
            clinic=clinic.id,
            version=1,
            state=PatientState.ENROLLED,
            enrolled_at=tx.now,
            **vars(self._checked(tx, clinic, principal, given, present)),
        )

    async def _time_before(self, tx: Transaction, patient: Patient, named: UUID | None) -> PatientId | None:
        """Return the record of the time before, as it was named or as the record number says."""
        if named is not None:
            found = await patients.find(tx, patient.clinic, PatientId(named), self.keyring)
            if found is None or found.state is not PatientState.DISCHARGED:
                raise Invalid.at("/earlier", f"{named} is no patient of this clinic who was discharged. Leave it out.")
            return found.id
        if patient.external_id is None:
            return None
        number, left = patient.external_id, PatientState.DISCHARGED
        return await patients.by_external_id(tx, patient.clinic, number, self.keyring, state=left)

    async def _refuse_taken(
        self, tx: Transaction, clinic: ClinicId, external_id: str | None, own: PatientId | None
    ) -> None:
        if external_id is None:
            return
        holder = await patients.by_external_id(tx, clinic, external_id, self.keyring, state=PatientState.ENROLLED)
        if holder not in {None, own}:
            raise Conflict(
                f"Another patient of this clinic ({holder}) already has this external_id. Look them up first."
            )

    async def _note(self, tx: Transaction, principal: Principal, what: str, patient: PatientId) -> None:
        await audit.note(tx, principal.clinic, who(principal), what, thing=patient, patient=patient)


def read_reason(text: str) -> str:
    """Return why something is done, in staff's words; raises `Invalid` where they cannot be kept."""
    try:
        return read_line(text, longest=500)
    except ValueError as error:
        raise Invalid.at("/reason", str(error)) from error


def _refuse_discharged(patient: Patient) -> None:
    try:
        patient.can_change()
    except DischargedError as error:
        raise Conflict(str(error)) from error


def _found(patient: Patient | None, asked: UUID) -> Patient:
    if patient is None:
        raise NotFound(f"There is no patient {asked} in this clinic.")
    return patient
