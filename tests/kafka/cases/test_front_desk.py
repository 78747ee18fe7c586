"""What staff see and enter, on the running stack: a person once, found by what people type, as it was."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.clinic import PURPOSES, ZONE, Clinic, Person, clinic, row_of
from tests.support.tiny_twilio import post_signed

NEW = "/console/patients/new"
FORM = {"language": "en", "zone": ZONE.key}


@pytest.fixture(scope="module")
async def here(servers: Mapping[str, str]) -> AsyncIterator[Clinic]:
    async with clinic(servers) as shared:
        yield shared


async def test_a_score_that_the_rule_needs_is_asked_for_through_an_induction(here: Clinic) -> None:
    person = await here.enrol()
    start = (await here.at(3, 12)).date().isoformat()
    await here.keepwell.post(f"/patients/{person.id}/plans", {"protocol": "iv-ketamine", "start_on": start}, status=201)
    await here.settle()
    await here.until(12)
    (baseline,) = (await here.keepwell.get(f"/patients/{person.id}/checkins"))["items"]
    assert (baseline["occurrence"], baseline["instruments"]) == ("baseline", ["phq-9"]), "before the first session"
    await here.enter(baseline["id"], [2, 2, 2, 2, 2, 2, 2, 2, 0])
    await here.until(11, days=3)
    for gap in (0, 3, 4, 3, 4, 3):
        await here.until(11, days=gap)
        session = await here.book(person, await here.now() - timedelta(hours=1), entered_afterwards=True)
        await here.keepwell.post(f"/sessions/{session['id']}/attend")
        await here.settle()
        proposals = (await here.keepwell.get(f"/patients/{person.id}/proposals"))["items"]
        assert all(reason["text"] for one in proposals for reason in one["reasons"]), "a hold names what is missing"
    await here.live(days=7)
    asked = (await here.keepwell.get(f"/patients/{person.id}/checkins?limit=100"))["items"]
    measures = [one for one in asked if "phq-9" in one["instruments"]]
    assert len(measures) >= 4, "later sessions push none away"
    assert (await here.keepwell.get(f"/patients/{person.id}/plan"))["phase"] == "maintenance"


@pytest.mark.parametrize("ago", [timedelta(minutes=3), timedelta(days=1)])
async def test_what_took_place_can_be_entered_and_reminds_nobody(here: Clinic, ago: timedelta) -> None:
    person = await here.enrol()
    await here.until(11, 3, days=1)
    at = (await here.now()) - ago
    path = f"/console/patients/{person.id}"
    typed = {"starts_at": at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M"), "minutes": "60", "kind": "treatment"}
    status, page = await here.desk.submit(path, f"{path}/sessions", **typed)
    assert status == 422
    assert "It took place already: nobody is reminded" in page, "said aloud"
    status, page = await here.desk.submit(path, f"{path}/sessions", **typed, entered_afterwards="yes")
    assert (status, "The session is booked." in page) == (200, True)
    (session,) = await here.sessions(person)
    await here.keepwell.post(f"/sessions/{session['id']}/attend")
    await here.live(days=1, hours=2)
    texts = await here.to(person.number)
    assert not any("your visit is on" in words for words in texts)
    assert any("/c/" in words for words in texts), "check-ins as ever"
    far = {"patient": person.id, "starts_at": "2026-09-01T10:00", "minutes": 60, "entered_afterwards": True}
    status, answer = await here.keepwell.call("POST", "/sessions", far)
    assert (status, "last 30 days" in answer["errors"][0]["detail"]) == (422, True), "up to a limit"


async def test_a_double_click_never_makes_two_patients(here: Clinic) -> None:
    page = await here.desk.get(NEW)
    held = dict(re.findall(r'name="(csrf|key)" value="([^"]*)"', page))
    typed = held | FORM | {"given_name": "Uma", "family_name": "Twice", "birth_date": "1984-06-17"}
    await asyncio.gather(*(here.desk.post(NEW, typed) for _ in range(2)))
    assert len((await here.keepwell.get("/patients?q=Uma%20Twice"))["items"]) == 1
    status, shown = await here.desk.submit(NEW, NEW, **{name: typed[name] for name in typed if name not in held})
    assert status == 409
    assert "Same name and birth date." in shown
    confirmed = re.search(r'name="confirmed" value="([\w -]+)"', shown)
    assert confirmed is not None
    again = {name: typed[name] for name in typed if name not in held} | {"confirmed": confirmed[1]}
    assert (await here.desk.submit(NEW, NEW, **again))[0] == 200
    assert len((await here.keepwell.get("/patients?q=Uma%20Twice"))["items"]) == 2
    body = {"given_name": "Uma", "family_name": "Twice", "birth_date": "1984-06-17", **FORM}
    contacts = [{"kind": "sms", "value": "+16465580090", "consents": []}]
    assert (await here.keepwell.call("POST", "/patients", body | {"contacts": contacts}))[0] == 201
    status, answer = await here.keepwell.call("POST", "/patients", body | {"contacts": contacts})
    assert (status, "confirm_duplicate" in answer["detail"]) == (409, True)


FOUND = {
    "José Muñoz": ("jose munoz", "Jose", "munoz, jose", "+1 646-558-0081", "(646) 558-0081", "0081"),
    "Sean O\u2019Connor": ("O'Connor", "oconnor", "sean o\u2019connor"),
    "Nora O'Brien": ("O\u2019Brien", "O'Brien"),
    "Sukarno": ("sukarno",),
}


async def test_a_patient_on_the_list_is_never_found_by_nobody(here: Clinic) -> None:
    people: dict[str, Person] = {}
    for index, name in enumerate(FOUND):
        given, _, family = name.partition(" ")
        people[name] = await here.enrol(given, family_name=family, number=f"+1646558008{index + 1}")
    for name, queries in FOUND.items():
        for typed in queries:
            found = (await here.keepwell.get(f"/patients?q={quote(typed)}"))["items"]
            assert name in {f"{one['given_name']} {one['family_name']}".strip() for one in found}, typed
            _, page = await here.desk.submit("/console/patients", "/console/patients", q=typed)
            assert f'href="/console/patients/{people[name].id}"' in page, typed


async def test_a_name_that_cannot_be_seen_is_none_and_one_that_turns_around_stays_in_its_row(here: Clinic) -> None:
    for name in ("\u202e", "\u200b\u200b"):
        status, answer = await here.keepwell.call("POST", "/patients", {"given_name": name, **FORM})
        assert (status, answer["errors"][0]["pointer"]) == (422, "/given_name")
        assert (await here.desk.submit(NEW, NEW, given_name=name, **FORM))[0] == 422
    turned = await here.enrol("\u202eayaM")
    assert turned.name.startswith("ayaM")
    assert f"<bdi>{turned.name}</bdi>" in await here.patient_page(turned)


async def test_who_comes_back_is_neither_turned_away_nor_thought_reachable(here: Clinic) -> None:
    person = await here.enrol(external_id="MRN-0042")
    await here.text(person.number, "please stop texting me")
    await here.settle()
    await here.keepwell.post(f"/patients/{person.id}/discharge", {"reason": "Moved away."})
    await here.settle()
    consents = [{"purpose": one, "how": "in person", "at": (await here.now()).isoformat()} for one in PURPOSES]
    contacts = [{"kind": "sms", "value": person.number, "consents": consents}]
    body = {"given_name": "Pat", "family_name": "Back", **FORM, "external_id": "MRN-0042", "contacts": contacts}
    back = await here.keepwell.post("/patients", body, status=201)
    assert back["earlier"] == person.id
    await here.settle()
    page = await here.desk.get(f"/console/patients/{back['id']}")
    assert f"/console/patients/{person.id}" in page, "tied to the episode before"
    shown = page.partition('id="contacts"')[2].partition("</section>")[0]
    assert "it asked for no more texts" in shown
    assert "carrier blocks" not in shown, "nobody knows of a block"
    assert "when they text START from it" in shown, "who can lift it"
    await here.keepwell.post("/checkins", {"patient": back["id"], "instruments": ["phq-9"]}, status=201)
    await here.settle()
    messages = (await here.keepwell.get(f"/patients/{back['id']}/messages"))["items"]
    assert [(one["state"], one["reason"]) for one in messages] == [("withheld", "opted_out")]


async def test_mail_that_bounced_never_looks_as_if_it_had_arrived(here: Clinic) -> None:
    consents = [{"purpose": one, "how": "on paper", "at": "2026-11-01T15:00:00Z"} for one in PURPOSES]
    person = await here.enrol(contacts=[{"kind": "email", "value": "name@gmial.com", "consents": consents}])
    for days in (2, 4, 7, 9):
        await here.book(person, await here.at(days, 10))
    await here.until(10, 30, days=1)
    mailed = [mail for mail in (await here.ledger())["mails"] if "name@gmial.com" in mail["to"]]
    assert len(mailed) == 2, "of the first its last reminder, of the second its first"
    page = await here.patient_page(person)
    assert "Mail shown as sent was taken by the mail server, and may still come back." in page
    contact = (await here.keepwell.get(f"/patients/{person.id}"))["contacts"][0]["id"]
    action = f"/console/patients/{person.id}/contacts/{contact}/bad"
    status, _ = await here.desk.submit(f"/console/patients/{person.id}", action, reason="It came back today.")
    assert status == 200
    await here.settle()
    assert person.name in row_of(await here.waiting("contacts"), person.name)
    before = len((await here.ledger())["mails"])
    await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await here.settle()
    assert len((await here.ledger())["mails"]) == before


async def test_after_a_dead_number_the_next_channel_takes_over(here: Clinic) -> None:
    consents = [{"purpose": one, "how": "on paper", "at": "2026-11-01T15:00:00Z"} for one in PURPOSES]
    values = {"sms": "+16465580095", "email": "dee@mail.example"}
    contacts = [{"kind": kind, "value": value, "consents": consents} for kind, value in values.items()]
    person = await here.enrol("Dee", contacts=contacts)
    lost = {"to": values["sms"], "marks": ["callbacks-lost"], "times": 1}
    async with here.keepwell.http.post(f"{here.sandbox}/sandbox/faults", json=lost) as ordered:
        assert ordered.status == 204
    await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await here.settle()
    (text,) = await here.sent(values["sms"])
    report = {"MessageSid": text["sid"], "MessageStatus": "undelivered", "ErrorCode": "30006"}
    assert (await post_signed(text["status_callback"], report))[0] == 204
    await here.settle()
    await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await here.settle()
    assert len(await here.sent(values["sms"])) == 1
    assert [mail for mail in (await here.ledger())["mails"] if values["email"] in mail["to"]]
    assert person.name in row_of(await here.waiting("contacts"), person.name)


async def test_a_true_answer_and_another_coding_do_not_look_the_same(here: Clinic) -> None:
    async with here.keepwell.http.get(f"{here.keepwell.base}/api/openapi.json") as answer:
        described = (await answer.json())["components"]["schemas"]["NewAnswers"]["properties"]
    assert "0 not at all, 1 several days" in described["answers"]["description"]
    assert "coded from 1" in described["answers"]["description"]
    assert described["answers"]["examples"]
    person = await here.enrol()
    opened = await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await here.settle()
    form = await here.desk.get(f"/console/checkins/{opened['id']}/answers")
    assert "Several days" in form, "the form says what 1 means before it is kept"
    path = f"/checkins/{opened['id']}/answers"
    for answers in ([4] * 9, [1] * 9 + [3], [1] * 8):
        body: dict[str, Any] = {"instrument": "phq-9", "answers": answers, "entered_by": "Nurse"}
        status, refused = await here.keepwell.call("POST", path, body)
        assert status == 422, answers
        assert refused["errors"], answers
    body = {"instrument": "phq-9", "answers": [0] * 9, "difficulty": 2, "entered_by": "Nurse"}
    entered = await here.keepwell.post(path, body)
    assert (entered["total"], entered["answers"]["difficulty"]) == (0, 2), "difficulty has its own name"


NUMBERS = (
    ("1-800-FLOWERS", "toll-free"),
    ("+1 900 234 5678", "premium"),
    ("(242) 359-1234", "Bahamas"),
    ("+1 212 976 1234", "premium"),
    ("+870 773 123456", "satellite"),
)


async def test_a_number_that_takes_no_texts_or_costs_by_the_message_is_refused_with_the_reason(here: Clinic) -> None:
    for number, why in NUMBERS:
        body = {"given_name": "Nan", **FORM, "contacts": [{"kind": "sms", "value": number}]}
        status, answer = await here.keepwell.call("POST", "/patients", body)
        assert (status, answer["errors"][0]["pointer"]) == (422, "/contacts/0/value"), number
        assert why in answer["errors"][0]["detail"], number
        status, page = await here.desk.submit(NEW, NEW, given_name="Nan", **FORM, sms=number)
        assert (status, why in page) == (422, True), number


async def test_staff_never_read_machine_language(here: Clinic) -> None:
    person = await here.enrol()
    status, page = await here.desk.look("/console/nothing/here")
    assert status == 404
    assert "<h1>" in page
    assert "/console/today" in page, "with a way on"
    path = f"/console/patients/{person.id}"
    past = {"starts_at": "2026-09-20T10:00", "minutes": "60", "kind": "treatment"}
    status, page = await here.desk.submit(path, f"{path}/sessions", **past)
    assert status == 422
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.sub(r"<[^>]*>", "", page)), "times in words"
    words = {"starts_at": (await here.at(3, 10)).strftime("%Y-%m-%dT%H:%M"), "minutes": "an hour", "kind": "treatment"}
    status, page = await here.desk.submit(path, f"{path}/sessions", **words)
    assert status == 422
    assert "valid integer" not in page
    odd = {"starts_at": (await here.at(3, 3)).strftime("%Y-%m-%dT%H:%M"), "minutes": "60", "kind": "treatment"}
    status, page = await here.desk.submit(path, f"{path}/sessions", **odd)
    assert (status, "This hour is meant" in page) == (422, True)
    assert (await here.desk.submit(path, f"{path}/sessions", **odd, odd_hour="yes"))[0] == 200


async def test_nobody_is_missed_before_their_time(here: Clinic) -> None:
    person = await here.enrol()
    at = await here.at(1, 10)
    session = await here.book(person, at)
    await here.keepwell.live_until(at - timedelta(minutes=4))
    assert f"/console/sessions/{session['id']}/miss" not in await here.patient_page(person)
    status, answer = await here.keepwell.call("POST", f"/sessions/{session['id']}/miss")
    assert (status, "type" in answer) == (409, True)


async def test_every_printed_page_says_whose_it_is(here: Clinic) -> None:
    person = await here.enrol("Ida", birth_date="1984-06-17")
    for path in (f"/console/patients/{person.id}", f"/console/patients/{person.id}/change"):
        page = await here.desk.get(path)
        printed = page[page.index("<strong><bdi>") :][:200]
        assert person.name in printed
        assert "1984" in printed


async def test_why_staff_did_something_stands_where_the_next_reader_looks(here: Clinic) -> None:
    person = await here.enrol()
    session = await here.book(person, await here.at(3, 10))
    path = f"/console/patients/{person.id}"
    action = f"/console/sessions/{session['id']}/cancel"
    await here.settle()
    assert (await here.desk.submit(path, action, reason="Fever since Sunday."))[0] == 200
    status, page = await here.desk.submit(path, f"{path}/discharge", reason="Moved to Ohio.")
    assert status == 200
    for reason in ("Fever since Sunday.", "Moved to Ohio."):
        assert f"<q>{reason}</q>" in page
    assert "Alma Reid" in page.partition('id="reasons"')[2]
