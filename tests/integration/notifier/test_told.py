"""Whoever was told a time hears that it no longer holds, once, before acting on it; else staff are asked to call."""

from datetime import timedelta

import pytest

from shared.events import MessagePlanned, MessageWithheld, SessionBooked, SessionMissed
from tests.integration.notifier.harness import NotifierHarness, Session, at, contact_of

PHONE = "+12025550123"
SOON = timedelta(minutes=2)


async def reminded(harness: NotifierHarness, *, zone: str = "America/New_York", language: str = "en") -> Session:
    """Return Tuesday at ten, of which the patient was reminded on Monday at ten; it is Monday, three o'clock."""
    patient = await harness.enrol(contact_of("sms", PHONE), zone=zone, language=language)  # type: ignore[arg-type]  # a literal
    session = await harness.book(patient, "2026-12-15T10:00")
    await harness.clock.move_to(at("2026-12-14T10:00"))
    await harness.due(session, "1d")
    await harness.until(at("2026-12-14T15:00"))
    assert len(harness.fake_provider.to(PHONE)) == 1
    return session


async def soon(harness: NotifierHarness) -> list[str]:
    """Live two minutes on and return what came after the reminder."""
    await harness.until(harness.clock.now() + SOON)
    return harness.fake_provider.to(PHONE)[1:]


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("2026-12-15T14:00", "has moved to Tuesday, December 15 at 2:00 PM"),
        ("2026-12-14T18:00", "has moved to Monday, December 14 at 6:00 PM"),
        ("2026-12-15T09:45", "has moved to Tuesday, December 15 at 9:45 AM"),
        ("2027-01-05T10:00", "has moved to Tuesday, January 5 at 10:00 AM"),
    ],
)
async def test_nobody_is_left_with_the_old_time_after_a_move(harness: NotifierHarness, new: str, words: str) -> None:
    session = await reminded(harness)
    await harness.move(session, new)
    (text,) = await soon(harness)
    assert words in text
    (planned,) = await harness.bench.said(MessagePlanned)
    assert (planned.occurrence, planned.about, planned.in_time) == ("moved", session.id, True)
    assert planned.goes_at == at("2026-12-14T15:01")


async def test_nobody_travels_to_a_cancelled_visit_they_were_reminded_of(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.cancel(session)
    (text,) = await soon(harness)
    assert "your visit on Tuesday, December 15 at 10:00 AM will not take place" in text


async def test_a_yes_does_not_keep_the_new_time_from_being_told(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.fake_provider.text(harness.bench.base_url, PHONE, "C")
    await harness.confirm(session)
    await harness.settled()
    await harness.move(session, "2026-12-15T14:00")
    answer, text = await soon(harness)
    assert "we expect you" in answer
    assert "2:00 PM" in text


async def test_a_spanish_patient_is_not_told_in_english(harness: NotifierHarness) -> None:
    session = await reminded(harness, language="es")
    await harness.cancel(session)
    (text,) = await soon(harness)
    assert "no tendra lugar" in text  # á is not among a text's characters


async def test_two_moves_in_a_minute_never_make_two_texts(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.move(session, "2026-12-15T14:00")
    await harness.until(harness.clock.now() + timedelta(seconds=50))
    await harness.move(session, "2026-12-15T16:00")
    (text,) = await soon(harness)
    assert "4:00 PM" in text


async def test_a_move_and_a_cancel_in_a_minute_name_the_time_that_was_told(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.move(session, "2026-12-17T14:00")
    await harness.cancel(session)
    (text,) = await soon(harness)
    assert "your visit on Tuesday, December 15 at 10:00 AM will not take place" in text


async def test_a_move_there_and_back_within_a_minute_is_not_told(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.move(session, "2026-12-15T14:00")
    await harness.move(session, "2026-12-15T10:00")
    assert await soon(harness) == []


async def test_a_move_there_and_back_after_the_first_was_told_is_told_again(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.move(session, "2026-12-15T14:00")
    await soon(harness)
    await harness.move(session, "2026-12-15T10:00")
    _, back = await soon(harness)
    assert "has moved to Tuesday, December 15 at 10:00 AM" in back


async def test_a_cancelled_visit_that_stands_after_all_is_not_kept_from_the_patient(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.cancel(session)
    await soon(harness)
    session.version += 1
    await harness.tell_session(SessionBooked, session, "booked")
    _, text = await soon(harness)
    assert "December 15 at 10:00 AM takes place after all" in text


async def test_a_session_restored_after_a_wrong_cancel_is_never_left_without_its_reminder(
    harness: NotifierHarness,
) -> None:
    session = await harness.book(await harness.enrol(contact_of("sms", PHONE)), "2026-12-15T10:00")
    await harness.clock.move_to(at("2026-12-14T05:00"))
    await harness.due(session, "1d")
    await harness.cancel(session)
    await harness.restore(session)
    await harness.due(session, "1d")
    await harness.until(at("2026-12-14T10:00"))
    (text,) = harness.fake_provider.to(PHONE)
    assert "December 15 at 10:00 AM" in text


async def test_a_session_restored_after_its_cancel_was_told_stands_after_all(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.cancel(session)
    await soon(harness)
    await harness.restore(session)
    _, text = await soon(harness)
    assert "December 15 at 10:00 AM takes place after all" in text


async def test_who_was_told_nothing_is_not_texted_about_a_change(harness: NotifierHarness) -> None:
    session = await harness.book(await harness.enrol(contact_of("sms", PHONE)), "2026-12-15T10:00")
    await harness.move(session, "2026-12-15T14:00")
    await harness.cancel(session)
    await harness.until(harness.clock.now() + SOON)
    assert harness.fake_provider.to(PHONE) == []


async def test_an_event_that_comes_again_tells_nothing_twice(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.cancel(session)
    await soon(harness)
    session.version -= 1
    await harness.cancel(session)
    assert len(await soon(harness)) == 1


async def test_a_change_at_night_waits_for_the_morning_and_says_so(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.clock.move_to(at("2026-12-14T22:00"))
    await harness.move(session, "2026-12-15T14:00")
    assert await soon(harness) == []
    (planned,) = await harness.bench.said(MessagePlanned)
    assert (planned.goes_at, planned.in_time) == (at("2026-12-15T08:00"), True)
    await harness.until(at("2026-12-15T08:00"))
    assert "2:00 PM" in harness.fake_provider.to(PHONE)[1]


async def test_a_morning_that_comes_after_the_old_start_asks_for_a_call(harness: NotifierHarness) -> None:
    session = await reminded(harness, zone="America/Los_Angeles")  # told ten in New York, which is seven there
    await harness.clock.move_to(at("2026-12-15T02:00"))
    await harness.move(session, "2026-12-16T10:00")
    await soon(harness)
    (planned,) = await harness.bench.said(MessagePlanned)
    assert (planned.goes_at, planned.in_time) == (at("2026-12-15T11:00"), False)


async def test_a_notice_that_cannot_come_before_the_new_start_is_not_lost_in_silence(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.clock.move_to(at("2026-12-14T22:00"))
    await harness.move(session, "2026-12-15T07:30")
    assert await soon(harness) == []
    (withheld,) = await harness.bench.said(MessageWithheld)
    assert (withheld.occurrence, withheld.about, withheld.reason) == ("moved", session.id, "too_late")


async def test_who_said_stop_meanwhile_gets_no_notice_and_staff_learn_of_it(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.fake_provider.text(harness.bench.base_url, PHONE, "STOP")
    await harness.settled()
    await harness.cancel(session)
    assert await soon(harness) == []
    (withheld,) = await harness.bench.said(MessageWithheld)
    assert (withheld.occurrence, withheld.reason) == ("cancelled", "opted_out")


async def test_a_full_day_of_texts_does_not_keep_a_change_for_tomorrow(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    for day in (16, 17):
        await harness.due(await harness.book(session.patient, f"2026-12-{day}T10:00"))
    await harness.settled()
    await harness.cancel(session)
    assert "will not take place" in (await soon(harness))[-1]


async def test_a_visit_that_took_place_or_was_missed_is_no_change(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    session.version += 1
    await harness.tell_session(SessionMissed, session, "missed")
    assert await soon(harness) == []


async def test_c_to_a_notice_confirms_the_new_time(harness: NotifierHarness) -> None:
    session = await reminded(harness)
    await harness.move(session, "2026-12-15T14:00")
    await soon(harness)
    await harness.fake_provider.text(harness.bench.base_url, PHONE, "C")
    await harness.settled()
    assert "we expect you on Tuesday, December 15 at 2:00 PM" in harness.fake_provider.to(PHONE)[-1]
