"""Enrolling somebody: once, not twice, with what they said themselves and nothing else."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.clinic.tables import REASONS
from shared import events
from shared.web.tokens import Scope
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import SampleEvents
from tests.support.bench import Answer

MAYA = {"given_name": "Maya", "family_name": "Okafor", "zone": "America/New_York", "language": "en"}
BORN = {"birth_date": "1984-06-17"}
PHONE = {"sms": "+1 202 555 0123"}


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def _all(home: Home) -> list[dict[str, Any]]:
    return list((await home.bench.call("GET", "/patients")).json["items"])


async def _send(browser: Browser, **fields: str) -> Answer:
    return await browser.post("/console/patients/new", key=str(uuid4()), **(MAYA | fields))


async def test_one_form_sent_twice_at_once_never_makes_two_patients(home: Home, browser: Browser) -> None:
    key = str(uuid4())
    first, second = await asyncio.gather(
        *(browser.post("/console/patients/new", key=key, **MAYA, **BORN, **PHONE) for _ in range(2))
    )
    assert (first.status, second.status) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    again = await browser.post("/console/patients/new", key=key, **MAYA, **BORN, **PHONE)
    assert again.headers["location"] == first.headers["location"]
    assert len(await _all(home)) == 1


async def test_what_is_typed_over_a_form_that_was_sent_is_never_lost(home: Home, browser: Browser) -> None:
    key = str(uuid4())
    await browser.post("/console/patients/new", key=key, **MAYA, **BORN)
    other = {**MAYA, "given_name": "Noor"}
    answer = await browser.post("/console/patients/new", key=key, **other)
    assert answer.status == 409
    assert "send it again" in answer.text
    assert 'value="Noor"' in answer.text
    fresh = re.search(r'name="key" value="([\w-]+)"', answer.text)
    assert fresh is not None
    assert fresh[1] != key
    assert (await browser.post("/console/patients/new", key=fresh[1], **other)).status == 303
    assert len(await _all(home)) == 2


@pytest.mark.parametrize(
    ("typed", "shared"),
    [
        ({**BORN, "sms": "+1 202 555 0188"}, "Same name and birth date."),
        ({"given_name": "maya", "family_name": "OKAFOR", **BORN}, "Same name and birth date."),
        ({"given_name": "Okafor", "family_name": "Maya", **BORN}, "Same name and birth date."),
        ({**PHONE}, "Same name and mobile number."),
        ({**BORN, **PHONE}, "Same name, birth date and mobile number."),
    ],
)
async def test_a_likely_twin_is_never_made_without_a_word(
    home: Home, browser: Browser, typed: dict[str, str], shared: str
) -> None:
    first = await _send(browser, **BORN, **PHONE)
    answer = await _send(browser, **typed)
    assert answer.status == 409
    assert shared in answer.text
    assert "probably the same person" in answer.text
    assert first.headers["location"] in answer.text
    assert len(await _all(home)) == 1
    confirmed = re.search(r'name="confirmed" value="([\w -]+)"', answer.text)
    assert confirmed is not None
    assert (await _send(browser, confirmed=confirmed[1], **typed)).status == 303
    assert len(await _all(home)) == 2


async def test_a_number_that_another_patient_has_is_pointed_out_before_it_is_saved(
    home: Home, browser: Browser
) -> None:
    await _send(browser, **BORN, **PHONE)
    son = {"given_name": "Ike", "birth_date": "2004-02-03", "sms": "(202) 555-0123"}
    answer = await _send(browser, **son)
    assert (answer.status, len(await _all(home))) == (409, 1)
    assert "Same mobile number. Texts to both go to one phone" in answer.text
    confirmed = re.search(r'name="confirmed" value="([\w -]+)"', answer.text)
    assert confirmed is not None
    assert (await _send(browser, confirmed=confirmed[1], **son)).status == 303


async def test_a_number_that_is_changed_to_another_patients_is_pointed_out_too_and_only_once(
    home: Home, browser: Browser
) -> None:
    await _send(browser, **BORN, **PHONE)
    there = (await _send(browser, given_name="Ike", family_name="Eze")).headers["location"]
    ike = {**MAYA, "given_name": "Ike", "family_name": "Eze"}
    answer = await browser.post(f"{there}/change", version="1", **ike, **PHONE)
    assert answer.status == 409
    confirmed = re.search(r'name="confirmed" value="([\w -]+)"', answer.text)
    assert confirmed is not None
    saved = await browser.post(f"{there}/change", version="1", confirmed=confirmed[1], **ike, **PHONE)
    assert saved.status == 303
    later = await browser.post(f"{there}/change", version="2", **(ike | PHONE | {"language": "es"}))
    assert later.status == 303


async def test_who_is_confirmed_covers_nobody_else(browser: Browser) -> None:
    await _send(browser, **BORN, **PHONE)
    await _send(browser, given_name="Ola", family_name="Ruiz", sms="+1 202 555 0177")
    answer = await _send(browser, given_name="Ike", **PHONE)
    confirmed = re.search(r'name="confirmed" value="([\w -]+)"', answer.text)
    assert confirmed is not None
    other = await _send(browser, given_name="Ike", sms="+1 202 555 0177", confirmed=confirmed[1])
    assert (other.status, "Ola Ruiz" in other.text) == (409, True)


async def test_a_program_never_enrols_a_person_twice_by_name_birth_date_and_number(home: Home) -> None:
    first = await home.bench.call("POST", "/patients", a_body(**BORN))
    again = await home.bench.call("POST", "/patients", a_body(**BORN, given_name="MAYA"))
    assert (first.status, again.status) == (201, 409)
    assert first.json["id"] in again.json["detail"]
    assert '"confirm_duplicate": true' in again.json["detail"]
    assert (await home.bench.call("POST", "/patients", a_body(**BORN, confirm_duplicate=True))).status == 201
    assert (await home.bench.call("POST", "/patients", a_body(birth_date="2004-02-03"))).status == 201
    assert (await home.bench.call("POST", "/patients", a_body())).status == 201


async def test_consent_that_nobody_gave_is_never_on_record(home: Home, browser: Browser) -> None:
    form = (await browser.get("/console/patients/new")).text
    assert not re.search(r'type="checkbox"[^>]*checked', form)
    assert 'autocomplete="off"' in form
    typed = {"sms-how": "", "sms-at": "2026-12-01", **PHONE}
    await _send(browser, **typed)
    ((contact,),) = [one["contacts"] for one in await _all(home)]
    assert contact["consents"] == []


async def test_how_they_agreed_is_said_by_a_person_and_never_assumed(home: Home, browser: Browser) -> None:
    answer = await _send(browser, **PHONE, **{"sms-reminders": "yes", "sms-how": "", "sms-at": "2026-12-01"})
    assert (answer.status, await _all(home)) == (422, [])
    assert "Say how they agreed" in answer.text


async def test_the_ledger_holds_what_was_marked_by_whom_and_when(home: Home, browser: Browser) -> None:
    ticked = {"sms-reminders": "yes", "sms-how": "by phone"}
    today = await _send(browser, **PHONE, **ticked, **{"sms-at": "2026-12-01"})
    ((contact,),) = [one["contacts"] for one in await _all(home)]
    (consent,) = contact["consents"]
    now = home.bench.clock.now().isoformat().replace("+00:00", "Z")
    assert consent["purpose"] == "reminders"
    assert (consent["how"], consent["noted_by"]) == ("by phone", "Alma Reid")
    assert (consent["at"], consent["noted_at"]) == (now, now)
    page = (await browser.get(today.headers["location"])).text
    assert "Reminders: agreed by phone, Tue, Dec 1, 2026, noted by Alma Reid" in page


async def test_who_comes_back_is_never_turned_away(home: Home, browser: Browser) -> None:
    first = await home.bench.call("POST", "/patients", a_body(**BORN, external_id="MRN-0042"))
    path = f"/patients/{first.json['id']}"
    await home.bench.call("POST", f"{path}/discharge", {"reason": "Moved away"})
    back = await home.bench.call("POST", "/patients", a_body(**BORN, external_id="MRN-0042", contacts=[]))
    assert (back.status, back.json["earlier"], back.json["contacts"]) == (201, first.json["id"], [])
    again = await home.bench.call("POST", "/patients", a_body(external_id="MRN-0042"))
    assert again.status == 409
    earlier = (await browser.get(f"/console{path}")).text
    later = (await browser.get(f"/console/patients/{back.json['id']}")).text
    assert f"/console/patients/{back.json['id']}" in earlier
    assert f"/console{path}" in later


async def test_who_comes_back_by_the_page_is_asked_anew_what_they_agree_to(home: Home, browser: Browser) -> None:
    first = await home.bench.call("POST", "/patients", a_body(**BORN, external_id="MRN-0042"))
    path = f"/console/patients/{first.json['id']}"
    await home.bench.call("POST", f"/patients/{first.json['id']}/discharge", {"reason": "Moved away"})
    assert f"{path}/again" in (await browser.get(path)).text
    form = (await browser.get(f"{path}/again")).text
    assert 'value="MRN-0042"' in form
    assert 'value="+12025550123"' in form
    assert not re.search(r'type="checkbox"[^>]*checked', form)
    done = await _send(browser, **BORN, **PHONE, external_id="MRN-0042", earlier=first.json["id"])
    assert done.status == 303
    (back,) = [one for one in await _all(home) if one["state"] == "enrolled"]
    assert (back["earlier"], back["external_id"]) == (first.json["id"], "MRN-0042")


async def test_only_who_was_discharged_here_is_an_earlier_time(home: Home, patient: Any) -> None:
    for earlier in (patient["id"], str(uuid4())):
        refused = await home.bench.call("POST", "/patients", a_body(earlier=earlier))
        assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/earlier")


async def _join(browser: Browser, kept: str, other: str, **fields: str) -> Answer:
    return await browser.post(f"/console/patients/{kept}/join", other=other, reason="One person, two forms", **fields)


async def test_two_records_of_one_person_are_joined_with_their_number_and_told(home: Home, browser: Browser) -> None:
    kept = (await home.bench.call("POST", "/patients", a_body(**BORN, contacts=[]))).json["id"]
    twin = (await home.bench.call("POST", "/patients", a_body(**BORN, external_id="MRN-7"))).json["id"]
    page = (await browser.get(f"/console/patients/{kept}")).text
    assert "The same person twice?" in page
    await home.bench.said(clear=True)
    assert (await _join(browser, kept, twin, version="1")).status == 303
    left = (await home.bench.call("GET", f"/patients/{twin}")).json
    stays = (await home.bench.call("GET", f"/patients/{kept}")).json
    assert (left["state"], left["joined_into"]) == ("discharged", kept)
    assert (stays["external_id"], stays["contacts"][0]["value"], stays["version"]) == ("MRN-7", "+12025550123", 2)
    assert [consent["how"] for consent in stays["contacts"][0]["consents"]] == ["in person", "in person"]
    said: list[events.Event] = await home.bench.said()
    assert [(event.TYPE, str(getattr(event, "patient", ""))) for event in said] == [
        ("patient.discharged", twin),
        ("patient.changed", kept),
    ]
    page = (await browser.get(f"/console/patients/{kept}")).text
    assert f"/console/patients/{twin}" in page
    assert "One person, two forms" in page
    assert "The same person twice?" not in page
    assert f"/console/patients/{kept}" in (await browser.get(f"/console/patients/{twin}")).text


async def test_a_number_that_is_somebody_elses_is_never_texted_again_because_records_were_joined(
    home: Home, browser: Browser
) -> None:
    kept = (await home.bench.call("POST", "/patients", a_body(**BORN, contacts=[]))).json["id"]
    other = [{"kind": "sms", "value": "+12025550177", "consents": []}]
    twin = (await home.bench.call("POST", "/patients", a_body(**BORN, contacts=[*a_body()["contacts"], *other]))).json
    wrong = next(one for one in twin["contacts"] if one["value"] == "+12025550123")
    said = events.ConsentChanged(
        clinic=home.login.clinic,
        patient=UUID(twin["id"]),
        version=1,
        contact=UUID(wrong["id"]),
        kind="sms",
        purposes=("reminders", "checkins"),
        granted=False,
        how="wrong number",
        at=home.bench.clock.now(),
    )
    await home.bench.tell(said)
    assert (await _join(browser, kept, twin["id"], version="1")).status == 303
    stays = (await home.bench.call("GET", f"/patients/{kept}")).json
    assert [one["value"] for one in stays["contacts"]] == ["+12025550177"]


async def test_a_join_with_a_record_that_had_left_before_is_told_too(home: Home, browser: Browser) -> None:
    kept = (await home.bench.call("POST", "/patients", a_body(**BORN, contacts=[]))).json["id"]
    left = (await home.bench.call("POST", "/patients", a_body(**BORN))).json["id"]
    await home.bench.call("POST", f"/patients/{left}/discharge", {"reason": "Moved away"})
    await home.bench.said(clear=True)
    assert (await _join(browser, kept, left, version="1")).status == 303
    (told,) = await home.bench.said(events.PatientDischarged)
    assert (str(told.patient), str(told.joined_into), told.version) == (left, kept, 3)


async def test_a_record_with_a_session_ahead_is_never_closed_by_a_join(home: Home, browser: Browser) -> None:
    kept = (await home.bench.call("POST", "/patients", a_body(**BORN, contacts=[]))).json["id"]
    twin = (await home.bench.call("POST", "/patients", a_body(**BORN))).json["id"]
    await home.bench.tell(SampleEvents(home.login.clinic, UUID(twin)).session())
    answer = await _join(browser, kept, twin, version="1")
    assert answer.status == 409
    assert "Book them here, cancel them there" in answer.text
    assert (await home.bench.call("GET", f"/patients/{twin}")).json["state"] == "enrolled"


async def test_a_record_is_joined_with_no_other_clinics_nor_itself_nor_without_a_reason(
    home: Home, browser: Browser, patient: Any
) -> None:
    here = patient["id"]
    assert (await _join(browser, here, here, version="1")).status == 422
    assert (await _join(browser, here, str(uuid4()), version="1")).status == 404
    assert (await _join(browser, here, "nonsense", version="1")).status == 422
    twin = (await home.bench.call("POST", "/patients", a_body(**BORN))).json["id"]
    path = f"/console/patients/{here}/join"
    assert (await browser.post(path, other=twin, reason=" ", version="1")).status == 422
    assert (await browser.post(path, other=twin, reason="Same", version="7")).status == 412


async def test_why_staff_did_something_is_shown_with_name_and_time(home: Home, browser: Browser, patient: Any) -> None:
    sample = SampleEvents(home.login.clinic, UUID(patient["id"]))
    booked = sample.session()
    await home.bench.tell(booked)
    path = f"/sessions/{booked.session}/cancel"
    home.owner.answer("POST", path, {**_as_answered(booked), "state": "cancelled", "version": 2})
    done = await browser.post(f"/console{path}", reason="Fever since Sunday", key=str(uuid4()))
    assert done.status == 303, done.text
    await browser.post(f"/console/patients/{patient['id']}/discharge", reason="Moved to Ohio", version="1")
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert "<q>Fever since Sunday</q>" in page
    assert "<q>Moved to Ohio</q>" in page
    assert page.count("Alma Reid, <time") == 2
    async with home.bench.database.reading() as reader:
        rows = await reader.all(select(REASONS))
    assert "Fever" not in repr(rows)


def _as_answered(session: Any) -> dict[str, Any]:
    held = session.model_dump(mode="json")
    return {**held, "id": held["session"]}


async def test_a_program_joins_records_only_with_the_right_to_decide_and_against_the_version_it_knows(
    home: Home, patient: Any
) -> None:
    twin = (await home.bench.call("POST", "/patients", a_body(**BORN))).json["id"]
    path, body = f"/patients/{patient['id']}/join", {"other": twin, "reason": "One person, two forms"}
    writes = home.bench.token(scopes=frozenset({Scope.READ, Scope.WRITE}))
    assert (await home.bench.call("POST", path, body, token=writes)).status == 403
    assert (await home.bench.call("POST", path, body, headers={"If-Match": '"7"'})).status == 412
    joined = await home.bench.call("POST", path, body, headers={"If-Match": '"1"'})
    assert (joined.status, joined.json["version"]) == (200, 2)
    assert (await home.bench.call("GET", f"/patients/{twin}")).json["joined_into"] == patient["id"]
    assert (await home.bench.call("POST", path, body)).status == 409


async def test_a_session_never_shows_two_hours_on_two_pages(home: Home, browser: Browser) -> None:
    there = (await home.bench.call("POST", "/patients", a_body(zone="America/Los_Angeles"))).json["id"]
    session = (
        SampleEvents(home.login.clinic, UUID(there))
        .session()
        .model_copy(update={"starts_at": "2026-12-01T11:00", "zone": "America/Los_Angeles"})
    )
    await home.bench.tell(session)
    page = (await browser.get(f"/console/patients/{there}")).text
    assert "Tue, Dec 1, 2026, 2:00 PM" in page
    assert "11:00 AM" not in page
    assert "Times are by the clinic's clock (America/New York)" in page
    assert "2:00 PM" in (await browser.get("/console/today")).text
    home.owner.answer("PATCH", f"/sessions/{session.session}", {"detail": "no"}, status=409)
    await browser.post(f"/console/sessions/{session.session}/move", starts_at="2026-12-02T10:00")
    assert home.owner.orders[-1][2] == {"starts_at": "2026-12-02T10:00", "zone": "America/New_York"}
