from datetime import timedelta

import pytest
from sqlalchemy import func, select

from services.notifier.tables import CONSENTS, INBOUND, STOPS
from shared.events import (
    ConsentChanged,
    MessageFailed,
    MessageWithheld,
    PatientDischarged,
    ReplyReceived,
    UnknownNumberTexted,
)
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import KEYRING, running

PHONE = "+15550101234"


async def text(harness: NotifierHarness, body: str, number: str = PHONE, sid: str | None = None) -> None:
    assert await harness.fake_provider.text(harness.bench.base_url, number, body, sid) == 200


async def replies(harness: NotifierHarness) -> list[ReplyReceived]:
    return await harness.bench.said(ReplyReceived)


async def test_c_confirms_the_soonest_session_that_was_reminded_of(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    later, sooner = await harness.book(patient, "2026-12-11T10:00"), await harness.book(patient, "2026-12-04T10:00")
    for session in (later, sooner):
        await harness.due(session)
    await harness.settled()
    await text(harness, "C")
    (reply,) = await replies(harness)
    assert (reply.intent, reply.session, reply.session_version) == ("confirm", sooner.id, 1)
    await harness.settled()
    assert harness.fake_provider.to(PHONE)[-1] == (
        "Lakeside Clinic: thank you, we expect you on Friday, December 4 at 10:00 AM. "
        "Not confirmed yet: Friday, December 11 at 10:00 AM. Reply C for the next one."
    )


async def test_the_same_text_handed_over_twice_counts_once(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    for _ in range(2):
        await text(harness, "C", sid="SM1")
    await harness.settled()
    assert len(await replies(harness)) == 1
    assert len(harness.fake_provider.to(PHONE)) == 2


async def test_c_for_a_time_that_has_moved_goes_to_the_clinic(harness: NotifierHarness) -> None:
    session = await harness.book(await harness.enrol(contact_of("sms", PHONE)))
    await harness.due(session)
    await harness.settled()
    await harness.move(session, "2026-12-09T10:00")
    await text(harness, "C")
    (reply,) = await replies(harness)
    assert (reply.intent, reply.session) == ("other", None)


async def test_c_from_a_family_number_is_only_taken_for_the_one_it_can_mean(harness: NotifierHarness) -> None:
    mother, child = [await harness.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    session = await harness.book(mother)
    await harness.due(session)
    await harness.settled()
    await text(harness, "C")
    (reply,) = await replies(harness)
    assert (reply.intent, reply.patient, reply.session) == ("confirm", mother, session.id)
    await harness.due(await harness.book(child))
    await harness.settled()
    await text(harness, "C")
    (second,) = (await replies(harness))[1:]
    assert second.patient == child, "the mother has said yes"


@pytest.mark.parametrize("word", ["STOP", "Please stop texting me"])
async def test_stop_between_plan_and_send_withholds_everything_at_once(resting: NotifierHarness, word: str) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    await resting.due(await resting.book(patient))
    await resting.open_checkin(patient)
    await text(resting, word)
    states = [(row.state, row.reason) for row in await resting.messages() if row.purpose != "reply"]
    assert states == [("withheld", "opted_out")] * 2
    assert [event.reason for event in await resting.bench.said(MessageWithheld)] == ["opted_out"] * 2
    (changed,) = await resting.bench.said(ConsentChanged)
    assert (changed.patient, changed.granted, changed.how) == (patient, False, "text")
    async with running(resting.bench.service):
        await resting.settled()
    # The provider itself answers the single word; free text is confirmed once by us.
    assert len(resting.fake_provider.ledger) == (0 if word == "STOP" else 1)


async def test_a_confirmation_of_stop_that_is_late_is_not_sent(resting: NotifierHarness) -> None:
    await resting.enrol(contact_of("sms", PHONE))
    await text(resting, "no more texts")
    await resting.clock.move_by(timedelta(minutes=5))
    async with running(resting.bench.service):
        await resting.in_state("expired")


async def test_after_stop_nothing_goes_out_even_with_consent_given_again_at_the_clinic(
    harness: NotifierHarness,
) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact)
    await text(harness, "STOP")
    await harness.enrol(contact, patient=patient, version=2)
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld")
    assert (await harness.only()).reason == "opted_out"
    await text(harness, "START")
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld", "accepted")
    assert [event.granted for event in await harness.bench.said(ConsentChanged)] == [False, True]


async def test_yes_brings_texts_back_only_where_there_was_a_stop(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    await text(harness, "Yes")
    await text(harness, "STOP")
    await text(harness, "YES")
    assert [reply.intent for reply in await replies(harness)] == ["confirm", "stop", "start"]


async def test_one_numbers_stop_covers_all_who_use_it_and_no_other_number(harness: NotifierHarness) -> None:
    mother, child = [await harness.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    other = await harness.enrol(contact_of("sms", PHONE, ()), contact_of("sms", "+15550105555"))
    await text(harness, "STOP")
    for patient in (mother, child, other):
        await harness.due(await harness.book(patient))
    await harness.in_state("withheld", "withheld", "accepted")
    assert harness.fake_provider.to("+15550105555")
    async with harness.bench.database.reading() as reader:
        assert await reader.scalar(select(func.count()).select_from(STOPS)) == 1


async def test_error_21610_is_an_opt_out_and_never_tried_again(harness: NotifierHarness) -> None:
    harness.fake_provider.script.append("refuse 21610")
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("failed")
    (failed,) = await harness.bench.said(MessageFailed)
    assert failed.error == "21610"
    (changed,) = await harness.bench.said(ConsentChanged)
    assert (changed.granted, changed.how) == (False, "provider error 21610")
    await harness.due(await harness.book(patient))
    await harness.in_state("failed", "withheld")
    assert harness.fake_provider.requests == 1
    async with harness.bench.database.reading() as reader:
        grants = await reader.all(select(CONSENTS.c.granted).where(CONSENTS.c.purpose.is_(None)))
    assert [row.granted for row in grants] == [False]


async def test_help_is_answered_with_the_clinic_and_what_to_do_in_a_crisis(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE), language="es")
    await text(harness, "AYUDA")
    await harness.in_state("accepted")
    (answer,) = harness.fake_provider.to(PHONE)
    assert "+1 555 010 0100" in answer
    assert "En crisis llame al 988." in answer


async def test_what_is_not_understood_is_passed_on_each_time_and_answered_every_few_hours(
    harness: NotifierHarness,
) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    for body in ("I feel awful", "are you there?"):
        await text(harness, body)
        await harness.settled()
    passed_on = await replies(harness)
    assert [reply.intent for reply in passed_on] == ["other", "other"]
    assert KEYRING.open(passed_on[0].text, context="reply") == "I feel awful"
    (answer,) = harness.fake_provider.to(PHONE)
    assert "read when the clinic is open" in answer
    assert "988" in answer
    await harness.clock.move_by(timedelta(hours=5))
    await text(harness, "hello?")
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 2


async def test_cancel_ends_texts_and_cancels_no_session(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    await text(harness, "CANCEL")
    (reply,) = await replies(harness)
    assert (reply.intent, reply.session) == ("stop", None)


async def test_no_text_from_an_unknown_number_is_lost(harness: NotifierHarness) -> None:
    await text(harness, "hi, who is this?", "+15550100042")
    await text(harness, "STOP", "+15550100043")
    await text(harness, "HELP", "+15550100044")
    await harness.settled()
    assert sorted(sent.to for sent in harness.fake_provider.ledger) == ["+15550100042", "+15550100044"]
    assert "we do not know this number" in harness.fake_provider.to("+15550100042")[0]
    told = await harness.bench.said(UnknownNumberTexted)
    assert [each.intent for each in told] == ["other", "stop", "help"]
    assert KEYRING.open(told[1].number, context="contact") == "+15550100043"
    assert "0100043" not in told[1].model_dump_json()
    async with harness.bench.database.reading() as reader:
        assert await reader.scalar(select(func.count()).select_from(INBOUND)) == 3
        assert await reader.scalar(select(func.count()).select_from(STOPS)) == 1
    patient = await harness.enrol(contact_of("sms", "+15550100043"))
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted", "accepted", "withheld")


async def test_a_discharged_patient_is_never_written_to_again(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    session = await resting.book(patient)
    await resting.due(session)
    await resting.bench.tell(PatientDischarged(clinic=resting.bench.clinic, version=2, patient=patient))
    assert (await resting.only()).reason == "discharged"
    async with running(resting.bench.service):
        await resting.due(session, "1d")
        await resting.in_state("withheld", "withheld")
    assert resting.fake_provider.requests == 0
