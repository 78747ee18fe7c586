from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.clinic.model.contacts import Contact, ContactKind, Purpose
from services.clinic.model.flaws import FlawedError
from services.clinic.model.patient import (
    DischargedError,
    GivenConsent,
    GivenContact,
    GivenPatient,
    PatientState,
    check_details,
)
from services.clinic.model.people import age_on
from shared.ids import ContactId, new_id
from shared.languages import Language
from tests.unit.clinic.samples import a_patient

TODAY = date(2026, 12, 1)
AGREED = GivenConsent(Purpose.REMINDERS, "in person", datetime(2026, 12, 1, tzinfo=UTC))
GIVEN = GivenPatient(
    given_name="  Maya ",
    family_name="Okafor",
    birth_date=date(1984, 6, 17),
    zone="America/New_York",
    language=Language.EN,
    external_id=None,
    contacts=(GivenContact(ContactKind.SMS, "202 555 0123", (AGREED,)),),
)


def flaws_of(given: GivenPatient) -> dict[str, str]:
    with pytest.raises(FlawedError) as flawed:
        check_details(given, today=TODAY)
    return {flaw.pointer: flaw.detail for flaw in flawed.value.flaws}


def test_each_value_is_kept_in_its_one_form() -> None:
    details = check_details(GIVEN, today=TODAY)
    assert details.given_name == "Maya"
    assert details.contacts[0].value == "+12025550123"
    assert details.contacts[0].consents[0].purpose is Purpose.REMINDERS


def test_every_flaw_is_told_at_once_with_its_place() -> None:
    email = GivenContact(ContactKind.EMAIL, "x", ())
    phone = GivenContact(ContactKind.SMS, "1", (replace(AGREED, how=" "),))
    given = replace(
        GIVEN, given_name="", family_name="\x07", zone="Mars/Base", birth_date=date(2027, 1, 1), contacts=(email, phone)
    )
    assert set(flaws_of(given)) == {
        "/given_name",
        "/family_name",
        "/zone",
        "/birth_date",
        "/contacts/0/value",
        "/contacts/1/value",
        "/contacts/1/consents/0/how",
    }


def test_nobody_is_born_longer_ago_than_anybody_lives() -> None:
    assert "125 years" in flaws_of(replace(GIVEN, birth_date=date(1884, 6, 17)))["/birth_date"]


def test_the_same_contact_point_twice_is_refused_even_when_typed_differently() -> None:
    twice = (*GIVEN.contacts, GivenContact(ContactKind.SMS, "+1 (202) 555-0123", ()))
    assert "/contacts/1/value" in flaws_of(replace(GIVEN, contacts=twice))


def test_consent_for_the_same_purpose_twice_is_refused() -> None:
    contact = replace(GIVEN.contacts[0], consents=(AGREED, AGREED))
    assert "/contacts/0/consents/1/purpose" in flaws_of(replace(GIVEN, contacts=(contact,)))


def test_a_contact_point_that_stays_keeps_its_id() -> None:
    known = check_details(GIVEN, today=TODAY).contacts
    assert check_details(GIVEN, today=TODAY, known=known).contacts[0].id == known[0].id


def test_a_discharged_patient_changes_no_more() -> None:
    a_patient().can_change()
    with pytest.raises(DischargedError, match="discharged"):
        a_patient(state=PatientState.DISCHARGED).can_change()


@pytest.mark.parametrize(("today", "age"), [(date(2026, 6, 16), 41), (date(2026, 6, 17), 42)])
def test_age_counts_full_years(today: date, age: int) -> None:
    assert age_on(date(1984, 6, 17), today) == age


def test_a_number_that_was_kept_before_stands_in_the_way_of_no_other_change() -> None:
    known = (Contact(ContactId(new_id()), ContactKind.SMS, "+34612345678", ()),)
    abroad = replace(GIVEN, contacts=(GivenContact(ContactKind.SMS, "+34612345678", ()),))
    assert check_details(abroad, today=TODAY, known=known).contacts[0].id == known[0].id
    assert "Spain" in flaws_of(abroad)["/contacts/0/value"]
