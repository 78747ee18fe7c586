"""What a patient wants of their texts, on the running stack: heard where it is said, and nowhere else."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.support.clinic import Clinic, Person, clinic, gathered, row_of

DOUBT, STOPPED = "should we stop texting you?", "you will get no more texts from us"
REACTIONS = (
    "Liked “{}”",
    "Loved “{}”",
    "Disliked “{}”",
    'Liked "{}"',
    "Reacted 👍 to “{}”",
    "Le gustó “{}”",
    "Removed a like from “{}”",
)
ABOUT_SOMETHING_ELSE = (
    "Have to cancel. Text me to reschedule",
    "What time does it end? Text me then",
    "I quit. Message me tomorrow",
    "When I end, text my wife to pick me up",
    "Can you end text at 9pm? I work nights",
    "I don't get texts at work, call me",
    "how do I unsubscribe my mom",
    "take me off the waitlist",
    "Please don't stop texting me, it helps",
    "The bus stops at your door, right?",
    "¿A qué hora para el autobús?",
)
WISHES_TO_STOP = (
    "Stpo",
    "stopppp",
    "S T O P",
    "Who is this? stop",
    "unsub",
    "remove",
    "stop2quit",
    "i said stop",
    "STOP THIS",
    "DETENGA",
    "pls stop texting me",
    "ya no me manden mensajes",
)
MEXICAN = "+525512345678"
APART = (0.005, 0.05)
TRIPLES = 80
AT_ONCE = 20


@pytest.fixture(scope="module")
async def here(servers: Mapping[str, str]) -> AsyncIterator[Clinic]:
    async with clinic({**servers, "KEEPWELL_COUNTRIES": "MX"}) as shared:
        yield shared


async def asked_now(here: Clinic, people: list[Person]) -> dict[str, str]:
    """Ask everybody a check-in now; return by number what became of its text."""

    async def ask(person: Person) -> None:
        await here.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)

    await gathered(ask, people)
    await here.settle()
    found: dict[str, str] = {}
    for person in people:
        messages = (await here.keepwell.get(f"/patients/{person.id}/messages?limit=500"))["items"]
        last = [one for one in messages if one["purpose"] == "checkin"][-1]
        found[person.number] = last["state"] if last["state"] == "delivered" else f"{last['state']} {last['reason']}"
    return found


async def reminded(here: Clinic, people: list[Person], *, sessions: int = 1) -> list[dict[str, Any]]:
    """Book everybody at ten in a week, and have them reminded of the first; it is three days before then."""
    first = [await here.book(person, await here.at(7, 10)) for person in people]
    for more in range(1, sessions):
        for person in people:
            await here.book(person, await here.at(7 + more, 10))
    await here.until(10, 1, days=4)
    return first


async def reminder(here: Clinic, person: Person) -> str:
    return next(words for words in await here.to(person.number) if "your visit is on" in words)


async def test_a_quoted_reminder_never_ends_a_persons_texts(here: Clinic) -> None:
    people = await here.enrol_each(REACTIONS)
    await reminded(here, people)
    written = [shape.format(await reminder(here, one)) for shape, one in zip(REACTIONS, people, strict=True)]
    before = {one.number: len(await here.to(one.number)) for one in people}
    await gathered(here.text, [one.number for one in people], written)
    await here.settle()
    replies = await here.waiting("replies")
    for person, words in zip(people, written, strict=True):
        assert len(await here.to(person.number)) == before[person.number], words
        assert [one["state"] for one in await here.sessions(person)] == ["booked"], "it does not agree either"
        page = await here.patient_page(person)
        assert "reaction</span>" in page, words
        assert "asked for no more texts" not in page
        assert ("thumbs-down" in row_of(replies, person.name)) == words.startswith("Disliked"), "it reaches a person"
    await here.until(10, 1, days=2)
    for person in people:
        assert sum("your visit is on" in words for words in await here.to(person.number)) == 2, "the next one goes out"


async def test_what_is_written_below_a_quote_is_not_hidden_by_it(here: Clinic) -> None:
    yes, stop = await here.enrol(), await here.enrol()
    await reminded(here, [yes, stop])
    await here.text(yes.number, f"> {await reminder(here, yes)}\nC")
    await here.text(stop.number, f"> {await reminder(here, stop)}\nplease stop texting me")
    await here.settle()
    assert [one["state"] for one in await here.sessions(yes)] == ["confirmed"]
    assert STOPPED in (await here.to(stop.number))[-1]


async def test_a_like_of_the_first_check_in_is_no_stop(here: Clinic) -> None:
    person = await here.enrol()
    await here.ask(person)
    (first,) = await here.to(person.number)
    assert "Reply STOP" in first
    await here.text(person.number, f"Liked “{first}”")
    await here.settle()
    assert await asked_now(here, [person]) == {person.number: "delivered"}


async def test_a_sentence_about_something_else_is_never_read_as_stop(here: Clinic) -> None:
    people = await here.enrol_each(ABOUT_SOMETHING_ELSE)
    await gathered(here.text, [one.number for one in people], ABOUT_SOMETHING_ELSE)
    await here.settle()
    replies = await here.waiting("replies")
    unclear: list[Person] = []
    for person, words in zip(people, ABOUT_SOMETHING_ELSE, strict=True):
        said = await here.to(person.number)
        assert not any(STOPPED in one for one in said), words
        row = row_of(replies, words)
        assert person.name in row, "what is wanted stands in the inbox"
        assert "no more texts</span>" not in row, words
        if any(DOUBT in one for one in said):
            assert len(said) == 1, "one question"
            unclear.append(person)
    assert len(unclear) <= 2
    await gathered(here.text, [one.number for one in unclear], ["KEEP"] * len(unclear))
    await here.settle()
    assert set((await asked_now(here, people)).values()) == {"delivered"}


async def test_a_clear_wish_to_stop_is_never_passed_over(here: Clinic) -> None:
    people = await here.enrol_each(WISHES_TO_STOP)
    await gathered(here.text, [one.number for one in people], WISHES_TO_STOP)
    began = await here.now()
    await here.settle()
    became = await asked_now(here, people)
    for person, words in zip(people, WISHES_TO_STOP, strict=True):
        (said,) = await here.sent(person.number)
        assert STOPPED in said["body"] or DOUBT in said["body"], words
        assert said["at"][:16] == began.isoformat()[:16], "at once"
        assert not became[person.number].startswith("delivered"), words
        assert "opted_out" in became[person.number] or "asked" in became[person.number], (words, became)


async def test_who_stopped_by_the_providers_word_is_never_texted(here: Clinic) -> None:
    no, alto, back = await here.enrol(), await here.enrol(), await here.enrol()
    for _ in range(2):
        assert await here.webhook(no.number, "No", ("OptOutType", "STOP")) == 200
    assert await here.webhook(alto.number, "ALTO", ("OptOutType", "STOP"), ("OptOutType", "STOP")) == 200
    assert await here.webhook(back.number, "STOP", ("OptOutType", "STOP")) == 200
    await here.settle()
    for person in (no, alto, back):
        assert await here.to(person.number) == [], "what the provider has answered is not answered again"
    assert await here.webhook(back.number, "Hola", ("OptOutType", "START")) == 200
    await here.settle()
    assert await asked_now(here, [no, alto, back]) == {
        no.number: "withheld opted_out",
        alto.number: "withheld opted_out",
        back.number: "delivered",
    }


async def test_one_phone_in_another_spelling_is_never_another_phone(here: Clinic) -> None:
    for spelt in ("+5215512345678", "whatsapp:+525512345678"):
        person = await here.enrol(number="+52 55 1234 5678", confirm_duplicate=True)
        assert await here.webhook(spelt, "STOP", ("OptOutType", "STOP")) == 200
        await here.settle()
        assert await asked_now(here, [person]) == {person.number: "withheld opted_out"}, spelt
        assert await here.webhook(MEXICAN, "START", ("OptOutType", "START")) == 200
        await here.settle()
    spaced = await here.enrol()
    digits = spaced.number
    assert await here.webhook(f"+1 {digits[2:5]} {digits[5:8]} {digits[8:]}", "please stop") == 200
    await here.settle()
    assert await asked_now(here, [spaced]) == {spaced.number: "withheld opted_out"}


async def test_a_stop_that_matches_nobody_is_kept_for_its_number_and_shown(here: Clinic) -> None:
    number = "+16465580077"
    await here.text(number, "STOP")
    await here.settle()
    assert "Unknown number" in row_of(await here.waiting("replies"), "<q>STOP</q>")
    person = await here.enrol(number=number)
    assert await asked_now(here, [person]) == {number: "withheld opted_out"}
    assert "it asked for no more texts" in await here.patient_page(person)


async def test_the_last_word_of_eighty_is_stop_and_no_text_goes_out(here: Clinic) -> None:
    people = await here.enrol_each(range(TRIPLES))
    at = await here.at(2, 10)
    await gathered(here.book, people, [at] * TRIPLES)
    chance = random.Random(1)  # noqa: S311 - order, not secrets

    async def last_word_is_stop(person: Person) -> None:
        words: list[asyncio.Task[int]] = []
        for word in ("STOP", "START", "STOP"):
            words.append(asyncio.create_task(here.webhook(person.number, word, ("OptOutType", word))))
            await asyncio.sleep(chance.uniform(*APART))  # noqa: TID251 - how far apart the words come is what is tried
        assert await asyncio.gather(*words) == [200] * 3

    for first in range(0, TRIPLES, AT_ONCE):
        await gathered(last_word_is_stop, people[first : first + AT_ONCE])
    await here.settle()
    await here.until(10, 1, days=1)
    ledger = (await here.ledger())["messages"]
    mine = {one.number for one in people}
    assert [one["to"] for one in ledger if one["to"] in mine and "your visit" in one["body"]] == []


async def test_consent_nobody_gave_is_never_on_record(here: Clinic) -> None:
    page = await here.desk.get("/console/patients/new")
    assert not re.search(r'type="checkbox"[^>]*checked', page)
    assert '<form class="form" method="post" autocomplete="off"' in page
    typed = {"given_name": "Noor", "family_name": "Haddad", "language": "en", "zone": "America/New_York"}
    status, shown = await here.desk.submit(
        "/console/patients/new", "/console/patients/new", **typed, sms="+1 646 558 0078"
    )
    assert (status, "The patient is enrolled." in shown) == (200, True)
    (found,) = (await here.keepwell.get("/patients?q=Haddad"))["items"]
    assert found["contacts"][0]["consents"] == []
    ticked = {"sms-reminders": "yes", "sms-how": "by phone", "sms-at": (await here.now()).date().isoformat()}
    again = typed | {"given_name": "Lina", "sms": "(646) 558-0078"} | ticked
    status, shown = await here.desk.submit("/console/patients/new", "/console/patients/new", **again)
    assert status == 409, "a shared number is pointed out before it is saved"
    assert "Same mobile number. Texts to both go to one phone" in shown
    confirmed = re.search(r'name="confirmed" value="([\w -]+)"', shown)
    assert confirmed is not None
    again["confirmed"] = confirmed[1]
    status, shown = await here.desk.submit("/console/patients/new", "/console/patients/new", **again)
    assert status == 200
    (lina,) = (await here.keepwell.get("/patients?q=Lina"))["items"]
    (consent,) = lina["contacts"][0]["consents"]
    assert (consent["purpose"], consent["how"], consent["noted_by"]) == ("reminders", "by phone", "Alma Reid")
    assert consent["noted_at"] == (await here.now()).isoformat().replace("+00:00", "Z")
