"""Patients, with names and contact points sealed at rest.

A name cannot be searched for in SQL: `store.directory` is what patients are found by. Numbers, addresses and record
numbers are found exactly by their fingerprints.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, insert, select, update

from services.clinic.model.contacts import Consent, Contact, ContactKind, Purpose
from services.clinic.model.patient import Details, Patient, PatientState
from services.clinic.model.people import Who
from services.clinic.tables import CONTACTS, PATIENTS
from shared.database import Reader, Transaction
from shared.events.clinic import CONSENT
from shared.ids import ClinicId, ContactId, PatientId
from shared.languages import Language
from shared.protection import Keyring

NAME: Final = "name"
CONTACT: Final = "contact"
BIRTH_DATE: Final = "birth-date"
EXTERNAL_ID: Final = "external-id"
REASON: Final = "discharge-reason"


async def add(tx: Transaction, patient: Patient, keyring: Keyring) -> None:
    """Write a new patient."""
    values = {
        "id": patient.id,
        "clinic": patient.clinic,
        "enrolled_at": patient.enrolled_at,
        "earlier": patient.earlier,
    }
    await tx.execute(
        insert(PATIENTS).values(
            **values, version=patient.version, state=str(patient.state), **_sealed(_details(patient), keyring)
        )
    )
    await _write_contacts(tx, patient.id, patient.contacts, keyring)


async def change(tx: Transaction, patient: Patient, keyring: Keyring) -> None:
    """Write a patient's changed data under the new version."""
    values = {"version": patient.version, **_sealed(_details(patient), keyring)}
    await tx.execute(update(PATIENTS).where(PATIENTS.c.id == patient.id).values(values))
    await tx.execute(delete(CONTACTS).where(CONTACTS.c.patient == patient.id))
    await _write_contacts(tx, patient.id, patient.contacts, keyring)


async def discharge(tx: Transaction, patient: Patient, reason: str, keyring: Keyring) -> None:
    """Write that a patient left, and why."""
    values = {
        "state": str(patient.state),
        "version": patient.version,
        "discharged_at": patient.discharged_at,
        "joined_into": patient.joined_into,
    }
    sealed = keyring.seal(reason, context=REASON)
    await tx.execute(update(PATIENTS).where(PATIENTS.c.id == patient.id).values(**values, discharge_reason=sealed))


async def reinstate(tx: Transaction, patient: Patient) -> None:
    """Write that a patient is in care again; the discharge and its reason stay with the reasons on record."""
    values = {"state": str(patient.state), "version": patient.version, "discharged_at": None, "discharge_reason": None}
    await tx.execute(update(PATIENTS).where(PATIENTS.c.id == patient.id).values(values))


async def find(
    reader: Reader, clinic: ClinicId, patient: PatientId, keyring: Keyring, *, lock: bool = False
) -> Patient | None:
    """Return a patient of this clinic; with `lock`, nobody else changes them until the transaction ends."""
    wanted = select(PATIENTS).where(PATIENTS.c.id == patient, PATIENTS.c.clinic == clinic)
    found = await _read(reader, wanted.with_for_update() if lock else wanted, keyring)
    return found[0] if found else None


async def lock(tx: Transaction, patient: PatientId) -> None:
    """Lock a patient's row, which keeps the events about them in order."""
    await tx.execute(select(PATIENTS.c.id).where(PATIENTS.c.id == patient).with_for_update())


async def by_external_id(
    reader: Reader, clinic: ClinicId, external_id: str, keyring: Keyring, *, state: PatientState
) -> PatientId | None:
    """Return who has this record number in the clinic and is in a state, the newest record first."""
    mark = keyring.fingerprint(external_id, context=EXTERNAL_ID)
    mine = (PATIENTS.c.clinic == clinic) & (PATIENTS.c.external_print == mark) & (PATIENTS.c.state == str(state))
    found = await reader.scalar(select(PATIENTS.c.id).where(mine).order_by(PATIENTS.c.id.desc()).limit(1))
    return None if found is None else PatientId(found)


async def by_contact(reader: Reader, clinic: ClinicId, values: Collection[str], keyring: Keyring) -> list[Patient]:
    """Return the patients of a clinic who have one of these numbers or addresses, the newest record first."""
    if not values:
        return []
    marks = [keyring.fingerprint(value, context=CONTACT) for value in values]
    own = select(CONTACTS.c.patient).where(CONTACTS.c.print.in_(marks))
    return await _read(reader, _of(clinic).where(PATIENTS.c.id.in_(own)).order_by(PATIENTS.c.id.desc()), keyring)


async def tied_to(reader: Reader, patient: Patient, keyring: Keyring) -> list[Patient]:
    """Return a person's other records in the clinic: of the time before and after this one, and its duplicates."""
    named = [one for one in (patient.earlier, patient.joined_into) if one is not None]
    tied = PATIENTS.c.id.in_(named) | (PATIENTS.c.earlier == patient.id) | (PATIENTS.c.joined_into == patient.id)
    return await _read(reader, _of(patient.clinic).where(tied).order_by(PATIENTS.c.id), keyring)


async def joined_with(reader: Reader, clinic: ClinicId, patient: PatientId) -> list[PatientId]:
    """Return the records that were closed as duplicates of a patient's, those that had been joined into them too."""
    found: list[PatientId] = []
    ahead = [patient]
    while ahead:
        led = (PATIENTS.c.clinic == clinic) & PATIENTS.c.joined_into.in_(ahead)
        ahead = [
            PatientId(row.id) for row in await reader.all(select(PATIENTS.c.id).where(led).order_by(PATIENTS.c.id))
        ]
        found += ahead
    return found


async def goes_on_in(reader: Reader, clinic: ClinicId, patient: PatientId) -> PatientId:
    """Return the record in which a patient's care goes on: their own, or the one that it was joined into."""
    while True:
        mine = (PATIENTS.c.clinic == clinic) & (PATIENTS.c.id == patient)
        found = await reader.scalar(select(PATIENTS.c.joined_into).where(mine))
        if found is None:
            return patient
        patient = PatientId(found)


async def discharge_reason(reader: Reader, patient: PatientId, keyring: Keyring) -> str | None:
    """Return why a patient left, in the words of whoever discharged them."""
    sealed = await reader.scalar(select(PATIENTS.c.discharge_reason).where(PATIENTS.c.id == patient))
    return None if sealed is None else keyring.open(sealed, context=REASON)


async def page(reader: Reader, clinic: ClinicId, keyring: Keyring, *, limit: int, after: UUID | None) -> list[Patient]:
    """Return patients of a clinic in the order of their enrolment."""
    wanted = _of(clinic).order_by(PATIENTS.c.id).limit(limit)
    return await _read(reader, _after(wanted, after), keyring)


async def lock_page(
    tx: Transaction, clinic: ClinicId, keyring: Keyring, *, limit: int, after: UUID | None
) -> list[Patient]:
    """Return patients as `page` does, and hold their rows until the transaction ends."""
    ids = select(PATIENTS.c.id).where(PATIENTS.c.clinic == clinic).order_by(PATIENTS.c.id).limit(limit)
    await tx.all(_after(ids, after).with_for_update())
    return await page(tx, clinic, keyring, limit=limit, after=after)


async def some(reader: Reader, clinic: ClinicId, wanted: Collection[PatientId], keyring: Keyring) -> list[Patient]:
    """Return patients of a clinic in the order in which they are wanted; who is not there is left out."""
    if not wanted:
        return []
    theirs = _of(clinic).where(PATIENTS.c.id.in_(wanted))
    found = {patient.id: patient for patient in await _read(reader, theirs, keyring)}
    return [found[one] for one in wanted if one in found]


async def names(
    reader: Reader, clinic: ClinicId, wanted: Iterable[PatientId], keyring: Keyring
) -> dict[PatientId, Who]:
    """Return by what some patients are told from others."""
    ids = set(wanted)
    if not ids:
        return {}
    columns = select(PATIENTS.c.id, PATIENTS.c.given_name, PATIENTS.c.family_name, PATIENTS.c.birth_date)
    rows = await reader.all(columns.where(PATIENTS.c.clinic == clinic, PATIENTS.c.id.in_(ids)))
    return {PatientId(row.id): Who(_name(row, keyring), _born(row, keyring)) for row in rows}


def _name(row: Row[Any], keyring: Keyring) -> str:
    opened = (keyring.open(one, context=NAME) for one in (row.given_name, row.family_name))
    return " ".join(name for name in opened if name)


def _born(row: Row[Any], keyring: Keyring) -> date | None:
    return date.fromisoformat(keyring.open(row.birth_date, context=BIRTH_DATE)) if row.birth_date else None


async def count(reader: Reader, clinic: ClinicId) -> int:
    """Return how many patients a clinic has."""
    return int(await reader.scalar(select(func.count()).where(PATIENTS.c.clinic == clinic)))


def _of(clinic: ClinicId) -> Select[Any]:
    return select(PATIENTS).where(PATIENTS.c.clinic == clinic)


def _after(wanted: Select[Any], after: UUID | None) -> Select[Any]:
    return wanted if after is None else wanted.where(PATIENTS.c.id > after)


def _details(patient: Patient) -> Details:
    return Details(
        patient.given_name,
        patient.family_name,
        patient.birth_date,
        patient.zone,
        patient.language,
        patient.external_id,
        patient.contacts,
    )


def _sealed(details: Details, keyring: Keyring) -> dict[str, object]:
    born, record = details.birth_date, details.external_id
    return {
        "given_name": keyring.seal(details.given_name, context=NAME),
        "family_name": keyring.seal(details.family_name, context=NAME),
        "birth_date": born and keyring.seal(born.isoformat(), context=BIRTH_DATE),
        "external_id": record and keyring.seal(record, context=EXTERNAL_ID),
        "external_print": record and keyring.fingerprint(record, context=EXTERNAL_ID),
        "zone": details.zone,
        "language": str(details.language),
    }


async def _write_contacts(tx: Transaction, patient: PatientId, contacts: Sequence[Contact], keyring: Keyring) -> None:
    rows = [
        {
            "id": contact.id,
            "patient": patient,
            "place": place,
            "kind": str(contact.kind),
            "value": keyring.seal(contact.value, context=CONTACT),
            "print": keyring.fingerprint(contact.value, context=CONTACT),
            "consents": [_written(one, keyring) for one in contact.consents],
        }
        for place, contact in enumerate(contacts)
    ]
    if rows:
        await tx.execute(insert(CONTACTS), rows)


async def _read(reader: Reader, wanted: Select[Any], keyring: Keyring) -> list[Patient]:
    """Return the patients that a statement selects, each with their contacts."""
    rows = await reader.all(wanted)
    if not rows:
        return []
    held: dict[UUID, list[Contact]] = {row.id: [] for row in rows}
    wanted = select(CONTACTS).where(CONTACTS.c.patient.in_(held)).order_by(CONTACTS.c.patient, CONTACTS.c.place)
    for row in await reader.all(wanted):
        held[row.patient].append(_contact(row, keyring))
    return [_patient(row, held[row.id], keyring) for row in rows]


def _contact(row: Row[Any], keyring: Keyring) -> Contact:
    consents = tuple(_consent(one, keyring) for one in row.consents)
    value = keyring.open(row.value, context=CONTACT)
    return Contact(ContactId(row.id), ContactKind(row.kind), value, consents)


def _written(consent: Consent, keyring: Keyring) -> dict[str, str | None]:
    return {
        "purpose": str(consent.purpose),
        "how": "",  # older versions kept the words here, in clear, and read them from here
        "words": keyring.seal(consent.how, context=CONSENT),
        "at": consent.at.isoformat(),
        "by": consent.by,
        "noted_at": consent.noted_at.isoformat() if consent.noted_at else None,
    }


def _consent(written: Mapping[str, Any], keyring: Keyring) -> Consent:
    noted = written.get("noted_at")
    return Consent(
        Purpose(written["purpose"]),
        keyring.open(written["words"], context=CONSENT) if written.get("words") else written["how"],
        datetime.fromisoformat(written["at"]),
        written.get("by"),
        noted and datetime.fromisoformat(noted),
    )


def _patient(row: Row[Any], contacts: Sequence[Contact], keyring: Keyring) -> Patient:
    return Patient(
        id=PatientId(row.id),
        clinic=ClinicId(row.clinic),
        version=row.version,
        state=PatientState(row.state),
        given_name=keyring.open(row.given_name, context=NAME),
        family_name=keyring.open(row.family_name, context=NAME),
        birth_date=_born(row, keyring),
        zone=row.zone,
        language=Language(row.language),
        external_id=row.external_id and keyring.open(row.external_id, context=EXTERNAL_ID),
        contacts=tuple(contacts),
        enrolled_at=row.enrolled_at,
        discharged_at=row.discharged_at,
        earlier=row.earlier and PatientId(row.earlier),
        joined_into=row.joined_into and PatientId(row.joined_into),
    )
