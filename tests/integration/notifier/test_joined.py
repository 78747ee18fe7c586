"""Two records of one person that were joined: what comes from either number stands where somebody looks, once."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.notifier.tables import MESSAGES
from shared.events import ConsentChanged, PatientDischarged, ReplyReceived, UnknownNumberTexted
from tests.integration.notifier.harness import NotifierHarness, at, contact_of
from tests.integration.notifier.test_replies import PHONE, text

OTHER = "+15550109876"


async def join(harness: NotifierHarness, closed: UUID, kept: UUID, *, version: int = 2) -> None:
    """Tell that a record was closed as the duplicate of another one."""
    event = PatientDischarged(clinic=harness.bench.clinic, patient=closed, version=version, joined_into=kept)
    await harness.bench.tell(event)


async def heard(harness: NotifierHarness) -> list[UUID]:
    assert await harness.bench.said(UnknownNumberTexted) == []
    return [reply.patient for reply in await harness.bench.said(ReplyReceived)]


async def sent(harness: NotifierHarness) -> list[Any]:
    async with harness.bench.database.reading() as reader:
        return list(await reader.all(select(MESSAGES).order_by(MESSAGES.c.created_at)))


@pytest.mark.parametrize("words", ["When is my visit?", "i took all of them", "C", "no", "who is this"])
async def test_a_text_of_a_person_with_two_records_is_never_told_twice_nor_of_the_closed_one(
    harness: NotifierHarness, words: str
) -> None:
    closed, kept = [await harness.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    await text(harness, "Hello there", sid="SM-before")
    assert sorted(await heard(harness)) == sorted([closed, kept])
    await join(harness, closed, kept)
    await harness.bench.said(clear=True)
    await text(harness, words, sid="SM-after")
    assert await heard(harness) == [kept]


async def test_words_of_danger_from_the_closed_records_own_number_reach_the_record_that_is_looked_at(
    harness: NotifierHarness,
) -> None:
    closed = await harness.enrol(contact_of("sms", OTHER))
    kept = await harness.enrol(contact_of("sms", PHONE))
    await join(harness, closed, kept)
    await text(harness, "quiero suicidarme", OTHER)
    assert await heard(harness) == [kept]
    await harness.settled()
    assert len(harness.fake_provider.to(OTHER)) == 1, "the crisis text, once, to the number that wrote"
    (row,) = await sent(harness)
    assert row.patient == kept


async def test_a_yes_from_either_number_is_a_yes_to_the_visit_of_the_record_that_goes_on(
    harness: NotifierHarness,
) -> None:
    closed = await harness.enrol(contact_of("sms", OTHER))
    kept = await harness.enrol(contact_of("sms", PHONE))
    session = await harness.book(kept)
    await harness.due(session)
    await harness.settled()
    await join(harness, closed, kept)
    await text(harness, "C", OTHER)
    (reply,) = await harness.bench.said(ReplyReceived)
    assert (reply.patient, reply.intent, reply.session) == (kept, "confirm", session.id)


async def test_a_stop_on_either_number_holds_for_whoever_has_it(harness: NotifierHarness) -> None:
    closed = await harness.enrol(contact_of("sms", OTHER))
    first = contact_of("sms", PHONE)
    kept = await harness.enrol(first)
    await join(harness, closed, kept)
    await harness.bench.said(clear=True)
    await text(harness, "STOP", OTHER)
    (told,) = await harness.bench.said(ConsentChanged)
    assert (told.patient, told.granted) == (closed, False), "the contact point is that record's"
    await harness.bench.said(clear=True)
    moved = contact_of("sms", OTHER)
    await harness.enrol(first, moved, patient=kept, version=2)
    (again,) = await harness.bench.said(ConsentChanged)
    assert (again.patient, again.contact, again.granted) == (kept, moved.id, False)


async def test_what_was_planned_for_the_closed_record_is_never_sent_beside_what_the_other_gets(
    harness: NotifierHarness,
) -> None:
    await harness.until(at("2026-12-02T23:00"))
    closed, kept = [await harness.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    for patient in (closed, kept):
        # At night they wait for the morning.
        await harness.due(await harness.book(patient))
    await join(harness, closed, kept)
    await harness.until(at("2026-12-03T10:00"))
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 1
    assert {(row.patient, str(row.state)) for row in await sent(harness)} >= {(closed, "withheld")}


async def test_a_record_that_was_joined_twice_over_leads_to_the_last(harness: NotifierHarness) -> None:
    first = await harness.enrol(contact_of("sms", OTHER))
    second, third = [await harness.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    await join(harness, first, second)
    await join(harness, second, third)
    await text(harness, "Hello there", OTHER)
    assert await heard(harness) == [third]


async def test_a_join_of_before_is_learnt_when_the_clinic_tells_it_anew(harness: NotifierHarness) -> None:
    closed = await harness.enrol(contact_of("sms", OTHER))
    kept = await harness.enrol(contact_of("sms", PHONE))
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, patient=closed, version=2))
    await text(harness, "Hello there", OTHER, sid="SM-before")
    await join(harness, closed, kept)
    await join(harness, closed, kept)
    await text(harness, "Are you open?", OTHER, sid="SM-after")
    assert await heard(harness) == [closed, kept]
