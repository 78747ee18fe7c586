from typing import Literal

import pytest

from services.notifier.model.purposes import Purpose
from shared.events import MessageDelivered, MessageSent, MessageWithheld, StaffContact
from tests.integration.notifier.practice import Practice, at, contact_of
from tests.support.bench import KEYRING, running

PHONE = "+15550101234"


async def test_a_reminder_goes_out_once_with_day_time_and_sender(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.in_state("accepted")
    assert practice.exchange.to(PHONE) == [
        "Lakeside Clinic: your visit is on Friday, December 4 at 10:00 AM. Reply C to confirm, STOP to end texts."
    ]
    (sent,) = await practice.bench.said(MessageSent)
    assert (sent.purpose, sent.channel, sent.occurrence, sent.to) == ("reminder", "sms", "3d", "+1••••••1234")


async def test_a_spanish_patient_reads_spanish_at_the_sessions_wall_time(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE), zone="America/Los_Angeles", language="es")
    await practice.due(await practice.book(patient))
    await practice.in_state("accepted")
    (text,) = practice.exchange.to(PHONE)
    assert "viernes, 4 de diciembre a las 10:00 a.m." in text


@pytest.mark.parametrize(
    ("language", "zone", "words"),
    [
        ("en", "America/Los_Angeles", "December 4 at 10:00 AM New York time."),
        ("es", "America/Los_Angeles", "4 de diciembre a las 10:00 a.m. (hora de Nueva York)"),
        ("en", "America/Phoenix", "December 4 at 10:00 AM New York time."),
        # Another name for the same clock needs no explanation.
        ("en", "America/Detroit", "December 4 at 10:00 AM. Reply"),
        ("en", "America/New_York", "December 4 at 10:00 AM. Reply"),
    ],
)
async def test_nobody_is_left_to_guess_by_whose_clock_ten_is_meant(
    practice: Practice, language: Literal["en", "es"], zone: str, words: str
) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE), zone=zone, language=language)
    await practice.due(await practice.book(patient))
    await practice.in_state("accepted")
    (text,) = practice.exchange.to(PHONE)
    assert words in text
    assert await practice.exchange.text(practice.bench.base_url, PHONE, "C") == 200
    await practice.settled()
    assert words.split(". Reply", maxsplit=1)[0].removesuffix(".") in practice.exchange.to(PHONE)[1]


async def test_the_same_due_event_twice_plans_one_message(practice: Practice) -> None:
    session = await practice.book(await practice.enrol(contact_of("sms", PHONE)))
    for _ in range(3):
        await practice.due(session)
    await practice.settled()
    assert await practice.states() == ["accepted"]
    assert len(practice.exchange.ledger) == 1


async def test_a_session_moved_away_and_back_is_reminded_of_again(practice: Practice) -> None:
    session = await practice.book(await practice.enrol(contact_of("sms", PHONE)))
    await practice.due(session)
    await practice.settled()
    await practice.move(session, "2026-12-09T10:00")
    await practice.move(session, "2026-12-04T10:00")
    await practice.due(session)
    await practice.settled()
    assert len(practice.exchange.to(PHONE)) == 2


async def test_a_move_between_plan_and_send_withholds_the_old_time(resting: Practice) -> None:
    session = await resting.book(await resting.enrol(contact_of("sms", PHONE)))
    await resting.due(session)
    await resting.move(session, "2026-12-09T10:00")
    async with running(resting.bench.service):
        await resting.settled()
    message = await resting.only()
    assert (message.state, message.reason) == ("withheld", "session_moved")
    assert resting.exchange.ledger == []
    (withheld,) = await resting.bench.said(MessageWithheld)
    assert withheld.reason == "session_moved"


async def test_a_due_event_of_an_old_time_is_withheld_with_its_reason(practice: Practice) -> None:
    session = await practice.book(await practice.enrol(contact_of("sms", PHONE)))
    old = session.starts_at
    await practice.move(session, "2026-12-09T10:00")
    session.starts_at, session.version = old, 1
    await practice.due(session)
    await practice.in_state("withheld")
    assert (await practice.only()).reason == "session_moved"


async def test_a_cancelled_session_is_not_reminded_of(resting: Practice) -> None:
    session = await resting.book(await resting.enrol(contact_of("sms", PHONE)))
    await resting.due(session)
    await resting.cancel(session)
    assert (await resting.only()).reason == "session_over"


async def test_without_consent_the_refusal_is_on_record(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE, ("checkins",)))
    await practice.due(await practice.book(patient))
    await practice.in_state("withheld")
    assert (await practice.only()).reason == "no_consent"
    assert practice.exchange.requests == 0


async def test_quiet_hours_hold_a_text_visibly_until_the_patients_morning(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE), zone="Pacific/Honolulu")
    await practice.due(await practice.book(patient))  # noon in New York is 07:00 in Honolulu
    await practice.settled()
    answer = await practice.bench.call("GET", f"/patients/{patient}/messages")
    (shown,) = answer.json["items"]
    assert (shown["state"], shown["reason"], shown["due_at"]) == ("planned", "quiet_hours", "2026-12-01T18:00:00Z")
    assert any("held" in line["what"] for line in shown["story"])
    await practice.until(at("2026-12-01T08:00", "Pacific/Honolulu"))
    assert await practice.states() == ["accepted"]


async def test_a_patient_who_moves_east_is_not_kept_waiting_for_the_old_morning(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    patient = await practice.enrol(contact, zone="Pacific/Honolulu")
    await practice.due(await practice.book(patient))
    await practice.settled()
    await practice.enrol(contact, patient=patient, version=2)
    await practice.in_state("accepted")


async def test_the_daily_limit_keeps_the_rest_for_tomorrow(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    for day in (4, 5, 6, 7):
        await practice.due(await practice.book(patient, f"2026-12-0{day}T10:00"))
    await practice.settled()
    assert sorted(await practice.states()) == ["accepted", "accepted", "accepted", "planned"]
    await practice.until(at("2026-12-02T08:00"))
    assert await practice.states() == ["accepted"] * 4


async def test_a_checkin_link_is_sent_and_the_first_text_says_how_to_end_them(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.open_checkin(patient)
    await practice.settled()
    await practice.open_checkin(patient, "day-3")
    await practice.settled()
    first, second = practice.exchange.to(PHONE)
    assert first.endswith("https://care.example/c/abc Reply STOP to end texts.")
    assert second.endswith("https://care.example/c/abc")


async def test_of_several_checkins_that_gathered_only_the_latest_goes_out(resting: Practice) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    await resting.open_checkin(patient, "day-1")
    await resting.open_checkin(patient, "day-3")
    async with running(resting.bench.service):
        await resting.settled()
    assert await resting.states() == ["withheld", "accepted"]


async def test_a_page_wakes_staff_at_night_and_says_nothing_of_the_patient(practice: Practice) -> None:
    staff = StaffContact(kind="sms", value=KEYRING.seal("+15550109999", context="contact"))
    await practice.opens(version=2, oncall=(staff,))
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.clock.move_to(at("2026-12-02T03:00"))
    alert = await practice.alert(patient)
    await practice.in_state("accepted")
    (text,) = practice.exchange.to("+15550109999")
    assert text == f"Keepwell: an urgent task is waiting. Sign in: {practice.bench.base_url}"
    (sent,) = await practice.bench.said(MessageSent)
    assert (sent.purpose, sent.about) == (Purpose.PAGE, alert)


async def test_a_page_with_nobody_on_call_is_withheld_for_all_to_see(practice: Practice) -> None:
    await practice.alert(await practice.enrol(contact_of("sms", PHONE)))
    await practice.in_state("withheld")
    assert (await practice.only()).reason == "no_address"


async def test_nobody_who_booked_is_asked_to_book(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.booking_due(patient)
    await practice.settled()
    await practice.book(patient)
    await practice.booking_due(patient)
    await practice.settled()
    assert await practice.states() == ["accepted", "withheld"]


async def test_a_report_of_delivery_is_told_with_a_newer_version(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.in_state("accepted")
    assert await practice.exchange.report(practice.exchange.ledger[0], "delivered") == 204
    assert await practice.states() == ["delivered"]
    (sent,), (delivered,) = await practice.bench.said(MessageSent), await practice.bench.said(MessageDelivered)
    assert delivered.version > sent.version


async def test_texts_to_one_person_arrive_in_the_order_they_were_due(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    practice.exchange.script.extend(["hold"])
    await practice.due(await practice.book(patient, "2026-12-04T10:00"))
    await practice.exchange.held.wait()
    await practice.due(await practice.book(patient, "2026-12-05T10:00"))
    other = await practice.enrol(contact_of("sms", "+15550107777"))
    await practice.due(await practice.book(other))
    await practice.in_state("sending", "planned", "accepted")
    practice.exchange.go_on.set()
    await practice.in_state("accepted", "accepted", "accepted")
    assert ["December 4" in text for text in practice.exchange.to(PHONE)] == [True, False]
