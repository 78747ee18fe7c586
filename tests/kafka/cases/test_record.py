"""A patient's record, on the running stack: what was decided by mistake, written, sent or held twice stays whole."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.support.clinic import PURPOSES, Clinic, Person, clinic

INDUCTION = 6
WORSE = [1, 1, 1, 1, 1, 1, 1, 1, 3]
CALM = [1, 1, 1, 1, 0, 0, 0, 0, 0]
RULE = "interval-ladder-a"


@pytest.fixture(scope="module")
async def shared(servers: Mapping[str, str]) -> AsyncIterator[Clinic]:
    async with clinic(servers) as here:
        yield here


@pytest.fixture
async def here(shared: Clinic) -> AsyncIterator[Clinic]:
    """The clinic that all tests of this file share; none leaves an alert that pages in the next."""
    yield shared
    await shared.close_all()


async def planned(here: Clinic, person: Person) -> None:
    """Start a plan today."""
    today = (await here.at(0, 12)).date().isoformat()
    body = {"protocol": "iv-ketamine", "start_on": today}
    await here.keepwell.post(f"/patients/{person.id}/plans", body, status=201)


async def attended(here: Clinic, person: Person, count: int = 1) -> None:
    """Enter so many sessions that took place, the last one two hours ago."""
    for back in reversed(range(count)):
        at = await here.now() - timedelta(hours=2, days=3 * back)
        booked = await here.book(person, at, entered_afterwards=True)
        await here.keepwell.post(f"/sessions/{booked['id']}/attend")
    await here.settle()


async def plan_of(here: Clinic, person: Person) -> dict[str, Any]:
    await here.settle()
    found: dict[str, Any] = await here.keepwell.get(f"/patients/{person.id}/plan")
    return found


async def newest(here: Clinic, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await here.keepwell.get(f"/patients/{person.id}/proposals"))["items"][0]
    return found


async def decided(here: Clinic, person: Person, days: int) -> dict[str, Any]:
    """Set another interval over the newest proposal."""
    body = {"decision": "change", "interval_days": days, "reason": "Early sign of return."}
    proposal = await newest(here, person)
    path = f"/proposals/{proposal['id']}/decision"
    done: dict[str, Any] = await here.keepwell.post(path, body | {"override_reason": "Seen together with Dr. Cho."})
    await here.settle()
    return done


@pytest.mark.parametrize("door", ["program", "page"])
async def test_an_interval_set_by_a_wrong_click_never_stays(here: Clinic, door: str) -> None:
    person = await here.enrol()
    await planned(here, person)
    await attended(here, person, INDUCTION)
    await here.score(person, CALM)
    before = await plan_of(here, person)
    proposal = await decided(here, person, 21)
    wrong = await plan_of(here, person)
    assert (wrong["interval_days"], wrong["next_due_on"]) != (before["interval_days"], before["next_due_on"])
    why = "Meant for another patient."
    path = f"/proposals/{proposal['id']}/take-back"
    if door == "program":
        status, answer = await here.keepwell.call("POST", path, {"reason": " . "})
        assert (status, answer["errors"][0]["pointer"]) == (422, "/reason"), "nothing is taken back without a word"
        taken = await here.keepwell.post(path, {"reason": why})
        assert (taken["state"], taken["decision"], taken["interval_days"]) == ("taken-back", "change", 21)
        assert taken["taken_back"]["reason"] == why
    else:
        status, page = await here.desk.submit(f"/console/patients/{person.id}", f"/console{path}", reason=why)
        assert status == 200, page
    now = await plan_of(here, person)
    assert (now["interval_days"], now["next_due_on"]) == (before["interval_days"], before["next_due_on"])
    page = await here.patient_page(person)
    assert "Early sign of return." in page, "both states are on record"
    assert f"because: “{why}” It counts no more." in page
    again = await newest(here, person)
    assert again["id"] != proposal["id"]
    await decided(here, person, 14)
    assert (await plan_of(here, person))["interval_days"] == 14, "the same evidence is decided anew"


async def rule(here: Clinic) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in (await here.keepwell.get("/rules"))["items"] if one["id"] == RULE)
    return found


@pytest.mark.parametrize("door", ["program", "page"])
async def test_a_signature_by_mistake_does_not_go_on_proposing(here: Clinic, door: str) -> None:
    signed = await rule(here)
    assert signed["runs"]
    why = "Signed for another clinic."
    if door == "program":
        await here.keepwell.post(f"/rules/{RULE}/withdraw", {"reason": why})
    else:
        action = f"/console/rules/{RULE}/withdraw"
        assert (await here.desk.submit("/console/rules", action, reason=why))[0] == 200
    withdrawn = await rule(here)
    assert (withdrawn["runs"], withdrawn["withdrawn"][-1]["reason"]) == (False, why)
    person = await here.enrol()
    await planned(here, person)
    await here.score(person, CALM)
    assert (await here.keepwell.get(f"/patients/{person.id}/proposals"))["items"] == []
    page = await here.desk.get("/console/rules")
    assert why in page
    assert "off until signed" in page
    if door == "program":
        await here.keepwell.post(f"/rules/{RULE}/sign", {"note": "By the board."})
    else:
        assert (await here.desk.submit("/console/rules", f"/console/rules/{RULE}/sign"))[0] == 200
    assert (await rule(here))["runs"]
    assert why in await here.desk.get("/console/rules"), "both states are on record"
    await here.live(days=1)
    await here.score(person, CALM)
    assert (await here.keepwell.get(f"/patients/{person.id}/proposals"))["items"]


async def mildly_answered(here: Clinic) -> tuple[Person, str, str]:
    """Have somebody with a proposal send a part of a check-in, whose alert is dealt with; return check-in and link."""
    person = await here.enrol()
    await planned(here, person)
    await attended(here, person)
    await here.score(person, CALM)
    checkin, link = await here.ask(person)
    await here.send(link, {"9": 1})
    (mild,) = await here.alerts(person, state="open")
    await here.acknowledge(mild)
    await here.close(mild)
    await here.settle()
    return person, checkin, link


@pytest.mark.parametrize("door", ["program", "phone", "text"])
async def test_no_interval_is_decided_over_a_danger_that_came_after_a_closed_alert(here: Clinic, door: str) -> None:
    person, checkin, link = await mildly_answered(here)
    if door == "program":
        await here.enter(checkin, WORSE)
        await here.settle()
    elif door == "phone":
        await here.send(link, {"9": 3})
    else:
        await here.text(person.number, "no quiero seguir viviendo")
        await here.settle()
    (worse,) = await here.alerts(person, state="open")
    path = f"/proposals/{(await newest(here, person))['id']}/decision"
    body = {"decision": "change", "interval_days": 14, "reason": "Doing well.", "override_reason": "Seen today."}
    for taken in (False, True):
        if taken:
            await here.acknowledge(worse)
        status, answer = await here.keepwell.call("POST", path, body)
        assert (status, "safety alert" in answer["detail"]) == (409, True), answer
        assert "A safety alert is not closed. Close it first" in await here.patient_page(person)
    await here.close(worse)
    await here.settle()
    assert "Close it first" not in await here.patient_page(person), "the hint ends with its cause"
    assert (await decided(here, person, 14))["interval_days"] == 14


async def test_the_same_answer_after_a_closed_alert_holds_up_no_decision(here: Clinic) -> None:
    person, checkin, link = await mildly_answered(here)
    await here.send(link, {"9": 1})
    await here.enter(checkin, [*CALM[:8], 1])
    await here.settle()
    assert (await decided(here, person, 14))["interval_days"] == 14


TWIN: dict[str, Any] = {"family_name": "Rivera-Stone", "birth_date": "1979-05-04"}


async def twins(here: Clinic, given: str) -> tuple[Person, Person]:
    """Enrol one person twice, the second time a day later; return the record that stays, and the other one."""
    other = await here.enrol(given, **TWIN)
    await here.live(days=1)
    contacts = [{"kind": "sms", "value": other.number, "consents": []}]
    body = {"given_name": given, **TWIN, "zone": "America/New_York", "language": "en", "contacts": contacts}
    status, answer = await here.keepwell.call("POST", "/patients", body)
    assert (status, "confirm_duplicate" in answer["detail"]) == (409, True), "named before it is saved"
    return await here.enrol(given, number=other.number, **TWIN, confirm_duplicate=True), other


@pytest.mark.parametrize("door", ["program", "page"])
async def test_half_a_persons_course_is_never_out_of_sight_after_a_join(here: Clinic, door: str) -> None:
    kept, other = await twins(here, "Eva" if door == "program" else "Ada")
    await here.score(other, [2, 2, 2, 2, 2, 2, 2, 2, 0])
    await here.live(days=1)
    await here.score(kept, [1, 1, 1, 1, 1, 1, 1, 1, 0])
    await here.text(kept.number, "Is there parking?")
    await here.settle()
    page = await here.patient_page(kept)
    assert "16 moderately severe" not in page
    assert "from the joined record" not in page
    why = "One person, two forms."
    if door == "program":
        await here.keepwell.post(f"/patients/{kept.id}/join", {"other": other.id, "reason": why})
    else:
        path = f"/console/patients/{kept.id}"
        status, page = await here.desk.submit(path, f"{path}/join", reason=why, other=other.id)
        assert status == 200, page
    await here.settle()
    page = await here.patient_page(kept)
    for told in ("16 moderately severe", "8 mild", "from the joined record", why):
        assert told in page, told
    assert (await here.keepwell.get(f"/patients/{other.id}"))["state"] == "discharged"
    before = (await here.waiting("replies")).count("<q>When is my visit?</q>")
    await here.text(kept.number, "When is my visit?")
    await here.settle()
    assert (await here.waiting("replies")).count("<q>When is my visit?</q>") == before + 1, "one person wrote once"
    await here.text(kept.number, "quiero suicidarme")
    await here.settle()
    assert len(await here.alerts(kept, state="open")) == 1
    assert await here.alerts(other, state="open") == []


async def test_no_words_that_went_out_or_came_in_are_shown_nowhere(here: Clinic) -> None:
    consents = [{"purpose": one, "how": "on paper", "at": "2026-11-01T15:00:00Z"} for one in PURPOSES]
    values = {"sms": "+16465580201", "email": "lia@mail.example"}
    contacts = [{"kind": kind, "value": value, "consents": consents} for kind, value in values.items()]
    person = await here.enrol("Lia", contacts=contacts)
    spanish = await here.enrol("Luz", language="es")
    session = await here.book(person, await here.at(4, 10))
    _, link = await here.ask(Person(person.id, person.name, values["sms"]))
    _, enlace = await here.ask(spanish)
    await here.until(10, 1, days=1)
    written = "Se me olvidó: ¿puedo\ncomer antes? <b>Gracias</b>"
    await here.text(spanish.number, written)
    await here.keepwell.post(f"/sessions/{session['id']}/cancel")
    await here.live(minutes=3)
    mails = [mail for mail in (await here.ledger())["mails"] if values["email"] in mail["to"]]
    for who, number, own in ((person, values["sms"], link), (spanish, spanish.number, enlace)):
        page = await here.patient_page(who)
        assert own.rpartition("/")[2] not in page, "the link is the patient's own"
        for words in await here.to(number):
            assert all(part in page for part in words.split(own)), words
    page = await here.patient_page(person)
    assert mails
    for mail in mails:
        assert mail["subject"] in page
        assert mail["text"].strip().replace("\r\n", "\n") in page, mail
    assert f"<q>{written}</q>" in await here.patient_page(spanish)


async def test_the_reason_for_an_override_or_a_change_of_interval_stands_with_name_and_time(here: Clinic) -> None:
    person = await here.enrol()
    await planned(here, person)
    await attended(here, person)
    await here.score(person, CALM)
    proposal = await newest(here, person)
    typed = {"decision": "change", "interval_days": "14", "reason": "Travels in May."}
    action = f"/console/proposals/{proposal['id']}/decision"
    typed["override_reason"] = "Agreed with Dr. Cho."
    status, page = await here.desk.submit(f"/console/patients/{person.id}", action, **typed)
    assert status == 200, page
    await here.settle()
    for path in (f"/console/patients/{person.id}", "/console/proposals"):
        page = await here.desk.get(path)
        for words in ("Travels in May.", "Agreed with Dr. Cho.", "Changed by Alma Reid"):
            assert words in page, (path, words)
