"""Whoever is on the list is found by what people type."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from services.clinic.model.contacts import Contact, ContactKind, likely_number
from services.clinic.model.searching import Entry, read_sought
from shared.ids import ContactId
from tests.unit.clinic.samples import a_patient

_NOBODY = a_patient()


def entry(
    given: str = "Maya",
    family: str = "Okafor",
    *,
    phone: str = "+12025550123",
    mail: str = "maya.o@example.org",
    born: date | None = date(1984, 6, 17),
    record: str | None = None,
) -> Entry:
    contacts = (
        Contact(ContactId(uuid4()), ContactKind.SMS, phone, ()),
        Contact(ContactId(uuid4()), ContactKind.EMAIL, mail, ()),
    )
    person = replace(
        _NOBODY, given_name=given, family_name=family, birth_date=born, external_id=record, contacts=contacts
    )
    return Entry.of(replace(person, enrolled_at=datetime(2026, 12, 1, tzinfo=UTC)))


def finds(typed: str, whom: Entry) -> bool:
    return read_sought(typed, likely_number(typed)).matches(whom)


@pytest.mark.parametrize(
    ("given", "family", "typed"),
    [
        ("José", "Muñoz", "jose munoz"),
        ("José", "Muñoz", "Jose"),
        ("José", "Muñoz", "MUÑOZ, JOSÉ"),
        ("José", "Muñoz", "munoz jose"),
        ("José", "Muñoz", "j munoz"),
        ("José", "Muñoz", "muñ"),
        ("Jose\u0301", "Mun\u0303oz", "José Muñoz"),
        ("Sean", "O\u2019Connor", "O'Connor"),
        ("Sean", "O'Connor", "O\u2019Connor"),
        ("Sean", "O\u2019Connor", "oconnor sean"),
        ("Sean", "O'Connor", "o connor"),
        ("Sean", "O\u02bcConnor", "O`Connor"),
        ("Sean", "O'Connor", "O\u00b4Connor"),
        ("Anna-Lena", "Smith-Jones", "smith jones"),
        ("Anna-Lena", "Smith-Jones", "annalena"),
        ("Anna Lena", "Smith Jones", "Smith-Jones, Anna-Lena"),
        ("Søren", "Łukasiewicz", "soren lukasiewicz"),
        ("Zoë", "Weiß", "zoe weiss"),
        ("J.R.", "St. John", "jr st john"),
        ("Sukarno", "", "sukarno"),
        ("İpek", "I\u015f\u0131k", "ipek isik"),
        ("Ирина", "Андреева", "андреева"),
        ("李", "小龍", "小龍"),
    ],
)
def test_a_patient_is_never_missed_by_the_spelling_of_their_name(given: str, family: str, typed: str) -> None:
    assert finds(typed, entry(given, family))


@pytest.mark.parametrize(
    "typed",
    [
        "+1 202-555-0123",
        "(202) 555-0123",
        "0123",
        "202.555.0123",
        "2025550123",
        "1 202 555 0123",
        "+12025550123",
        "011 1 202 555 0123",
        "555-0123",
        "okafor 0123",
        "tel:+1-202-555-0123",
    ],
)
def test_a_patient_is_never_missed_by_the_spelling_of_their_phone(typed: str) -> None:
    assert finds(typed, entry())


@pytest.mark.parametrize(
    "typed",
    [
        "1984-06-17",
        "6/17/1984",
        "06/17/84",
        "17.6.1984",
        "17/06/1984",
        "June 17, 1984",
        "17 June 1984",
        "Jun 17th 1984",
        "17-Jun-1984",
        "17 de junio de 1984",
        "19840617",
        "okafor 6/17/1984",
        "Maya Okafor, 17 June 1984",
    ],
)
def test_a_patient_is_never_missed_by_the_spelling_of_their_birth_date(typed: str) -> None:
    assert finds(typed, entry())


@pytest.mark.parametrize("typed", ["MRN-0042", "mrn 0042", "MRN0042", "0042", "042"])
def test_a_patient_is_never_missed_by_the_spelling_of_their_record_number(typed: str) -> None:
    assert finds(typed, entry(record="MRN-0042"))


@pytest.mark.parametrize("typed", ["maya.o@example.org", "MAYA.O@EXAMPLE.ORG", "maya.o@"])
def test_a_patient_is_found_by_their_mail_address(typed: str) -> None:
    assert finds(typed, entry())


@pytest.mark.parametrize(
    "typed", ["nobody", "maya munoz", "0124", "6/18/1984", "okafor 6/18/1984", "M-1", "123", "-", "'", "202 555 9999"]
)
def test_nobody_else_is_found(typed: str) -> None:
    assert not finds(typed, entry())


def test_a_number_abroad_is_found_as_it_is_dialled_there_from_here() -> None:
    assert finds("011 44 7700 900123", entry(phone="+447700900123"))
    assert finds("07700 900123", entry(phone="+447700900123")) is False
    assert finds("900123", entry(phone="+447700900123"))


def test_whose_name_begins_so_comes_before_whose_name_only_holds_it() -> None:
    sought = read_sought("ana")
    assert sought.begins(entry("Ana", "Okafor"))
    assert sought.matches(entry("Mariana", "Okafor"))
    assert not sought.begins(entry("Mariana", "Okafor"))


def test_who_has_one_name_stands_in_the_list_by_it_and_who_left_comes_last() -> None:
    left = replace(entry("Ada", "Abel"), enrolled=False)
    ordered = sorted([left, entry("Sukarno", ""), entry("Maya", "Okafor")], key=lambda one: one.place)
    assert [one.given for one in ordered] == ["maya", "sukarno", "ada"]
