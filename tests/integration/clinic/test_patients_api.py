from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.clinic.tables import AUDIT, CONTACTS, PATIENTS
from shared import events
from shared.ids import ClinicId
from tests.integration.clinic.conftest import Home, a_body
from tests.support.bench import KEYRING, Answer


async def test_enrolling_answers_the_patient_and_tells_the_others_sealed(home: Home) -> None:
    await home.bench.said(clear=True)
    answer = await home.bench.call("POST", "/patients", a_body(birth_date="1984-06-17", external_id="A-1"))
    assert answer.status == 201
    assert answer.json["version"] == 1
    assert answer.json["state"] == "enrolled"
    assert answer.json["contacts"][0]["value"] == "+12025550123"
    assert _header(answer, "etag") == '"1"'
    (event,) = await home.bench.said(events.PatientEnrolled)
    assert str(event.patient) == answer.json["id"]
    assert KEYRING.open(event.given_name, context="name") == "Maya"
    assert KEYRING.open(event.contacts[0].value, context="contact") == "+12025550123"
    assert [consent.purpose for consent in event.contacts[0].consents] == ["reminders", "checkins"]


async def test_names_and_numbers_are_sealed_at_rest(home: Home, patient: Any) -> None:
    async with home.bench.database.reading() as reader:
        row = await reader.one(select(PATIENTS))
        contact = await reader.one(select(CONTACTS))
    assert "Maya" not in repr(row)
    assert "Okafor" not in repr(row)
    assert "2025550123" not in repr(contact)


@pytest.mark.parametrize(
    ("change", "pointer", "remedy"),
    [
        ({"contacts": [{"kind": "sms", "value": "12345"}]}, "/contacts/0/value", "+1 202 555 0123"),
        ({"contacts": [{"kind": "email", "value": "maya"}]}, "/contacts/0/value", "name@example.org"),
        ({"zone": "America/Springfield"}, "/zone", "America/New_York"),
        ({"birth_date": "2035-01-01"}, "/birth_date", "YYYY-MM-DD"),
        ({"birth_date": "17.6.1984"}, "/birth_date", "Write a day as"),
        ({"language": "fr"}, "/language", "'en' or 'es'"),
        ({"given_name": "  "}, "/given_name", "at least one character"),
        ({"nickname": "May"}, "/nickname", "Extra inputs"),
    ],
)
async def test_wrong_input_is_refused_with_its_place_and_remedy(
    home: Home, change: dict[str, Any], pointer: str, remedy: str
) -> None:
    answer = await home.bench.call("POST", "/patients", a_body(**change))
    assert answer.status == 422
    assert _header(answer, "content-type") == "application/problem+json"
    (flaw,) = answer.json["errors"]
    assert flaw["pointer"] == pointer
    assert remedy in flaw["detail"]


async def test_a_repeated_post_with_the_same_key_enrols_once(home: Home) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = await home.bench.call("POST", "/patients", a_body(), headers=key)
    again = await home.bench.call("POST", "/patients", a_body(), headers=key)
    other = await home.bench.call("POST", "/patients", a_body(given_name="May"), headers=key)
    assert (first.status, again.status, other.status) == (201, 201, 422)
    assert again.json == first.json
    listed = await home.bench.call("GET", "/patients")
    assert len(listed.json["items"]) == 1


async def test_a_change_against_an_old_version_is_refused(home: Home, patient: Any) -> None:
    path = f"/patients/{patient['id']}"
    changed = await home.bench.call("PATCH", path, {"zone": "America/Chicago"}, headers={"If-Match": '"1"'})
    stale = await home.bench.call("PATCH", path, {"zone": "America/Denver"}, headers={"If-Match": '"1"'})
    assert (changed.status, changed.json["version"], changed.json["zone"]) == (200, 2, "America/Chicago")
    assert stale.status == 412
    said = await home.bench.said(events.PatientChanged)
    assert [(event.version, event.zone, event.in_care) for event in said] == [(2, "America/Chicago", True)]


async def test_a_contact_that_stays_keeps_its_id(home: Home, patient: Any) -> None:
    contacts = [{"kind": "email", "value": "maya@EXAMPLE.org"}, {"kind": "sms", "value": "(202) 555-0123"}]
    changed = await home.bench.call("PATCH", f"/patients/{patient['id']}", {"contacts": contacts})
    assert changed.status == 200
    assert changed.json["contacts"][1]["id"] == patient["contacts"][0]["id"]
    assert changed.json["contacts"][0]["value"] == "maya@example.org"


async def test_another_clinics_patient_is_not_found(home: Home, patient: Any) -> None:
    token = home.bench.token(clinic=ClinicId(uuid4()))
    path = f"/patients/{patient['id']}"
    for method, body in (("GET", None), ("PATCH", {"zone": "America/Chicago"})):
        assert (await home.bench.call(method, path, body, token=token)).status == 404
    assert (await home.bench.call("GET", "/patients", token=token)).json["items"] == []


async def test_patients_are_found_by_name_number_address_and_record(home: Home, patient: Any) -> None:
    await home.bench.call("POST", "/patients", a_body(given_name="Óscar", external_id="R-7", contacts=[]))
    for query, expected in (("okaf maya", "Maya"), ("ósc", "Óscar"), ("+12025550123", "Maya"), ("R-7", "Óscar")):
        found = await home.bench.call("GET", f"/patients?q={query.replace('+', '%2B')}")
        assert [one["given_name"] for one in found.json["items"]] == [expected], query
    assert (await home.bench.call("GET", "/patients?q=nobody")).json["items"] == []


async def test_lists_continue_after_the_last_item(home: Home) -> None:
    for number in range(3):
        await home.bench.call("POST", "/patients", a_body(given_name=f"Nr {number}", contacts=[]))
    first = (await home.bench.call("GET", "/patients?limit=2")).json
    rest = (await home.bench.call("GET", f"/patients?limit=2&after={first['next']}")).json
    assert [one["given_name"] for one in first["items"] + rest["items"]] == ["Nr 0", "Nr 1", "Nr 2"]
    assert rest["next"] is None


async def test_a_discharge_ends_changes_and_is_told(home: Home, patient: Any) -> None:
    path = f"/patients/{patient['id']}"
    left = await home.bench.call("POST", f"{path}/discharge", {"reason": "Moved away"})
    assert (left.status, left.json["state"], left.json["version"]) == (200, "discharged", 2)
    assert [event.version for event in await home.bench.said(events.PatientDischarged)] == [2]
    assert (await home.bench.call("POST", f"{path}/discharge", {"reason": "Again"})).status == 409
    assert (await home.bench.call("PATCH", path, {"zone": "America/Chicago"})).status == 409


async def test_a_record_number_belongs_to_one_patient(home: Home) -> None:
    first = await home.bench.call("POST", "/patients", a_body(external_id="A-1"))
    second = await home.bench.call("POST", "/patients", a_body(external_id="A-1", given_name="Other"))
    assert (first.status, second.status) == (201, 409)
    assert first.json["id"] in second.json["detail"]


async def test_who_read_and_changed_a_patient_stands_in_the_audit_trail(home: Home, patient: Any) -> None:
    await home.bench.call("GET", f"/patients/{patient['id']}", token=home.bench.token(name="bridge"))
    async with home.bench.database.reading() as reader:
        rows = await reader.all(select(AUDIT).where(AUDIT.c.patient == patient["id"]).order_by(AUDIT.c.id))
    assert [(row.who, row.what) for row in rows] == [
        ("token:test", "patient.enrolled"),
        ("token:bridge", "patient.read"),
    ]


def _header(answer: Answer, wanted: str) -> str:
    return next(value for name, value in answer.headers.items() if name.lower() == wanted)


async def _find(home: Home, typed: str) -> list[str]:
    found = await home.bench.call("GET", f"/patients?q={quote(typed)}")
    return [one["given_name"] for one in found.json["items"]]


async def test_a_patient_on_the_list_is_never_found_by_nobody(home: Home) -> None:
    jose = a_body(given_name="José", family_name="Muñoz", birth_date="1984-06-17", external_id="MRN-0042")
    await home.bench.call("POST", "/patients", jose)
    await home.bench.call("POST", "/patients", a_body(given_name="Sean", family_name="O\u2019Connor", contacts=[]))
    for typed in ("jose munoz", "Jose", "munoz, jose", "+1 202-555-0123", "(202) 555-0123", "0123", "6/17/1984"):
        assert await _find(home, typed) == ["José"], typed
    assert await _find(home, "mrn 42") == []
    assert await _find(home, "mrn0042") == ["José"]
    assert await _find(home, "O'Connor") == ["Sean"]


async def test_a_search_never_knows_less_than_what_was_saved(home: Home, patient: Any) -> None:
    assert await _find(home, "okafor") == ["Maya"]
    path = f"/patients/{patient['id']}"
    await home.bench.call("PATCH", path, {"family_name": "Adeyemi", "contacts": []})
    assert (await _find(home, "adeyemi"), await _find(home, "okafor"), await _find(home, "0123")) == (["Maya"], [], [])
    await home.bench.call("POST", "/patients", a_body(given_name="Ola", family_name="Adeyemi"))
    assert await _find(home, "adeyemi") == ["Maya", "Ola"]
    await home.bench.call("POST", f"{path}/discharge", {"reason": "Moved away"})
    assert await _find(home, "adeyemi") == ["Maya", "Ola"]


async def test_one_name_is_enough_to_enrol(home: Home) -> None:
    body = a_body(given_name="Sukarno")
    del body["family_name"]
    enrolled = await home.bench.call("POST", "/patients", body)
    assert (enrolled.status, enrolled.json["family_name"]) == (201, "")
    assert await _find(home, "sukarno") == ["Sukarno"]
    both = await home.bench.call("PATCH", f"/patients/{enrolled.json['id']}", {"family_name": "Widodo"})
    one = await home.bench.call("PATCH", f"/patients/{enrolled.json['id']}", {"family_name": ""})
    assert (both.json["family_name"], one.json["family_name"]) == ("Widodo", "")


@pytest.mark.parametrize(
    "name", ["\u202e", "\u200b\u200b", "\u00ad", "\ufeff", "\u3164", "\u2800", "\u2066\u2069", "-", "\u0301", "..."]
)
async def test_a_name_that_cannot_be_seen_is_no_name(home: Home, name: str) -> None:
    refused = await home.bench.call("POST", "/patients", a_body(given_name=name))
    assert refused.status == 422
    assert refused.json["errors"][0]["pointer"] == "/given_name"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u202eayaM", "ayaM"),
        ("Ma\u200bya", "Maya"),
        ("\u2068Maya\u2069\u200f", "Maya"),
        ("\u0645\u06cc\u200c\u0646\u0627", "\u0645\u06cc\u200c\u0646\u0627"),
        ("O\u2019Connor", "O\u2019Connor"),
    ],
)
async def test_what_turns_a_name_around_is_never_kept_and_how_it_is_spelt_is(home: Home, typed: str, kept: str) -> None:
    enrolled = await home.bench.call("POST", "/patients", a_body(given_name=typed))
    assert (enrolled.status, enrolled.json["given_name"]) == (201, kept)


@pytest.mark.parametrize(
    "at",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1899-12-31T23:59:59Z", "2200-01-01T00:00:00Z"],
)
async def test_no_date_of_a_consent_cuts_a_patient_off(home: Home, at: str) -> None:
    consent = {"purpose": "reminders", "how": "paper form", "at": at}
    contacts = [{"kind": "sms", "value": "+12025550123", "consents": [consent]}]
    answer = await home.bench.call("POST", "/patients", a_body(contacts=contacts))
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/contacts/0/consents/0/at"
    assert "from 1900-01-01 to 2199-12-31" in answer.json["errors"][0]["detail"]


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "9999-12-31"])
async def test_no_birthday_lies_outside_the_calendar(home: Home, day: str) -> None:
    answer = await home.bench.call("POST", "/patients", a_body(birth_date=day))
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/birth_date"


@pytest.mark.parametrize(
    ("zone", "likely"),
    [
        ("EST", "America/New_York"),
        ("UTC", "fixed offset"),
        ("Zulu", "fixed offset"),
        ("Etc/GMT+5", "America/New_York"),
        ("PST8PDT", "America/Los_Angeles"),
    ],
)
async def test_nobody_is_texted_in_the_night_because_a_zones_name_lies(home: Home, zone: str, likely: str) -> None:
    refused = await home.bench.call("POST", "/patients", a_body(zone=zone))
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/zone")
    assert likely in refused.json["errors"][0]["detail"]


async def test_an_alias_of_a_zone_is_kept_under_its_place_by_every_door(home: Home) -> None:
    enrolled = await home.bench.call("POST", "/patients", a_body(zone="US/Eastern"))
    assert (enrolled.status, enrolled.json["zone"]) == (201, "America/New_York")
    moved = await home.bench.call("PATCH", f"/patients/{enrolled.json['id']}", {"zone": "US/Pacific"})
    assert moved.json["zone"] == "America/Los_Angeles"
    clinic = await home.bench.call("PATCH", "/clinic", {"zone": "US/Central"})
    assert clinic.json["zone"] == "America/Chicago"
    assert (await home.bench.call("PATCH", "/clinic", {"zone": "MST"})).status == 422


@pytest.mark.parametrize(
    ("number", "why"), [("1-800-FLOWERS", "toll-free"), ("+1 900 234 5678", "premium"), ("(242) 359-1234", "Bahamas")]
)
async def test_a_number_that_takes_no_texts_or_is_abroad_is_refused_with_the_reason(
    home: Home, number: str, why: str
) -> None:
    refused = await home.bench.call("POST", "/patients", a_body(contacts=[{"kind": "sms", "value": number}]))
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/contacts/0/value")
    assert why in refused.json["errors"][0]["detail"]
