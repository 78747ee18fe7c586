"""That a number may want no texts is told of everybody who uses it, and a person's word ends it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.notifier.retelling import retell
from services.notifier.tables import CONSENTS, QUESTIONS, STOPS
from shared.events import ConsentChanged, Contact, ContactDoubted
from tests.integration.notifier.practice import Practice, contact_of
from tests.support.bench import KEYRING, Answer

PHONE, OTHER = "+12025550123", "+12025550124"


async def text(practice: Practice, body: str, number: str = PHONE) -> None:
    assert await practice.exchange.text(practice.bench.base_url, number, body) == 200
    await practice.settled()


async def told(practice: Practice) -> list[ContactDoubted]:
    return await practice.bench.said(ContactDoubted, clear=True)


async def no_texts(practice: Practice, contact: Contact, reason: str = "Said so by phone today.") -> Answer:
    path, key = f"/contacts/{contact.id}/wants-no-texts", {"Idempotency-Key": str(uuid4())}
    return await practice.bench.call("POST", path, {"reason": reason}, headers=key)


@pytest.mark.parametrize("words", ["enough", "Ok enough", "Can you end text at 9pm? I work nights"])
async def test_no_number_is_in_doubt_without_its_clinic_being_told_what_it_wrote(
    practice: Practice, words: str
) -> None:
    contact = contact_of("sms", PHONE)
    patient = await practice.enrol(contact)
    await text(practice, words)
    async with practice.bench.database.reading() as reader:
        assert len(await reader.all(select(QUESTIONS).where(QUESTIONS.c.kind == "stop"))) == 1
    (said,) = await told(practice)
    assert (said.patient, said.contact, said.open, said.by) == (patient, contact.id, True, None)
    assert KEYRING.open(said.wrote or "", context="reply") == words
    await text(practice, words)
    assert await told(practice) == [], "the same question is not asked, nor told, twice"


@pytest.mark.parametrize("answer", ["KEEP", "STOP", "no", "yes", "wrong number"])
async def test_no_doubt_stays_on_the_page_after_the_number_has_settled_it(practice: Practice, answer: str) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await text(practice, "enough")
    await text(practice, answer)
    begun, ended = await told(practice)
    assert (begun.open, ended.open, ended.wrote, ended.by) == (True, False, None, None)
    assert ended.version > begun.version


async def test_what_says_nothing_of_texts_ends_no_doubt(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await text(practice, "enough")
    await text(practice, "what is the address?")
    assert [each.open for each in await told(practice)] == [True]


async def test_everybody_who_uses_the_number_is_told_of(practice: Practice) -> None:
    patients = {await practice.enrol(contact_of("sms", PHONE)), await practice.enrol(contact_of("sms", PHONE))}
    await practice.enrol(contact_of("sms", OTHER))
    await text(practice, "enough")
    assert {each.patient for each in await told(practice)} == patients


async def test_whoever_gets_a_number_that_is_in_doubt_is_not_shown_as_reachable(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await text(practice, "enough")
    await told(practice)
    second = await practice.enrol(contact_of("sms", PHONE))
    (said,) = await told(practice)
    assert (said.patient, said.open) == (second, True)
    assert KEYRING.open(said.wrote or "", context="reply") == "enough"


async def test_a_number_that_took_the_place_of_one_in_doubt_is_not_in_doubt(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    patient = await practice.enrol(contact)
    await text(practice, "enough")
    await told(practice)
    await practice.enrol(contact, patient=patient, version=2)
    assert await told(practice) == [], "nothing changed of it"
    other = contact.model_copy(update={"value": KEYRING.seal(OTHER, context="contact")})
    await practice.enrol(other, patient=patient, version=3)
    assert [(each.contact, each.open) for each in await told(practice)] == [(contact.id, False)]


async def test_a_doubt_that_a_clinic_may_have_missed_is_told_anew(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.enrol(contact_of("sms", OTHER))
    await text(practice, "enough")
    await told(practice)
    assert await retell(practice.bench.database, KEYRING) == 2, "the text itself, and the doubt"
    (said,) = await told(practice)
    assert (said.patient, said.open) == (patient, True)


async def test_a_person_who_says_that_no_more_texts_are_wanted_is_obeyed(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    patient = await practice.enrol(contact)
    await text(practice, "enough")
    await practice.due(await practice.book(patient))
    await practice.settled()
    answer = await no_texts(practice, contact)
    assert (answer.status, answer.json["were_held"]) == (200, True)
    assert [(each.open, each.by) for each in await told(practice)] == [(True, None), (False, "test")]
    await practice.until(practice.clock.now() + timedelta(days=2))
    assert not any("your visit" in body for body in practice.exchange.to(PHONE))
    async with practice.bench.database.reading() as reader:
        stop = await reader.one(select(STOPS))
        kept = (await reader.all(select(CONSENTS).order_by(CONSENTS.c.id)))[-1]
    assert stop.how == "staff"
    assert (kept.patient, kept.granted) == (patient, False)
    who, sealed = kept.how.split(": ")
    assert (who, KEYRING.open(sealed, context="doubt-reason")) == ("staff, test", "Said so by phone today.")
    await text(practice, "START")
    await practice.settled()
    async with practice.bench.database.reading() as reader:
        assert await reader.all(select(STOPS)) == [], "the number itself takes it back"


async def test_a_person_ends_no_texts_of_a_number_that_has_said_keep_meanwhile(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    await practice.enrol(contact)
    await text(practice, "enough")
    await text(practice, "KEEP")
    assert (await no_texts(practice, contact)).status == 409
    async with practice.bench.database.reading() as reader:
        assert await reader.all(select(STOPS)) == []


async def test_no_texts_are_ended_without_a_reason(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    await practice.enrol(contact)
    await text(practice, "enough")
    assert (await no_texts(practice, contact, "  ")).status == 422
    async with practice.bench.database.reading() as reader:
        assert await reader.all(select(STOPS)) == []
    assert await practice.bench.said(ConsentChanged) == []
