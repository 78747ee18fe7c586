"""What people wrote is told again after records were lost: word for word, under the ids of then, and answered once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from services.notifier.retelling import retell
from services.notifier.tables import INBOUND
from shared.bus.tables import tables_of
from shared.events import ClinicChanged, CrisisTexts, PatientDischarged, ReplyReceived, UnknownNumberTexted
from shared.ids import new_id
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.integration.notifier.test_replies import PHONE, text
from tests.support.bench import KEYRING

TEXTS = {ReplyReceived.TYPE, UnknownNumberTexted.TYPE}


async def told(harness: NotifierHarness) -> list[tuple[Any, str, str]]:
    """Return id, type and body of what waits to be told of texts; it then counts as sent."""
    outbox = tables_of("notifier").outbox
    async with harness.bench.database.reading() as reader:
        rows = await reader.all(select(outbox).where(outbox.c.type.in_(TEXTS)).order_by(outbox.c.seq))
    await harness.bench.said(clear=True)
    return [(row.id, row.type, row.body) for row in rows]


async def told_again(harness: NotifierHarness) -> list[tuple[Any, str, str]]:
    await harness.bench.said(clear=True)
    await retell(harness.bench.database, KEYRING)
    return await told(harness)


@pytest.mark.parametrize("words", ["quiero suicidarme", "I dont want to be here anymore", "ok thanks", "STOP", "👍"])
async def test_a_text_whose_record_was_lost_is_not_left_unread(harness: NotifierHarness, words: str) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, words)
    first = await told(harness)
    assert len(first) == 1
    assert await told_again(harness) == first


async def test_the_crisis_text_does_not_go_out_again_with_it(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "I want to die")
    await harness.settled()
    before = harness.fake_provider.to(PHONE)
    assert len(before) == 1
    for _ in range(2):
        await told_again(harness)
        await harness.settled()
    assert harness.fake_provider.to(PHONE) == before


async def test_a_yes_is_told_again_for_the_session_and_version_that_it_was_for(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    first, second = await harness.book(patient), await harness.book(patient, "2026-12-05T10:00")
    for session in (first, second):
        await harness.due(session)
    await harness.settled()
    await text(harness, "C both")
    said = await told(harness)
    assert len(said) == 2
    await harness.move(first, "2026-12-07T10:00")
    assert await told_again(harness) == said


async def test_what_a_family_wrote_is_told_again_of_each_who_was_told_of(harness: NotifierHarness) -> None:
    mother = await harness.enrol(contact_of("sms", PHONE))
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "I want to die")
    said = await told(harness)
    assert len(said) == 2
    # Who has left the number since was its user when it was written.
    await harness.enrol(contact_of("sms", "+15550105555"), patient=mother, version=2)
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, patient=mother, version=3))
    assert await told_again(harness) == said


async def test_what_a_stranger_wrote_is_told_again_to_each_clinic(harness: NotifierHarness) -> None:
    other = ClinicChanged(
        clinic=new_id(),
        version=1,
        name="Harbor",
        sender_name="Harbor",
        zone="UTC",
        phone="+12025550100",
        crisis=CrisisTexts(en="Call 988.", es="Llame al 988."),
    )
    await harness.bench.tell(other)
    await text(harness, "no puedo más, quiero morir")
    said = await told(harness)
    assert [kind for _, kind, _ in said] == [UnknownNumberTexted.TYPE] * 2
    assert await told_again(harness) == said


async def test_a_text_that_an_older_version_kept_is_told_as_far_as_it_is_known(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "quiero suicidarme")
    await harness.clock.move_to(harness.clock.now() + timedelta(minutes=1))
    await text(harness, "I have the pills", number="+15550107777")
    said = await told(harness)
    async with harness.bench.database.transaction() as tx:
        await tx.execute(update(INBOUND).values(told=None))
    again = await told_again(harness)
    assert [each[:2] for each in again] == [each[:2] for each in said]
    reply = ReplyReceived.model_validate_json(again[0][2])
    assert (reply.patient, reply.intent, reply.flags) == (patient, "other", ("crisis",))
    assert reply.wrote is not None
    assert KEYRING.open(reply.wrote, context="reply") == "quiero suicidarme"


async def test_texts_of_long_ago_which_every_service_may_have_forgotten_are_not_told(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "I want to die")
    await harness.clock.move_to(harness.clock.now() + timedelta(days=30))
    assert len(await told_again(harness)) == 1
    await harness.clock.move_to(harness.clock.now() + timedelta(days=2))
    assert await told_again(harness) == []
