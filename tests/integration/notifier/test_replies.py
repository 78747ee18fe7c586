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
from tests.integration.notifier.practice import Practice, contact_of
from tests.support.bench import KEYRING, running

PHONE = "+15550101234"


async def text(practice: Practice, body: str, number: str = PHONE, sid: str | None = None) -> None:
    assert await practice.exchange.text(practice.bench.base_url, number, body, sid) == 200


async def replies(practice: Practice) -> list[ReplyReceived]:
    return await practice.bench.said(ReplyReceived)


async def test_c_confirms_the_soonest_session_that_was_reminded_of(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    later, sooner = await practice.book(patient, "2026-12-11T10:00"), await practice.book(patient, "2026-12-04T10:00")
    for session in (later, sooner):
        await practice.due(session)
    await practice.settled()
    await text(practice, "C")
    (reply,) = await replies(practice)
    assert (reply.intent, reply.session, reply.session_version) == ("confirm", sooner.id, 1)
    await practice.settled()
    assert practice.exchange.to(PHONE)[-1] == (
        "Lakeside Clinic: thank you, we expect you on Friday, December 4 at 10:00 AM. "
        "Not confirmed yet: Friday, December 11 at 10:00 AM. Reply C for the next one."
    )


async def test_the_same_text_handed_over_twice_counts_once(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.settled()
    for _ in range(2):
        await text(practice, "C", sid="SM1")
    await practice.settled()
    assert len(await replies(practice)) == 1
    assert len(practice.exchange.to(PHONE)) == 2


async def test_c_for_a_time_that_has_moved_goes_to_the_clinic(practice: Practice) -> None:
    session = await practice.book(await practice.enrol(contact_of("sms", PHONE)))
    await practice.due(session)
    await practice.settled()
    await practice.move(session, "2026-12-09T10:00")
    await text(practice, "C")
    (reply,) = await replies(practice)
    assert (reply.intent, reply.session) == ("other", None)


async def test_c_from_a_family_number_is_only_taken_for_the_one_it_can_mean(practice: Practice) -> None:
    mother, child = [await practice.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    session = await practice.book(mother)
    await practice.due(session)
    await practice.settled()
    await text(practice, "C")
    (reply,) = await replies(practice)
    assert (reply.intent, reply.patient, reply.session) == ("confirm", mother, session.id)
    await practice.due(await practice.book(child))
    await practice.settled()
    await text(practice, "C")
    (second,) = (await replies(practice))[1:]
    assert second.patient == child, "the mother has said yes"


@pytest.mark.parametrize("word", ["STOP", "Please stop texting me"])
async def test_stop_between_plan_and_send_withholds_everything_at_once(resting: Practice, word: str) -> None:
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
    assert len(resting.exchange.ledger) == (0 if word == "STOP" else 1)


async def test_a_confirmation_of_stop_that_is_late_is_not_sent(resting: Practice) -> None:
    await resting.enrol(contact_of("sms", PHONE))
    await text(resting, "no more texts")
    await resting.clock.move_by(timedelta(minutes=5))
    async with running(resting.bench.service):
        await resting.in_state("expired")


async def test_after_stop_nothing_goes_out_even_with_consent_given_again_at_the_clinic(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    patient = await practice.enrol(contact)
    await text(practice, "STOP")
    await practice.enrol(contact, patient=patient, version=2)
    await practice.due(await practice.book(patient))
    await practice.in_state("withheld")
    assert (await practice.only()).reason == "opted_out"
    await text(practice, "START")
    await practice.due(await practice.book(patient))
    await practice.in_state("withheld", "accepted")
    assert [event.granted for event in await practice.bench.said(ConsentChanged)] == [False, True]


async def test_yes_brings_texts_back_only_where_there_was_a_stop(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.settled()
    await text(practice, "Yes")
    await text(practice, "STOP")
    await text(practice, "YES")
    assert [reply.intent for reply in await replies(practice)] == ["confirm", "stop", "start"]


async def test_one_numbers_stop_covers_all_who_use_it_and_no_other_number(practice: Practice) -> None:
    mother, child = [await practice.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    other = await practice.enrol(contact_of("sms", PHONE, ()), contact_of("sms", "+15550105555"))
    await text(practice, "STOP")
    for patient in (mother, child, other):
        await practice.due(await practice.book(patient))
    await practice.in_state("withheld", "withheld", "accepted")
    assert practice.exchange.to("+15550105555")
    async with practice.bench.database.reading() as reader:
        assert await reader.scalar(select(func.count()).select_from(STOPS)) == 1


async def test_error_21610_is_an_opt_out_and_never_tried_again(practice: Practice) -> None:
    practice.exchange.script.append("refuse 21610")
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.in_state("failed")
    (failed,) = await practice.bench.said(MessageFailed)
    assert failed.error == "21610"
    (changed,) = await practice.bench.said(ConsentChanged)
    assert (changed.granted, changed.how) == (False, "provider error 21610")
    await practice.due(await practice.book(patient))
    await practice.in_state("failed", "withheld")
    assert practice.exchange.requests == 1
    async with practice.bench.database.reading() as reader:
        grants = await reader.all(select(CONSENTS.c.granted).where(CONSENTS.c.purpose.is_(None)))
    assert [row.granted for row in grants] == [False]


async def test_help_is_answered_with_the_clinic_and_what_to_do_in_a_crisis(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE), language="es")
    await text(practice, "AYUDA")
    await practice.in_state("accepted")
    (answer,) = practice.exchange.to(PHONE)
    assert "+1 555 010 0100" in answer
    assert "En crisis llame al 988." in answer


async def test_what_is_not_understood_is_passed_on_each_time_and_answered_every_few_hours(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    for body in ("I feel awful", "are you there?"):
        await text(practice, body)
        await practice.settled()
    passed_on = await replies(practice)
    assert [reply.intent for reply in passed_on] == ["other", "other"]
    assert KEYRING.open(passed_on[0].text, context="reply") == "I feel awful"
    (answer,) = practice.exchange.to(PHONE)
    assert "read when the clinic is open" in answer
    assert "988" in answer
    await practice.clock.move_by(timedelta(hours=5))
    await text(practice, "hello?")
    await practice.settled()
    assert len(practice.exchange.to(PHONE)) == 2


async def test_cancel_ends_texts_and_cancels_no_session(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.settled()
    await text(practice, "CANCEL")
    (reply,) = await replies(practice)
    assert (reply.intent, reply.session) == ("stop", None)


async def test_no_text_from_an_unknown_number_is_lost(practice: Practice) -> None:
    await text(practice, "hi, who is this?", "+15550100042")
    await text(practice, "STOP", "+15550100043")
    await text(practice, "HELP", "+15550100044")
    await practice.settled()
    assert sorted(sent.to for sent in practice.exchange.ledger) == ["+15550100042", "+15550100044"]
    assert "we do not know this number" in practice.exchange.to("+15550100042")[0]
    told = await practice.bench.said(UnknownNumberTexted)
    assert [each.intent for each in told] == ["other", "stop", "help"]
    assert KEYRING.open(told[1].number, context="contact") == "+15550100043"
    assert "0100043" not in told[1].model_dump_json()
    async with practice.bench.database.reading() as reader:
        assert await reader.scalar(select(func.count()).select_from(INBOUND)) == 3
        assert await reader.scalar(select(func.count()).select_from(STOPS)) == 1
    patient = await practice.enrol(contact_of("sms", "+15550100043"))
    await practice.due(await practice.book(patient))
    await practice.in_state("accepted", "accepted", "withheld")


async def test_a_discharged_patient_is_never_written_to_again(resting: Practice) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    session = await resting.book(patient)
    await resting.due(session)
    await resting.bench.tell(PatientDischarged(clinic=resting.bench.clinic, version=2, patient=patient))
    assert (await resting.only()).reason == "discharged"
    async with running(resting.bench.service):
        await resting.due(session, "1d")
        await resting.in_state("withheld", "withheld")
    assert resting.exchange.requests == 0
