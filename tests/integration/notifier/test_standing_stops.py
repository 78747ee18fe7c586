"""A stop belongs to a number: whoever has it next is told so, and so is the clinic."""

from uuid import UUID

import pytest

from services.notifier.retelling import retell
from shared.events import ConsentChanged, PatientDischarged
from tests.integration.notifier.harness import ALL, NotifierHarness, contact_of
from tests.integration.notifier.test_replies import PHONE, text
from tests.support.bench import KEYRING


async def _told(harness: NotifierHarness) -> list[tuple[UUID, bool, str]]:
    return [(event.patient, event.granted, event.how) for event in await harness.bench.said(ConsentChanged)]


@pytest.mark.parametrize(("word", "how"), [("STOP", "text"), ("Please stop texting me", "text")])
async def test_who_comes_back_on_a_number_that_said_stop_is_never_thought_reachable(
    harness: NotifierHarness, word: str, how: str
) -> None:
    before = await harness.enrol(contact_of("sms", PHONE))
    await text(harness, word)
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, patient=before, version=2))
    await harness.bench.said(clear=True)
    back = await harness.enrol(contact_of("sms", PHONE))
    assert await _told(harness) == [(back, False, how)]


async def test_a_stop_that_nobody_known_sent_is_told_of_whoever_has_the_number_next(harness: NotifierHarness) -> None:
    await text(harness, "STOP")
    assert await _told(harness) == []
    patient = await harness.enrol(contact_of("sms", PHONE, ()))
    assert await _told(harness) == [(patient, False, "text")]


async def test_a_number_with_a_stop_that_is_added_later_is_told_once(harness: NotifierHarness) -> None:
    await text(harness, "STOP")
    patient = await harness.enrol(contact_of("sms", "+15550105555"))
    assert await _told(harness) == []
    stopped = contact_of("sms", PHONE, ALL[:1])
    await harness.enrol(stopped, patient=patient, version=2)
    assert await _told(harness) == [(patient, False, "text")]
    await harness.enrol(stopped, patient=patient, version=3, language="es")
    assert len(await _told(harness)) == 1
    more = contact_of("sms", PHONE, ALL).model_copy(update={"id": stopped.id})
    await harness.enrol(more, patient=patient, version=4)
    assert len(await _told(harness)) == 2


async def test_a_number_that_wants_texts_again_is_told_as_such(harness: NotifierHarness) -> None:
    await text(harness, "STOP")
    patient = await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "START")
    assert await _told(harness) == [(patient, False, "text"), (patient, True, "text")]
    await harness.enrol(contact_of("sms", PHONE))
    assert len(await _told(harness)) == 2


async def test_a_stop_whose_record_was_lost_is_told_again_and_no_other_is(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.enrol(contact_of("sms", "+15550105555"))
    await text(harness, "STOP")
    (first,) = await harness.bench.said(ConsentChanged)
    await harness.bench.said(clear=True)
    await retell(harness.bench.database, KEYRING)
    (again,) = await harness.bench.said(ConsentChanged)
    assert (again.patient, again.contact, again.granted, again.how) == (patient, first.contact, False, "text")
    assert (again.version, again.at) == (first.version + 1, first.at)
    await text(harness, "START")
    await harness.bench.said(clear=True)
    await retell(harness.bench.database, KEYRING)
    assert await harness.bench.said(ConsentChanged) == []
