"""The clinic's part of the interface for programs: patients."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.clinic.commands.join_duplicates import join
from services.clinic.commands.patients import PatientCommands, who
from services.clinic.commands.reinstating import reinstate
from services.clinic.model.contacts import Contact, ContactKind, Purpose
from services.clinic.model.patient import GivenConsent, GivenContact, GivenPatient, Patient
from services.clinic.store import audit, patients
from shared.database import Database, Transaction
from shared.languages import Language
from shared.web.api import (
    Body,
    Day,
    DecideCommand,
    Listing,
    Moment,
    Paging,
    Reads,
    View,
    WriteCommand,
    listing,
    versioned,
)
from shared.web.problems import Invalid

Words = Annotated[str, Field(max_length=500)]
NO_NUL: Final = r"^[^\x00]*$"
"""PostgreSQL keeps every character but NUL."""


class NewConsent(Body):
    """A patient's word that a contact point may be used for a purpose."""

    purpose: Purpose
    how: Words
    at: Moment


class NewContact(Body):
    """A contact point."""

    kind: ContactKind
    value: Words
    consents: tuple[NewConsent, ...] = ()


class NewPatient(Body):
    """A patient to enrol."""

    given_name: Words
    family_name: Annotated[Words, Field(description="Left out for a person who has one name.")] = ""
    birth_date: Day | None = None
    zone: Annotated[Words, Field(examples=["America/New_York"])]
    language: Language
    external_id: Words | None = None
    contacts: tuple[NewContact, ...] = ()
    earlier: Annotated[
        UUID | None,
        Field(description="Their record of the time before, of whoever comes back; a record number finds it as well."),
    ] = None
    confirm_duplicate: Annotated[
        bool, Field(description="Enrol although somebody in care has this name, birth date and number.")
    ] = False


class PatientChanges(Body):
    """What to change of a patient; `contacts` stands for all contact points."""

    given_name: Words | None = None
    family_name: Words | None = None
    birth_date: Day | None = None
    zone: Words | None = None
    language: Language | None = None
    external_id: Words | None = None
    contacts: tuple[NewContact, ...] | None = None


class Discharge(Body):
    """Why a patient leaves."""

    reason: Words | None = None


class Joining(Body):
    """Which record is closed as the duplicate of this one, and why they are one person."""

    other: UUID
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Reinstatement(Body):
    """Why a discharge was a mistake."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ConsentView(View):
    """A consent as it was given; what was taken back since is with the messages."""

    purpose: Purpose
    how: str
    at: datetime
    noted_by: str | None = None
    noted_at: datetime | None = None


class ContactView(View):
    """A contact point."""

    id: UUID
    kind: ContactKind
    value: str
    consents: tuple[ConsentView, ...]


class PatientView(View):
    """A patient."""

    id: UUID
    version: int
    state: str
    given_name: str
    family_name: str
    birth_date: date | None
    zone: str
    language: Language
    external_id: str | None
    contacts: tuple[ContactView, ...]
    enrolled_at: datetime
    discharged_at: datetime | None
    earlier: UUID | None
    joined_into: UUID | None

    @classmethod
    def of(cls, patient: Patient) -> "PatientView":
        """Show a patient."""
        return cls(
            id=patient.id,
            version=patient.version,
            state=patient.state,
            given_name=patient.given_name,
            family_name=patient.family_name,
            birth_date=patient.birth_date,
            zone=patient.zone,
            language=patient.language,
            external_id=patient.external_id,
            contacts=tuple(_contact_view(contact) for contact in patient.contacts),
            enrolled_at=patient.enrolled_at,
            discharged_at=patient.discharged_at,
            earlier=patient.earlier,
            joined_into=patient.joined_into,
        )


def router(database: Database, commands: PatientCommands) -> APIRouter:
    """Return the routes below /api/v1."""
    routes = APIRouter(prefix="/api/v1", tags=["clinic"])

    @routes.post("/patients", status_code=201, response_model=PatientView)
    async def enrol(body: NewPatient, command: WriteCommand) -> Response:
        """Enrol a patient."""

        async def work(tx: Transaction) -> PatientView:
            enrol = commands.enrol if body.confirm_duplicate else commands.enrol_once
            return PatientView.of(await enrol(tx, command.principal, given_patient(body), earlier=body.earlier))

        return await command.run(database, work, status=201)

    @routes.get("/patients")
    async def find(
        principal: Reads, page: Paging, q: Annotated[str | None, Query(max_length=200, pattern=NO_NUL)] = None
    ) -> Listing[PatientView]:
        """List patients, or those whom `q` may mean.

        A name is found without its accents, in either order and by parts of it; a phone in any spelling and by its last
        four digits; a birth date as people write it; a mail address; a record number.
        """
        clinic, keyring = principal.clinic, commands.keyring
        limit = page.limit + 1
        async with database.transaction() as tx:
            await audit.note(tx, clinic, who(principal), "patients.searched" if q else "patients.listed")
            if q and q.strip():
                found = await commands.search(tx, clinic, q, limit=limit, after=page.after)
            else:
                found = await patients.page(tx, clinic, keyring, limit=limit, after=page.after)
        return listing([PatientView.of(one) for one in found], page, cursor=lambda view: str(view.id))

    @routes.get("/patients/{patient}", response_model=PatientView)
    async def read(patient: UUID, principal: Reads) -> Response:
        """Return a patient."""
        async with database.transaction() as tx:
            return versioned(PatientView.of(await commands.read(tx, principal, patient)))

    @routes.patch("/patients/{patient}", response_model=PatientView)
    async def change(patient: UUID, body: PatientChanges, command: WriteCommand) -> Response:
        """Change a patient."""

        async def work(tx: Transaction) -> PatientView:
            present = await commands.held(tx, command.principal.clinic, patient)
            command.if_match(present.version)
            return PatientView.of(await commands.change(tx, command.principal, present, _merged(present, body)))

        return await command.run(database, work)

    @routes.post("/patients/{patient}/discharge", response_model=PatientView)
    async def discharge(patient: UUID, command: WriteCommand, body: Discharge | None = None) -> Response:
        """Discharge a patient: sessions end and nothing more is sent."""

        async def work(tx: Transaction) -> PatientView:
            present = await commands.held(tx, command.principal.clinic, patient)
            command.if_match(present.version)
            reason = body.reason if body else None
            return PatientView.of(await commands.discharge(tx, command.principal, present, reason))

        return await command.run(database, work)

    _ending(routes, database, commands)
    return routes


def _ending(routes: APIRouter, database: Database, commands: PatientCommands) -> None:
    @routes.post("/patients/{patient}/reinstate", response_model=PatientView)
    async def put_back(patient: UUID, body: Reinstatement, command: DecideCommand) -> Response:
        """Take back a discharge by mistake: the record is in care again, with the consents of before.

        What the discharge ended stays ended: sessions, questions and the plan are started anew. A stop that was said
        meanwhile holds.
        """

        async def work(tx: Transaction) -> PatientView:
            present = await commands.held(tx, command.principal.clinic, patient)
            command.if_match(present.version)
            return PatientView.of(await reinstate(tx, command.principal, commands, present, body.reason))

        return await command.run(database, work)

    @routes.post("/patients/{patient}/join", response_model=PatientView)
    async def join_records(patient: UUID, body: Joining, command: DecideCommand) -> Response:
        """Close another record of the same person as a duplicate of this one, and take over its contact points."""

        async def work(tx: Transaction) -> PatientView:
            kept = await join(
                commands,
                tx,
                command.principal,
                kept=patient,
                other=body.other,
                reason=body.reason,
                match=command.if_match,
            )
            return PatientView.of(kept)

        return await command.run(database, work)


def given_patient(body: NewPatient) -> GivenPatient:
    """Return a patient as a program sent them, as what is typed in."""
    return GivenPatient(
        given_name=body.given_name,
        family_name=body.family_name,
        birth_date=body.birth_date,
        zone=body.zone,
        language=body.language,
        external_id=body.external_id,
        contacts=_contacts(body.contacts),
    )


def _merged(present: Patient, body: PatientChanges) -> GivenPatient:
    """Return the patient with what was sent in place of what was; null empties what may be empty."""
    sent = body.model_fields_set
    for name in ("given_name", "family_name", "zone", "language", "contacts"):
        if name in sent and getattr(body, name) is None:
            raise Invalid.at(f"/{name}", "This cannot be emptied. Give a value or leave it out.")
    contacts = _contacts(body.contacts) if body.contacts is not None else given_contacts(present)
    return GivenPatient(
        given_name=present.given_name if body.given_name is None else body.given_name,
        family_name=present.family_name if body.family_name is None else body.family_name,
        birth_date=body.birth_date if "birth_date" in sent else present.birth_date,
        zone=body.zone or present.zone,
        language=body.language or present.language,
        external_id=body.external_id if "external_id" in sent else present.external_id,
        contacts=contacts,
    )


def given_contacts(present: Patient) -> tuple[GivenContact, ...]:
    """Return a patient's contact points as if they were typed in again."""
    return tuple(
        GivenContact(
            contact.kind,
            contact.value,
            tuple(GivenConsent(one.purpose, one.how, one.at) for one in contact.consents),
        )
        for contact in present.contacts
    )


def _contacts(contacts: tuple[NewContact, ...]) -> tuple[GivenContact, ...]:
    return tuple(
        GivenContact(
            contact.kind,
            contact.value,
            tuple(GivenConsent(one.purpose, one.how, one.at) for one in contact.consents),
        )
        for contact in contacts
    )


def _contact_view(contact: Contact) -> ContactView:
    consents = tuple(
        ConsentView(purpose=one.purpose, how=one.how, at=one.at, noted_by=one.by, noted_at=one.noted_at)
        for one in contact.consents
    )
    return ContactView(id=contact.id, kind=contact.kind, value=contact.value, consents=consents)
