from typing import Literal

import pytest

from services.notifier.model.purposes import Purpose
from shared.events import MessageDelivered, MessageSent, MessageWithheld, StaffContact
from tests.integration.notifier.harness import NotifierHarness, at, contact_of
from tests.support.bench import KEYRING, running

PHONE = "+15550101234"


async def test_a_reminder_goes_out_once_with_day_time_and_sender(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")
    assert harness.fake_provider.to(PHONE) == [
        "Lakeside Clinic: your visit is on Friday, December 4 at 10:00 AM. Reply C to confirm, STOP to end texts."
    ]
    (sent,) = await harness.bench.said(MessageSent)
    assert (sent.purpose, sent.channel, sent.occurrence, sent.to) == ("reminder", "sms", "3d", "+1••••••1234")


async def test_a_spanish_patient_reads_spanish_at_the_sessions_wall_time(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE), zone="America/Los_Angeles", language="es")
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")
    (text,) = harness.fake_provider.to(PHONE)
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
    harness: NotifierHarness, language: Literal["en", "es"], zone: str, words: str
) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE), zone=zone, language=language)
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")
    (text,) = harness.fake_provider.to(PHONE)
    assert words in text
    assert await harness.fake_provider.text(harness.bench.base_url, PHONE, "C") == 200
    await harness.settled()
    assert words.split(". Reply", maxsplit=1)[0].removesuffix(".") in harness.fake_provider.to(PHONE)[1]


async def test_the_same_due_event_twice_plans_one_message(harness: NotifierHarness) -> None:
    session = await harness.book(await harness.enrol(contact_of("sms", PHONE)))
    for _ in range(3):
        await harness.due(session)
    await harness.settled()
    assert await harness.states() == ["accepted"]
    assert len(harness.fake_provider.ledger) == 1


async def test_a_session_moved_away_and_back_is_reminded_of_again(harness: NotifierHarness) -> None:
    session = await harness.book(await harness.enrol(contact_of("sms", PHONE)))
    await harness.due(session)
    await harness.settled()
    await harness.move(session, "2026-12-09T10:00")
    await harness.move(session, "2026-12-04T10:00")
    await harness.due(session)
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 2


async def test_a_move_between_plan_and_send_withholds_the_old_time(resting: NotifierHarness) -> None:
    session = await resting.book(await resting.enrol(contact_of("sms", PHONE)))
    await resting.due(session)
    await resting.move(session, "2026-12-09T10:00")
    async with running(resting.bench.service):
        await resting.settled()
    message = await resting.only()
    assert (message.state, message.reason) == ("withheld", "session_moved")
    assert resting.fake_provider.ledger == []
    (withheld,) = await resting.bench.said(MessageWithheld)
    assert withheld.reason == "session_moved"


async def test_a_due_event_of_an_old_time_is_withheld_with_its_reason(harness: NotifierHarness) -> None:
    session = await harness.book(await harness.enrol(contact_of("sms", PHONE)))
    old = session.starts_at
    await harness.move(session, "2026-12-09T10:00")
    session.starts_at, session.version = old, 1
    await harness.due(session)
    await harness.in_state("withheld")
    assert (await harness.only()).reason == "session_moved"


async def test_a_cancelled_session_is_not_reminded_of(resting: NotifierHarness) -> None:
    session = await resting.book(await resting.enrol(contact_of("sms", PHONE)))
    await resting.due(session)
    await resting.cancel(session)
    assert (await resting.only()).reason == "session_over"


async def test_without_consent_the_refusal_is_on_record(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE, ("checkins",)))
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld")
    assert (await harness.only()).reason == "no_consent"
    assert harness.fake_provider.requests == 0


async def test_quiet_hours_hold_a_text_visibly_until_the_patients_morning(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE), zone="Pacific/Honolulu")
    await harness.due(await harness.book(patient))  # noon in New York is 07:00 in Honolulu
    await harness.settled()
    answer = await harness.bench.call("GET", f"/patients/{patient}/messages")
    (shown,) = answer.json["items"]
    assert (shown["state"], shown["reason"], shown["due_at"]) == ("planned", "quiet_hours", "2026-12-01T18:00:00Z")
    assert any("held" in line["what"] for line in shown["story"])
    await harness.until(at("2026-12-01T08:00", "Pacific/Honolulu"))
    assert await harness.states() == ["accepted"]


async def test_a_patient_who_moves_east_is_not_kept_waiting_for_the_old_morning(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact, zone="Pacific/Honolulu")
    await harness.due(await harness.book(patient))
    await harness.settled()
    await harness.enrol(contact, patient=patient, version=2)
    await harness.in_state("accepted")


async def test_the_daily_limit_keeps_the_rest_for_tomorrow(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    for day in (4, 5, 6, 7):
        await harness.due(await harness.book(patient, f"2026-12-0{day}T10:00"))
    await harness.settled()
    assert sorted(await harness.states()) == ["accepted", "accepted", "accepted", "planned"]
    await harness.until(at("2026-12-02T08:00"))
    assert await harness.states() == ["accepted"] * 4


async def test_a_checkin_link_is_sent_and_the_first_text_says_how_to_end_them(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.open_checkin(patient)
    await harness.settled()
    await harness.open_checkin(patient, "day-3")
    await harness.settled()
    first, second = harness.fake_provider.to(PHONE)
    assert first.endswith("https://care.example/c/abc Reply STOP to end texts.")
    assert second.endswith("https://care.example/c/abc")


async def test_of_several_checkins_that_gathered_only_the_latest_goes_out(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    await resting.open_checkin(patient, "day-1")
    await resting.open_checkin(patient, "day-3")
    async with running(resting.bench.service):
        await resting.settled()
    assert await resting.states() == ["withheld", "accepted"]


async def test_a_page_wakes_staff_at_night_and_says_nothing_of_the_patient(harness: NotifierHarness) -> None:
    staff = StaffContact(kind="sms", value=KEYRING.seal("+15550109999", context="contact"))
    await harness.opens(version=2, oncall=(staff,))
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.clock.move_to(at("2026-12-02T03:00"))
    alert = await harness.alert(patient)
    await harness.in_state("accepted")
    (text,) = harness.fake_provider.to("+15550109999")
    assert text == f"Keepwell: an urgent task is waiting. Sign in: {harness.bench.base_url}"
    (sent,) = await harness.bench.said(MessageSent)
    assert (sent.purpose, sent.about) == (Purpose.PAGE, alert)


async def test_a_page_with_nobody_on_call_is_withheld_for_all_to_see(harness: NotifierHarness) -> None:
    await harness.alert(await harness.enrol(contact_of("sms", PHONE)))
    await harness.in_state("withheld")
    assert (await harness.only()).reason == "no_address"


async def test_nobody_who_booked_is_asked_to_book(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.booking_due(patient)
    await harness.settled()
    await harness.book(patient)
    await harness.booking_due(patient)
    await harness.settled()
    assert await harness.states() == ["accepted", "withheld"]


async def test_a_report_of_delivery_is_told_with_a_newer_version(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")
    assert await harness.fake_provider.report(harness.fake_provider.ledger[0], "delivered") == 204
    assert await harness.states() == ["delivered"]
    (sent,), (delivered,) = await harness.bench.said(MessageSent), await harness.bench.said(MessageDelivered)
    assert delivered.version > sent.version


async def test_texts_to_one_person_arrive_in_the_order_they_were_due(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    harness.fake_provider.script.extend(["hold"])
    await harness.due(await harness.book(patient, "2026-12-04T10:00"))
    await harness.fake_provider.held.wait()
    await harness.due(await harness.book(patient, "2026-12-05T10:00"))
    other = await harness.enrol(contact_of("sms", "+15550107777"))
    await harness.due(await harness.book(other))
    await harness.in_state("sending", "planned", "accepted")
    harness.fake_provider.go_on.set()
    await harness.in_state("accepted", "accepted", "accepted")
    assert ["December 4" in text for text in harness.fake_provider.to(PHONE)] == [True, False]
