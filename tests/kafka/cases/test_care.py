"""Between sessions, on the running stack: no decision over a danger, nobody out of sight, no wrong record."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.support.clinic import Clinic, Person, clinic, row_of

DEPRESSED = [2, 2, 2, 2, 2, 2, 2, 2, 2]
NO_WAY_OUT = "We cannot open this link"
NEVER_WITHOUT = ("988", "911", "+12025550100")


@pytest.fixture(scope="module")
async def shared(servers: Mapping[str, str]) -> AsyncIterator[Clinic]:
    async with clinic(servers) as here:
        yield here


@pytest.fixture
async def here(shared: Clinic) -> AsyncIterator[Clinic]:
    """The clinic that all tests of this file share; none leaves an alert that pages in the next."""
    yield shared
    await shared.close_all()


async def planned(here: Clinic, person: Person) -> dict[str, Any]:
    """Start a plan today."""
    today = (await here.at(0, 12)).date().isoformat()
    plan: dict[str, Any] = await here.keepwell.post(
        f"/patients/{person.id}/plans", {"protocol": "iv-ketamine", "start_on": today}, status=201
    )
    await here.settle()
    return plan


async def plan_of(here: Clinic, person: Person) -> dict[str, Any]:
    await here.settle()
    found: dict[str, Any] = await here.keepwell.get(f"/patients/{person.id}/plan")
    return found


async def attended(here: Clinic, person: Person) -> dict[str, Any]:
    """Enter a session that took place two hours ago as attended."""
    booked = await here.book(person, await here.now() - timedelta(hours=2), entered_afterwards=True)
    done: dict[str, Any] = await here.keepwell.post(f"/sessions/{booked['id']}/attend")
    await here.settle()
    return done


async def test_twelve_weeks_are_not_set_over_an_open_alert(here: Clinic) -> None:
    person = await here.enrol()
    await planned(here, person)
    await attended(here, person)
    await here.score(person, DEPRESSED)
    (alert,) = await here.alerts(person, state="open")
    newest = (await here.keepwell.get(f"/patients/{person.id}/proposals"))["items"][0]
    path = f"/proposals/{newest['id']}/decision"
    longer = {"decision": "change", "interval_days": 84, "reason": "Doing well."}
    ways: list[dict[str, Any]] = [
        {"decision": "approve"},
        longer,
        {"decision": "change", "interval_days": newest["from_days"], "reason": "Keep it."},
        {"decision": "refuse", "reason": "Not now."},
        longer | {"override_reason": "I say so."},
    ]
    for taken in (False, True):
        if taken:
            await here.acknowledge(alert)
        for way in ways:
            status, answer = await here.keepwell.call("POST", path, way)
            assert (status, "safety alert" in answer["detail"]) == (409, True), (way, answer)
    page = await here.patient_page(person)
    assert "A safety alert is not closed. Close it first" in page
    await here.close(alert)
    await here.settle()
    assert "Close it first" not in await here.patient_page(person), "the hint ends with its cause"
    now = (await here.keepwell.get(f"/patients/{person.id}/proposals"))["items"][0]
    path = f"/proposals/{now['id']}/decision"
    status, answer = await here.keepwell.call("POST", path, longer)
    assert status == 422, answer
    said = answer["errors"][0]["detail"]
    for against in ("Induction is not complete", "more than one step", "84 days is above 28"):
        assert against in said
    status, answer = await here.keepwell.call("POST", path, longer | {"override_reason": "Agreed with Dr. Cho."})
    assert status == 200, answer
    await here.settle()
    assert "Agreed with Dr. Cho." in await here.patient_page(person), "the reason is visible"


SETTINGS: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"crisis": {"en": "call us", "es": "llame al 988"}},
        {"crisis-en": "call us"},
    ),
    ({"crisis": {"en": "call 988", "es": "llámenos"}}, {"crisis-es": "llámenos"}),
    ({"sender_name": "Ketamine Clinic"}, {"sender_name": "Ketamine Clinic"}),
    ({"sender_name": "Mindful TMS Center"}, {"sender_name": "Mindful TMS Center"}),
    ({"quiet_from": "00:00", "quiet_until": "23:59"}, {"quiet_from": "00:00", "quiet_until": "23:59"}),
    ({"quiet_until": "21:30"}, {"quiet_until": "21:30"}),
]


@pytest.mark.parametrize(("changes", "typed"), SETTINGS, ids=lambda one: next(iter(one)))
async def test_a_setting_that_harms_is_not_saved_by_any_door(
    here: Clinic, changes: dict[str, Any], typed: dict[str, str]
) -> None:
    before = await here.keepwell.get("/clinic")
    status, answer = await here.keepwell.call("PATCH", "/clinic", changes)
    assert status == 422, answer
    page = await here.desk.get("/console/settings/change")
    held = {"name": before["name"], "sender_name": before["sender_name"], "zone": before["zone"]}
    held |= {"phone": before["phone"], "quiet_from": before["quiet_from"], "quiet_until": before["quiet_until"]}
    held |= {f"crisis-{language}": words for language, words in before["crisis"].items()}
    held |= {"oncall-0": "+12025550199", "oncall-0-kind": "sms"}
    assert "Why before 8 AM or after 9 PM" in page
    status, page = await here.desk.submit("/console/settings/change", "/console/settings/change", **(held | typed))
    assert status == 422
    assert "Nothing was saved yet" in page
    assert await here.keepwell.get("/clinic") == before


async def test_hours_beyond_the_usual_need_a_reason_that_stands_to_be_read(here: Clinic) -> None:
    before = await here.keepwell.get("/clinic")
    reason = "Our patients work nights and asked for it."
    changes = {"quiet_until": "22:00", "hours_reason": reason}
    status, answer = await here.keepwell.call("PATCH", "/clinic", changes)
    assert status == 200, answer
    assert reason in await here.desk.get("/console/settings")
    status, answer = await here.keepwell.call("PATCH", "/clinic", {"quiet_until": before["quiet_until"]})
    assert status == 200, answer


async def test_a_session_nobody_recorded_never_takes_the_safety_questions_with_it(here: Clinic) -> None:
    person = await here.enrol()
    await planned(here, person)
    at = await here.at(0, 10, 30) if (await here.now()) < await here.at(0, 10) else await here.at(1, 10, 30)
    session = await here.book(person, at)
    await here.keepwell.live_until(at + timedelta(hours=2))
    assert row_of(await here.waiting("unrecorded"), person.name) == "", "it stands among the day's sessions still"
    await here.until(9, days=1)
    row = row_of(await here.waiting("unrecorded"), person.name)
    assert "22 h ago" in row
    assert "Attended" in row
    assert "Missed" in row
    assert "Sessions to record" in await here.desk.get("/console/today")
    await here.until(9, days=5)
    assert "5 days ago" in row_of(await here.waiting("unrecorded"), person.name)
    done = await here.keepwell.post(f"/sessions/{session['id']}/attend")
    assert {"day-1", "day-3"} <= set(done["not_asked"])
    await here.settle()
    checkins = (await here.keepwell.get(f"/patients/{person.id}/checkins"))["items"]
    late = [one for one in checkins if one["session"] == session["id"]]
    assert any("post-session" in one["instruments"] for one in late), "what is still useful is asked at once"
    before = {one["id"] for one in checkins}
    await here.live(days=2)
    asked = (await here.keepwell.get(f"/patients/{person.id}/checkins"))["items"]
    measures = [one for one in asked if "phq-9" in one["instruments"] and one["id"] not in before]
    assert measures, "and the week's measure comes in its time"
    assert "Recorded too late to ask" in await here.patient_page(person)
    assert row_of(await here.waiting("unrecorded"), person.name) == ""


async def test_a_patient_due_and_not_booked_does_not_drop_out_of_sight(here: Clinic) -> None:
    longest, later = await here.enrol("Lou"), await here.enrol("Max")
    await planned(here, longest)
    await here.live(days=2)
    await planned(here, later)
    await here.live(days=3)
    due = await here.waiting("due")
    assert due.index(longest.name) < due.index(later.name), "the oldest first"
    assert "5 days overdue" in row_of(due, longest.name)
    assert f"/console/patients/{longest.id}#book" in row_of(due, longest.name)
    assert "Sessions to book" in await here.desk.get("/console/today")
    await here.book(longest, await here.at(1, 10))
    await here.settle()
    assert row_of(await here.waiting("due"), longest.name) == ""


async def test_a_patient_who_came_late_does_not_stay_missed(here: Clinic) -> None:
    person = await here.enrol()
    await planned(here, person)
    at = await here.at(1, 10)
    session = await here.book(person, at)
    await here.keepwell.live_until(at + timedelta(minutes=10))
    await here.keepwell.post(f"/sessions/{session['id']}/miss")
    await here.settle()
    await here.keepwell.live_until(at + timedelta(minutes=25))
    typed = {"state": "attended", "reason": "Came at 10:25."}
    action = f"/console/sessions/{session['id']}/correct"
    status, page = await here.desk.submit(f"/console/patients/{person.id}", action, **typed)
    assert (status, "The record is corrected" in page) == (200, True), page
    (kept,) = (await here.keepwell.get(f"/sessions/{session['id']}/corrections"))["items"]
    assert (kept["before"], kept["after"], kept["by"], kept["reason"]) == (
        "missed",
        "attended",
        "Alma Reid",
        "Came at 10:25.",
    )
    assert (await plan_of(here, person))["attended"] == 1
    page = await here.patient_page(person)
    assert "Came at 10:25." in page
    asked = len(await here.links(person.number))
    await here.live(days=1)
    assert len(await here.links(person.number)) > asked, "the next day's check-in goes out"


async def test_the_wrong_patient_is_neither_counted_nor_asked(here: Clinic) -> None:
    wrong = await here.enrol("Wil")
    await planned(here, wrong)
    before = await plan_of(here, wrong)
    at = await here.at(1, 10)
    session = await here.book(wrong, at)
    await here.keepwell.live_until(at + timedelta(minutes=5))
    await here.keepwell.post(f"/sessions/{session['id']}/attend")
    assert (await plan_of(here, wrong))["attended"] == 1
    body = {"state": "missed", "reason": "Recorded for the wrong patient."}
    corrected = await here.keepwell.post(f"/sessions/{session['id']}/correct", body)
    assert corrected["state"] == "missed"
    now = await plan_of(here, wrong)
    assert (now["attended"], now["next_due_on"]) == (0, before["next_due_on"])
    asked = await here.links(wrong.number)
    await here.live(days=3)
    assert await here.links(wrong.number) == asked


async def test_a_proposal_built_on_the_wrong_record_does_not_stand(here: Clinic) -> None:
    person = await here.enrol()
    await planned(here, person)
    first = await attended(here, person)
    await here.score(person, [2, 2, 2, 2, 2, 1, 1, 0, 0])
    await here.keepwell.post(f"/sessions/{first['id']}/correct", {"state": "missed", "reason": "It was Bob."})
    await here.settle()
    proposals = (await here.keepwell.get(f"/patients/{person.id}/proposals"))["items"]
    assert [one["state"] for one in proposals].count("held") <= 1
    assert all(one["state"] in {"superseded", "held"} for one in proposals)


async def test_a_strangers_answers_never_enter_the_chart(here: Clinic) -> None:
    person = await here.enrol()
    checkin, old = await here.ask(person)
    _, shown = await here.page(old)
    new = f"+1646559{person.number[-4:]}"
    consents = [{"purpose": "checkins", "how": "by phone", "at": (await here.now()).isoformat()}]
    contacts = [{"kind": "sms", "value": new, "consents": consents}]
    status, answer = await here.keepwell.call("PATCH", f"/patients/{person.id}", {"contacts": contacts})
    assert status == 200, answer
    await here.settle()
    status, page = await here.page(old)
    assert status == 404
    assert person.name not in page
    assert "Pat" not in page
    assert (await here.send(old, {"9": 3}, shown=shown))[0] == 404
    assert await here.alerts(person) == []
    assert (await here.keepwell.get(f"/patients/{person.id}/scores"))["items"] == []
    (link,) = await here.links(new)
    assert (await here.page(link))[0] == 200
    assert (await here.keepwell.get(f"/checkins/{checkin}"))["state"] == "open"


async def test_who_says_that_the_number_is_wrong_is_not_shown_as_stop(here: Clinic) -> None:
    person = await here.enrol()
    _, link = await here.ask(person)
    await here.text(person.number, "wrong number, this is not Pat")
    await here.settle()
    row = row_of(await here.waiting("replies"), "wrong number, this is not Pat")
    assert "wrong number</span>" in row
    assert "no more texts" not in row
    assert (await here.page(link))[0] == 404
    before = len(await here.to(person.number))
    await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await here.settle()
    assert len(await here.to(person.number)) == before, "a stranger gets nothing more of theirs"
    assert row_of(await here.waiting("contacts"), person.name), "and staff put the number right"


async def test_a_machine_that_looks_at_links_answers_nothing(here: Clinic) -> None:
    person = await here.enrol()
    checkin, link = await here.ask(person)
    async with here.keepwell.http.head(link) as looked:
        assert looked.status == 200
    await here.send(link, {})
    assert (await here.keepwell.get(f"/checkins/{checkin}"))["state"] == "open"
    assert await here.alerts(person) == []


async def test_a_score_that_a_machine_made_never_keeps_the_patient_from_answering(here: Clinic) -> None:
    person = await here.enrol()
    checkin, link = await here.ask(person)
    await here.live(seconds=2)
    every_last = {str(item): 3 for item in range(1, 10)} | {"difficulty": 3}
    await here.send(link, every_last)
    (score,) = (await here.keepwell.get(f"/patients/{person.id}/scores"))["items"]
    assert (score["total"], score["seconds_after_delivery"], score["quick"]) == (27, 2, True)
    page = await here.patient_page(person)
    assert "Answered 2 s after the link arrived: a program that looks at links may have done it." in page
    assert await here.alerts(person, state="open"), "kept and paged, for it may be a person"
    action = f"/console/checkins/{checkin}/results/{score['id']}/void"
    typed = {"reason": "A mail scanner filled it in."}
    status, page = await here.desk.submit(f"/console/patients/{person.id}", action, **typed)
    assert (status, "A new link is on its way to the patient" in page) == (200, True)
    await here.settle()
    new = (await here.links(person.number))[-1]
    assert new != link
    status, page = await here.send(new, {str(item): 1 for item in range(1, 9)} | {"9": 0})
    assert (status, "Your answers are saved." in page) == (200, True)
    scores = (await here.keepwell.get(f"/patients/{person.id}/scores"))["items"]
    counting = [one["total"] for one in scores if one["voided"] is None]
    assert counting == [8]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_broken_link_leaves_nobody_alone(here: Clinic, method: str) -> None:
    person = await here.enrol()
    _, link = await here.ask(person)
    async with here.keepwell.http.request(method, link[:-1], data={"q-9": "3"} if method == "POST" else None) as shown:
        assert shown.status == 404
        page = await shown.text()
    assert NO_WAY_OUT in page
    assert all(number in page for number in NEVER_WITHOUT), page
