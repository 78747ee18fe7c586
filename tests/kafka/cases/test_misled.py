"""What patients are told, on the running stack: no old time, no false thanks, nobody else's visit."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.clinic import PURPOSES, ZONE, Clinic, Person, clinic, gathered, row_of

LOS_ANGELES = "America/Los_Angeles"
ALL_FINE = {str(item): 0 for item in range(1, 10)}
THANKS = "Your answers are saved. Your clinic looks at them"


@pytest.fixture(scope="module")
async def shared(servers: Mapping[str, str]) -> AsyncIterator[Clinic]:
    async with clinic({**servers, "KEEPWELL_SMTP_FROM": "Riverside <no-reply@clinic.example>"}) as here:
        yield here


@pytest.fixture
async def here(shared: Clinic) -> AsyncIterator[Clinic]:
    """The clinic that all tests of this file share; none leaves an alert that pages in the next."""
    yield shared
    await shared.close_all()


def said(at: datetime) -> str:
    """Return an instant as texts name it: `Tuesday, December 15 at 10:00 AM`."""
    there = at.astimezone(ZONE)
    return f"{there:%A, %B} {there.day} at {there:%I:%M %p}".replace(" at 0", " at ")


async def told(here: Clinic, count: int, *, visits: int = 1) -> tuple[list[Person], list[list[dict[str, Any]]]]:
    """Have so many people reminded of their visits at ten: of the first one day before, of a second three days before.

    It is three in the afternoon of the day before the first, which is two days before the second.
    """
    people = await here.enrol_each(range(count))
    days = (2, 4, 5, 6, 7)[:visits]
    booked = [[await here.book(person, await here.at(day, 10)) for day in days] for person in people]
    await here.until(15, days=1)
    return people, booked


async def after(here: Clinic, person: Person, before: int) -> list[str]:
    """Live two minutes on and return what came."""
    await here.live(minutes=2)
    return (await here.to(person.number))[before:]


async def test_nobody_is_left_with_the_old_time(here: Clinic) -> None:
    people, booked = await told(here, 7)
    later, tonight, off, agreed, twice, by_page, stopped = people
    sessions = [each[0] for each in booked]
    before = {person.number: len(await here.to(person.number)) for person in people}
    assert set(before.values()) == {1}, "each was reminded once"
    tomorrow, today = await here.at(1, 14), await here.at(0, 18)
    old = datetime.fromisoformat(sessions[0]["starts_at_utc"])

    async def move(session: dict[str, Any], at: datetime) -> None:
        body = {"starts_at": at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")}
        status, answer = await here.keepwell.call("PATCH", f"/sessions/{session['id']}", body)
        assert status == 200, answer

    await here.text(agreed.number, "C")
    await here.text(stopped.number, "STOP")
    await here.settle()
    before[agreed.number] += 1
    await move(sessions[0], tomorrow)
    await move(sessions[1], today)
    await here.keepwell.post(f"/sessions/{sessions[2]['id']}/cancel", {"reason": "The doctor is ill."})
    await move(sessions[3], tomorrow)
    await move(sessions[4], tomorrow)
    await here.live(seconds=30)
    await move(sessions[4], today)
    typed = {"starts_at": tomorrow.strftime("%Y-%m-%dT%H:%M")}
    action = f"/console/sessions/{sessions[5]['id']}/move"
    _, page = await here.desk.submit(f"/console/patients/{by_page.id}", action, **typed)
    assert "The patient was told the old time; the new one goes out within two minutes." in page
    await here.keepwell.post(f"/sessions/{sessions[6]['id']}/cancel")
    await here.live(minutes=2)
    came = {person.number: (await here.to(person.number))[before[person.number] :] for person in people}
    for person, words in (
        (later, f"has moved to {said(tomorrow)}"),
        (tonight, f"has moved to {said(today)}"),
        (off, f"your visit on {said(old)} will not take place"),
        (agreed, f"has moved to {said(tomorrow)}"),
        (twice, f"has moved to {said(today)}"),
        (by_page, f"has moved to {said(tomorrow)}"),
    ):
        (text,) = came[person.number]
        assert words in text
    assert came[stopped.number] == []
    calls = (await here.desk.get("/console/today")).partition('id="calls"')[2]
    assert stopped.name in row_of(calls, stopped.name), "staff are asked to call where no message can come"


async def test_a_change_that_cannot_be_told_in_time_is_not_left_to_chance(here: Clinic) -> None:
    people, booked = await told(here, 1)
    await here.until(22)
    early = (await here.at(1, 7, 30)).strftime("%Y-%m-%dT%H:%M")
    action = f"/console/sessions/{booked[0][0]['id']}/move"
    _, page = await here.desk.submit(f"/console/patients/{people[0].id}", action, starts_at=early)
    assert "please call them" in page
    assert await after(here, people[0], 1) == []
    calls = (await here.desk.get("/console/today")).partition('id="calls"')[2]
    assert row_of(calls, people[0].name)


async def states(here: Clinic, person: Person) -> list[str]:
    await here.settle()
    found = sorted(await here.sessions(person), key=lambda one: one["starts_at_utc"])
    return [one["state"] for one in found]


async def test_a_second_yes_is_never_spent_on_a_visit_already_agreed(here: Clinic) -> None:
    (two, both, thursday, all_five, nods), _ = await told(here, 5, visits=5)
    await here.until(10, 1, days=3)
    at_first = await states(here, two)
    assert at_first[:1] == ["booked"]
    for words in ("C", "C"):
        await here.text(two.number, words)
        await here.settle()
    assert [one for one in await states(here, two) if one == "confirmed"] == ["confirmed"] * 2
    texts = await here.to(two.number)
    named = [re.search(r"we expect you on (\w+, \w+ \d+ at [\d:]+ [AP]M)", words) for words in texts]
    days = [found[1] for found in named if found]
    assert len(days) == len(set(days)) == 2, "each answer names its own day"
    assert any("Not confirmed yet" in words for words in texts), "and what is left"
    await here.text(both.number, "C both")
    assert (await states(here, both)).count("confirmed") >= 2
    ahead = [one for one in await here.sessions(thursday) if one["starts_at_utc"] > (await here.now()).isoformat()]
    chosen = sorted(ahead, key=lambda one: one["starts_at_utc"])[1]
    day = datetime.fromisoformat(chosen["starts_at"]).strftime("%A").lower()
    await here.text(thursday.number, f"C {day}")
    await here.settle()
    confirmed = [one["id"] for one in await here.sessions(thursday) if one["state"] == "confirmed"]
    assert confirmed == [chosen["id"]]
    for _ in range(3):
        await here.text(all_five.number, "C")
        await here.settle()
    assert (await states(here, all_five)).count("confirmed") == 3
    await here.text(nods.number, "no")
    assert "confirmed" not in await states(here, nods)


async def test_ten_o_clock_never_means_two_instants(here: Clinic) -> None:
    person = await here.enrol(zone=LOS_ANGELES)
    at = await here.at(9, 10)
    by_program = await here.book(person, at)
    await here.keepwell.post(f"/sessions/{by_program['id']}/cancel")
    typed = {"starts_at": at.strftime("%Y-%m-%dT%H:%M"), "minutes": "60", "kind": "treatment"}
    path = f"/console/patients/{person.id}"
    status, page = await here.desk.submit(path, f"{path}/sessions", **typed)
    assert status == 200
    assert "Times are by the clinic's clock" in page
    booked = await here.sessions(person)
    assert {datetime.fromisoformat(one["starts_at_utc"]) for one in booked} == {at}
    day = at.strftime("%Y-%m-%d")
    assert "10:00 AM" in row_of(await here.desk.get(f"/console/today?day={day}"), person.name)
    await here.keepwell.live_until(at - timedelta(days=2, hours=12))
    (text,) = await here.to(person.number)
    assert "10:00 AM" in text
    assert "New York" in text or "Eastern" in text or "ET" in text, "people elsewhere read whose time it is"


AGREES = ("ok", "Y", "\N{THUMBS UP SIGN}", "sí", "yes", "C")
REFUSES = ("No", "cancel my appointment", "can't come", "no puedo ir")


async def test_a_plain_yes_or_no_is_understood(here: Clinic) -> None:
    people, _ = await told(here, len(AGREES) + len(REFUSES) + 1)
    agree, refuse = people[: len(AGREES)], people[len(AGREES) : -1]
    cancel = people[-1]
    await gathered(here.text, [one.number for one in refuse], ["C"] * len(refuse))
    await here.settle()
    await gathered(here.text, [one.number for one in [*agree, *refuse]], [*AGREES, *REFUSES])
    await here.text(cancel.number, "CANCEL")
    await here.settle()
    replies = await here.waiting("replies")
    for person, words in zip(agree, AGREES, strict=True):
        assert await states(here, person) == ["confirmed"], words
    for person, words in zip(refuse, REFUSES, strict=True):
        assert await states(here, person) == ["booked"], words
        assert "may not come</span>" in row_of(replies, f"<q>{words}</q>"), words
        assert "we told the clinic that you may not come" in (await here.to(person.number))[-1], words
    row = row_of(replies, "<q>CANCEL</q>")
    assert cancel.name in row
    assert "no more texts</span>" in row
    assert "It may also have meant the visit" in row


async def test_nothing_that_was_answered_is_thanked_for_and_thrown_away(here: Clinic) -> None:
    person = await here.enrol()
    checkin, link = await here.ask(person)
    _, second = await here.page(link)
    status, page = await here.send(link, ALL_FINE)
    assert (status, THANKS in page) == (200, True)
    status, page = await here.send(link, ALL_FINE | {"9": 2}, shown=second)
    assert status == 410
    assert THANKS not in page
    assert "988" in page
    assert "What you sent now is saved beside it" in page
    (kept,) = (await here.keepwell.get(f"/checkins/{checkin}/further-answers"))["items"]
    assert (kept["why"], kept["answers"]["9"]) == ("again", 2)
    assert len(await here.alerts(person, state="open")) == 1
    answers = await here.waiting("answers")
    assert "sent once more, with other answers" in answers


async def test_a_part_that_is_changed_by_going_back_is_told_and_kept(here: Clinic) -> None:
    person = await here.enrol()
    checkin, link = await here.ask(person, "post-session", "phq-9")
    check = dict.fromkeys(("nausea", "dizzy", "headache", "unreal", "confused", "sleepy"), 0)
    check |= dict.fromkeys(("bladder-pain", "bladder-urgency", "bladder-frequency", "bladder-blood"), 0)
    _, first = await here.page(link)
    await here.send(link, check | {"mood": 7}, shown=first)
    _, page = await here.send(link, check | {"mood": 4}, shown=first)
    assert "Your change is saved, in place of what you chose before." in page
    await here.send(link, ALL_FINE)
    scores = (await here.keepwell.get(f"/patients/{person.id}/scores"))["items"]
    moods = {one["answers"]["mood"]: one["voided"] for one in scores if one["instrument"] == "post-session"}
    assert moods[4] is None
    assert moods[7] is not None
    assert (await here.keepwell.get(f"/checkins/{checkin}"))["state"] == "completed"


async def test_answers_after_the_end_are_kept_with_a_word_to_patient_and_staff(here: Clinic) -> None:
    person = await here.enrol()
    checkin, link = await here.ask(person)
    _, shown = await here.page(link)
    until = datetime.fromisoformat((await here.keepwell.get(f"/checkins/{checkin}"))["expires_at"])
    await here.keepwell.live_until(until + timedelta(minutes=1))
    status, page = await here.send(link, ALL_FINE, shown=shown)
    assert status == 410
    assert "Your answers came after the check-in had ended" in page
    assert "That is all right" not in page
    assert "came too late for the score" in await here.waiting("answers")
    assert (await here.keepwell.get(f"/checkins/{checkin}/further-answers"))["items"][0]["why"] == "late"


async def test_a_slip_that_staff_made_can_be_corrected_and_both_values_stay(here: Clinic) -> None:
    person = await here.enrol()
    checkin = await here.score(person, [1, 1, 1, 1, 1, 1, 1, 0, 0])
    (score,) = (await here.keepwell.get(f"/patients/{person.id}/scores"))["items"]
    path = f"/console/checkins/{checkin}/results/{score['id']}/correct"
    typed = {f"q-{item}": "1" for item in range(1, 9)} | {"q-9": "0", "reason": "Read from the wrong line."}
    status, page = await here.desk.submit(path, path, **typed)
    assert (status, "The answers are corrected." in page) == (200, True), page
    scores = (await here.keepwell.get(f"/patients/{person.id}/scores"))["items"]
    assert sorted((one["total"], one["voided"] is None) for one in scores) == [(7, False), (8, True)]
    assert "Read from the wrong line." in page


ZONES = (
    ("EST", "America/New_York"),
    ("UTC", None),
    ("Zulu", None),
    ("Etc/GMT+5", "America/New_York"),
    ("EST5EDT", "America/New_York"),
    ("Mars/X", None),
)


async def test_a_zone_whose_name_lies_is_never_stored(here: Clinic) -> None:
    for zone, likely in ZONES:
        body = {"given_name": "Zed", "zone": zone, "language": "en"}
        status, answer = await here.keepwell.call("POST", "/patients", body)
        assert status == 422, zone
        assert answer["errors"][0]["pointer"] == "/zone"
        assert likely is None or likely in answer["errors"][0]["detail"], zone
        status, _ = await here.keepwell.call("PATCH", "/clinic", {"zone": zone})
        assert status == 422, zone
        typed = {"given_name": "Zed", "language": "en", "zone": zone}
        status, _ = await here.desk.submit("/console/patients/new", "/console/patients/new", **typed)
        assert status == 422, zone
    made = await here.keepwell.post(
        "/patients", {"given_name": "Zed", "zone": "US/Eastern", "language": "en"}, status=201
    )
    assert made["zone"] == "America/New_York"


async def test_a_check_in_that_falls_due_at_night_waits_for_the_patients_own_morning(here: Clinic) -> None:
    east, west = await here.enrol(), await here.enrol(zone=LOS_ANGELES)
    await here.until(21, 30)
    for person in (east, west):
        await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await here.settle()
    assert await here.to(east.number) == []
    assert len(await here.to(west.number)) == 1, "it is half past six there"
    await here.until(8, 1, days=1)
    (text,) = await here.sent(east.number)
    assert datetime.fromisoformat(text["at"]).astimezone(ZONE).hour == 8


async def test_a_family_on_one_number_never_has_its_answers_in_another_ones_chart(here: Clinic) -> None:
    mother = await here.enrol("Ana")
    son = await here.enrol("Teo", number=mother.number, confirm_duplicate=True)
    await here.book(mother, await here.at(2, 10))
    await here.book(son, await here.at(2, 10, 30))
    await here.until(15, days=1)
    await here.text(mother.number, "C")
    await here.settle()
    assert await states(here, mother) == await states(here, son) == ["booked"]
    question = (await here.to(mother.number))[-1]
    assert "which visit do you mean? Reply 1 for" in question
    assert "10:00 AM; 2 for" in question
    await here.text(mother.number, "C 10:30")
    assert await states(here, son) == ["confirmed"]
    assert await states(here, mother) == ["booked"]
    pages = []
    for person in (mother, son):
        _, link = await here.ask(person)
        pages.append((await here.page(link))[1])
    assert "This check-in is for A., and not for anybody else." in pages[0]
    assert "This check-in is for T., and not for anybody else." in pages[1]
    assert not any("Ana" in page or "Teo" in page for page in pages), "no more than is needed"


async def mails_to(here: Clinic, address: str) -> list[dict[str, Any]]:
    return [one for one in (await here.ledger())["mails"] if address in one["to"]]


async def test_a_mail_promises_nothing_that_its_calendar_entry_does_not_do(here: Clinic) -> None:
    name = "Clínica Ñandú — Salud"
    before = (await here.keepwell.get("/clinic"))["sender_name"]
    status, answer = await here.keepwell.call("PATCH", "/clinic", {"sender_name": name})
    assert status == 200, answer
    consents = [{"purpose": one, "how": "on paper", "at": "2026-11-01T15:00:00Z"} for one in PURPOSES]
    contacts = [{"kind": "email", "value": "pat@mail.example", "consents": consents}]
    person = await here.enrol(contacts=contacts)
    at = await here.at(4, 10)
    session = await here.book(person, at)
    await here.keepwell.live_until(at - timedelta(days=3) + timedelta(minutes=1))
    body = {"starts_at": (at + timedelta(hours=4)).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")}
    assert (await here.keepwell.call("PATCH", f"/sessions/{session['id']}", body))[0] == 200
    await here.live(minutes=3)
    await here.keepwell.post(f"/sessions/{session['id']}/cancel")
    await here.live(minutes=3)
    mails = await mails_to(here, "pat@mail.example")
    assert len(mails) == 3
    entries = [mail["calendar"].replace("\r\n ", "") for mail in mails]
    assert len({re.search(r"\nUID:(\S+)", entry)[1] for entry in entries}) == 1  # type: ignore[index]
    numbers = [int(re.search(r"\nSEQUENCE:(\d+)", entry)[1]) for entry in entries]  # type: ignore[index]
    assert numbers == sorted(set(numbers)), "each is newer than the one before"
    for mail, entry in zip(mails, entries, strict=True):
        assert name in mail["text"]
        assert name in entry
        assert "mailto:no-reply@clinic.example" in entry
        assert "ATTENDEE" in entry
        assert "updates your calendar" not in mail["text"]
    assert said(at) in mails[0]["text"]
    assert said(at + timedelta(hours=4)) in mails[1]["text"]
    assert "please delete that one yourself" in mails[1]["text"]
    assert "METHOD:CANCEL" in entries[2]
    for mail in mails:
        async with here.keepwell.http.get(f"{here.sandbox}/sandbox/mail/{mail['id']}/parts/0") as part:
            assert part.status == 200
    status, answer = await here.keepwell.call("PATCH", "/clinic", {"sender_name": before})
    assert status == 200, answer
