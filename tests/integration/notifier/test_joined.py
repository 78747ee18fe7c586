"""Two records of one person that were joined: what comes from either number stands where somebody looks, once."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.notifier.tables import MESSAGES
from shared.events import ConsentChanged, PatientDischarged, ReplyReceived, UnknownNumberTexted
from tests.integration.notifier.practice import Practice, at, contact_of
from tests.integration.notifier.test_replies import PHONE, text

OTHER = "+15550109876"


async def join(practice: Practice, closed: UUID, kept: UUID, *, version: int = 2) -> None:
    """Tell that a record was closed as the double of another one."""
    event = PatientDischarged(clinic=practice.bench.clinic, patient=closed, version=version, joined_into=kept)
    await practice.bench.tell(event)


async def heard(practice: Practice) -> list[UUID]:
    assert await practice.bench.said(UnknownNumberTexted) == []
    return [reply.patient for reply in await practice.bench.said(ReplyReceived)]


async def sent(practice: Practice) -> list[Any]:
    async with practice.bench.database.reading() as reader:
        return list(await reader.all(select(MESSAGES).order_by(MESSAGES.c.created_at)))


@pytest.mark.parametrize("words", ["When is my visit?", "i took all of them", "C", "no", "who is this"])
async def test_a_text_of_a_person_with_two_records_is_never_told_twice_nor_of_the_closed_one(
    practice: Practice, words: str
) -> None:
    closed, kept = [await practice.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    await text(practice, "Hello there", sid="SM-before")
    assert sorted(await heard(practice)) == sorted([closed, kept])
    await join(practice, closed, kept)
    await practice.bench.said(clear=True)
    await text(practice, words, sid="SM-after")
    assert await heard(practice) == [kept]


async def test_words_of_danger_from_the_closed_records_own_number_reach_the_record_that_is_looked_at(
    practice: Practice,
) -> None:
    closed = await practice.enrol(contact_of("sms", OTHER))
    kept = await practice.enrol(contact_of("sms", PHONE))
    await join(practice, closed, kept)
    await text(practice, "quiero suicidarme", OTHER)
    assert await heard(practice) == [kept]
    await practice.settled()
    assert len(practice.exchange.to(OTHER)) == 1, "the crisis text, once, to the number that wrote"
    (row,) = await sent(practice)
    assert row.patient == kept


async def test_a_yes_from_either_number_is_a_yes_to_the_visit_of_the_record_that_goes_on(practice: Practice) -> None:
    closed = await practice.enrol(contact_of("sms", OTHER))
    kept = await practice.enrol(contact_of("sms", PHONE))
    session = await practice.book(kept)
    await practice.due(session)
    await practice.settled()
    await join(practice, closed, kept)
    await text(practice, "C", OTHER)
    (reply,) = await practice.bench.said(ReplyReceived)
    assert (reply.patient, reply.intent, reply.session) == (kept, "confirm", session.id)


async def test_a_stop_on_either_number_holds_for_whoever_has_it(practice: Practice) -> None:
    closed = await practice.enrol(contact_of("sms", OTHER))
    first = contact_of("sms", PHONE)
    kept = await practice.enrol(first)
    await join(practice, closed, kept)
    await practice.bench.said(clear=True)
    await text(practice, "STOP", OTHER)
    (told,) = await practice.bench.said(ConsentChanged)
    assert (told.patient, told.granted) == (closed, False), "the contact point is that record's"
    await practice.bench.said(clear=True)
    moved = contact_of("sms", OTHER)
    await practice.enrol(first, moved, patient=kept, version=2)
    (again,) = await practice.bench.said(ConsentChanged)
    assert (again.patient, again.contact, again.granted) == (kept, moved.id, False)


async def test_what_was_planned_for_the_closed_record_is_never_sent_beside_what_the_other_gets(
    practice: Practice,
) -> None:
    await practice.until(at("2026-12-02T23:00"))
    closed, kept = [await practice.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    for patient in (closed, kept):
        # At night they wait for the morning.
        await practice.due(await practice.book(patient))
    await join(practice, closed, kept)
    await practice.until(at("2026-12-03T10:00"))
    await practice.settled()
    assert len(practice.exchange.to(PHONE)) == 1
    assert {(row.patient, str(row.state)) for row in await sent(practice)} >= {(closed, "withheld")}


async def test_a_record_that_was_joined_twice_over_leads_to_the_last(practice: Practice) -> None:
    first = await practice.enrol(contact_of("sms", OTHER))
    second, third = [await practice.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    await join(practice, first, second)
    await join(practice, second, third)
    await text(practice, "Hello there", OTHER)
    assert await heard(practice) == [third]


async def test_a_join_of_before_is_learnt_when_the_clinic_tells_it_anew(practice: Practice) -> None:
    closed = await practice.enrol(contact_of("sms", OTHER))
    kept = await practice.enrol(contact_of("sms", PHONE))
    await practice.bench.tell(PatientDischarged(clinic=practice.bench.clinic, patient=closed, version=2))
    await text(practice, "Hello there", OTHER, sid="SM-before")
    await join(practice, closed, kept)
    await join(practice, closed, kept)
    await text(practice, "Are you open?", OTHER, sid="SM-after")
    assert await heard(practice) == [closed, kept]
