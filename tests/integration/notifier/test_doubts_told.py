"""That a number may want no texts is told of everybody who uses it, and a person's word ends it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.notifier.retelling import retell
from services.notifier.tables import CONSENTS, QUESTIONS, STOPS
from shared.events import ConsentChanged, Contact, ContactDoubted
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import KEYRING, Answer

PHONE, OTHER = "+12025550123", "+12025550124"


async def text(harness: NotifierHarness, body: str, number: str = PHONE) -> None:
    assert await harness.fake_provider.text(harness.bench.base_url, number, body) == 200
    await harness.settled()


async def told(harness: NotifierHarness) -> list[ContactDoubted]:
    return await harness.bench.said(ContactDoubted, clear=True)


async def no_texts(harness: NotifierHarness, contact: Contact, reason: str = "Said so by phone today.") -> Answer:
    path, key = f"/contacts/{contact.id}/wants-no-texts", {"Idempotency-Key": str(uuid4())}
    return await harness.bench.call("POST", path, {"reason": reason}, headers=key)


@pytest.mark.parametrize("words", ["enough", "Ok enough", "Can you end text at 9pm? I work nights"])
async def test_no_number_is_in_doubt_without_its_clinic_being_told_what_it_wrote(
    harness: NotifierHarness, words: str
) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact)
    await text(harness, words)
    async with harness.bench.database.reading() as reader:
        assert len(await reader.all(select(QUESTIONS).where(QUESTIONS.c.kind == "stop"))) == 1
    (said,) = await told(harness)
    assert (said.patient, said.contact, said.open, said.by) == (patient, contact.id, True, None)
    assert KEYRING.open(said.wrote or "", context="reply") == words
    await text(harness, words)
    assert await told(harness) == [], "the same question is not asked, nor told, twice"


@pytest.mark.parametrize("answer", ["KEEP", "STOP", "no", "yes", "wrong number"])
async def test_no_doubt_stays_on_the_page_after_the_number_has_settled_it(
    harness: NotifierHarness, answer: str
) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "enough")
    await text(harness, answer)
    begun, ended = await told(harness)
    assert (begun.open, ended.open, ended.wrote, ended.by) == (True, False, None, None)
    assert ended.version > begun.version


async def test_what_says_nothing_of_texts_ends_no_doubt(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "enough")
    await text(harness, "what is the address?")
    assert [each.open for each in await told(harness)] == [True]


async def test_everybody_who_uses_the_number_is_told_of(harness: NotifierHarness) -> None:
    patients = {await harness.enrol(contact_of("sms", PHONE)), await harness.enrol(contact_of("sms", PHONE))}
    await harness.enrol(contact_of("sms", OTHER))
    await text(harness, "enough")
    assert {each.patient for each in await told(harness)} == patients


async def test_whoever_gets_a_number_that_is_in_doubt_is_not_shown_as_reachable(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "enough")
    await told(harness)
    second = await harness.enrol(contact_of("sms", PHONE))
    (said,) = await told(harness)
    assert (said.patient, said.open) == (second, True)
    assert KEYRING.open(said.wrote or "", context="reply") == "enough"


async def test_a_number_that_took_the_place_of_one_in_doubt_is_not_in_doubt(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact)
    await text(harness, "enough")
    await told(harness)
    await harness.enrol(contact, patient=patient, version=2)
    assert await told(harness) == [], "nothing changed of it"
    other = contact.model_copy(update={"value": KEYRING.seal(OTHER, context="contact")})
    await harness.enrol(other, patient=patient, version=3)
    assert [(each.contact, each.open) for each in await told(harness)] == [(contact.id, False)]


async def test_a_doubt_that_a_clinic_may_have_missed_is_told_anew(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.enrol(contact_of("sms", OTHER))
    await text(harness, "enough")
    await told(harness)
    assert await retell(harness.bench.database, KEYRING) == 2, "the text itself, and the doubt"
    (said,) = await told(harness)
    assert (said.patient, said.open) == (patient, True)


async def test_a_person_who_says_that_no_more_texts_are_wanted_is_obeyed(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact)
    await text(harness, "enough")
    await harness.due(await harness.book(patient))
    await harness.settled()
    answer = await no_texts(harness, contact)
    assert (answer.status, answer.json["were_held"]) == (200, True)
    assert [(each.open, each.by) for each in await told(harness)] == [(True, None), (False, "test")]
    await harness.until(harness.clock.now() + timedelta(days=2))
    assert not any("your visit" in body for body in harness.fake_provider.to(PHONE))
    async with harness.bench.database.reading() as reader:
        stop = await reader.one(select(STOPS))
        kept = (await reader.all(select(CONSENTS).order_by(CONSENTS.c.id)))[-1]
    assert stop.how == "staff"
    assert (kept.patient, kept.granted) == (patient, False)
    who, sealed = kept.how.split(": ")
    assert (who, KEYRING.open(sealed, context="doubt-reason")) == ("staff, test", "Said so by phone today.")
    await text(harness, "START")
    await harness.settled()
    async with harness.bench.database.reading() as reader:
        assert await reader.all(select(STOPS)) == [], "the number itself takes it back"


async def test_a_person_ends_no_texts_of_a_number_that_has_said_keep_meanwhile(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    await harness.enrol(contact)
    await text(harness, "enough")
    await text(harness, "KEEP")
    assert (await no_texts(harness, contact)).status == 409
    async with harness.bench.database.reading() as reader:
        assert await reader.all(select(STOPS)) == []


async def test_no_texts_are_ended_without_a_reason(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    await harness.enrol(contact)
    await text(harness, "enough")
    assert (await no_texts(harness, contact, "  ")).status == 422
    async with harness.bench.database.reading() as reader:
        assert await reader.all(select(STOPS)) == []
    assert await harness.bench.said(ConsentChanged) == []
