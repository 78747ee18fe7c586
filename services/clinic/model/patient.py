"""A patient as the clinic knows them, and what enrolment and changes must hold."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from services.clinic.model.contacts import HOME_REGION, Consent, Contact, ContactKind, Purpose, read_value
from services.clinic.model.flaws import Flaws, RefusedError
from services.clinic.model.people import read_birth_date, read_line, read_name, read_second_name
from shared.ids import ClinicId, ContactId, PatientId, new_id
from shared.languages import Language
from shared.zones import check_zone

MOST_CONTACTS: Final = 10


class PatientState(StrEnum):
    """Whether a patient is in the clinic's care."""

    ENROLLED = "enrolled"
    DISCHARGED = "discharged"


class DischargedError(Exception):
    """This patient was discharged: nothing about them changes any more. Enrol them again if they return."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


@dataclass(frozen=True)
class Patient:
    """A person in the clinic's care.

    Attributes:
        earlier: their record of the time before, where they have come back after a discharge.
        joined_into: the record that goes on, where this one was found to be its duplicate.
    """

    id: PatientId
    clinic: ClinicId
    version: int
    state: PatientState
    given_name: str
    family_name: str
    birth_date: date | None
    zone: str
    language: Language
    external_id: str | None
    contacts: tuple[Contact, ...]
    enrolled_at: datetime
    discharged_at: datetime | None = None
    earlier: PatientId | None = None
    joined_into: PatientId | None = None

    @property
    def name(self) -> str:
        """Return given and family name, or the one that there is."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def listed_name(self) -> str:
        """Return the name as a list has it, the family's first."""
        return f"{self.family_name}, {self.given_name}" if self.family_name else self.given_name

    def can_change(self) -> None:
        """Raise `DischargedError` where the patient has left."""
        if self.state is PatientState.DISCHARGED:
            raise DischargedError


@dataclass(frozen=True)
class GivenConsent:
    """A consent as it was typed in."""

    purpose: Purpose
    how: str
    at: datetime


@dataclass(frozen=True)
class GivenContact:
    """A contact point as it was typed in."""

    kind: ContactKind
    value: str
    consents: tuple[GivenConsent, ...]


@dataclass(frozen=True)
class GivenPatient:
    """A patient's data as they were typed in, by a form or a program."""

    given_name: str
    family_name: str
    birth_date: date | None
    zone: str
    language: Language
    external_id: str | None
    contacts: tuple[GivenContact, ...]


@dataclass(frozen=True)
class Details:
    """A patient's data after every check."""

    given_name: str
    family_name: str
    birth_date: date | None
    zone: str
    language: Language
    external_id: str | None
    contacts: tuple[Contact, ...]


def check_details(
    given: GivenPatient,
    *,
    today: date,
    known: Sequence[Contact] = (),
    region: str = HOME_REGION,
    countries: Collection[str] = (),
) -> Details:
    """Return a patient's data, each value in its one form.

    Args:
        given: what was typed in.
        today: the clinic's present day.
        known: contact points that the patient already has; an equal one keeps its id, and is not looked at again.
        region: of the clinic's own number.
        countries: other regions whose numbers get texts.

    Raises:
        FlawedError: with every flaw, each at the pointer of its value.
    """
    flaws = Flaws()
    given_name = flaws.take("/given_name", read_name, given.given_name)
    family_name = flaws.take("/family_name", read_second_name, given.family_name)
    zone = flaws.take("/zone", check_zone, given.zone)
    birth_date = given.birth_date and flaws.take(
        "/birth_date", lambda day: read_birth_date(day, today=today), given.birth_date
    )
    external_id = flaws.take("/external_id", read_line, given.external_id) if given.external_id else None
    ids = {(contact.kind, contact.value): contact.id for contact in known}

    def read(kind: ContactKind, text: str) -> str:
        return text if (kind, text) in ids else read_value(kind, text, region=region, countries=countries)

    contacts = _check_contacts(given.contacts, ids, read, flaws)
    flaws.stop_if_any()
    return Details(given_name or "", family_name or "", birth_date, zone or "", given.language, external_id, contacts)


def signed(contacts: Sequence[Contact], known: Sequence[Contact], *, by: str, now: datetime) -> tuple[Contact, ...]:
    """Return contact points whose new consents say who wrote them down and when; what was known keeps its own.

    Args:
        contacts: as they are to be.
        known: as they were.
        by: name of the member of staff or program.
        now: the present instant.
    """
    before = {(one.id, each.purpose, each.how, each.at): each for one in known for each in one.consents}
    return tuple(
        replace(
            one,
            consents=tuple(
                before.get((one.id, each.purpose, each.how, each.at)) or replace(each, by=by, noted_at=now)
                for each in one.consents
            ),
        )
        for one in contacts
    )


def _check_contacts(
    given: Sequence[GivenContact],
    ids: Mapping[tuple[ContactKind, str], ContactId],
    read: Callable[[ContactKind, str], str],
    flaws: Flaws,
) -> tuple[Contact, ...]:
    if len(given) > MOST_CONTACTS:
        flaws.add("/contacts", f"There are {len(given)} contact points. Give at most {MOST_CONTACTS}.")
        return ()
    contacts: dict[tuple[ContactKind, str], Contact] = {}
    for place, one in enumerate(given):
        kind, pointer = one.kind, f"/contacts/{place}"
        consents = _check_consents(one.consents, pointer, flaws)
        try:
            value = read(kind, one.value)
        except RefusedError as error:
            flaws.add(f"{pointer}/value", str(error))
            continue
        if (kind, value) in contacts:
            flaws.add(f"{pointer}/value", "This contact point is given twice. Leave one of them out.")
            continue
        known_id = ids.get((kind, value)) or ContactId(new_id())
        contacts[kind, value] = Contact(known_id, kind, value, consents)
    return tuple(contacts.values())


def _check_consents(given: Sequence[GivenConsent], pointer: str, flaws: Flaws) -> tuple[Consent, ...]:
    consents: dict[Purpose, Consent] = {}
    for place, one in enumerate(given):
        how = flaws.take(f"{pointer}/consents/{place}/how", read_line, one.how)
        if one.purpose in consents:
            flaws.add(f"{pointer}/consents/{place}/purpose", f"Consent for {one.purpose} is given twice.")
        consents[one.purpose] = Consent(one.purpose, how or "", one.at)
    return tuple(consents.values())
