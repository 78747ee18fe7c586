"""A stop belongs to a number: whoever has it next is told so, and so is the clinic."""

from uuid import UUID

import pytest

from services.notifier.retelling import retell
from shared.events import ConsentChanged, PatientDischarged
from tests.integration.notifier.practice import ALL, Practice, contact_of
from tests.integration.notifier.test_replies import PHONE, text
from tests.support.bench import KEYRING


async def _told(practice: Practice) -> list[tuple[UUID, bool, str]]:
    return [(event.patient, event.granted, event.how) for event in await practice.bench.said(ConsentChanged)]


@pytest.mark.parametrize(("word", "how"), [("STOP", "text"), ("Please stop texting me", "text")])
async def test_who_comes_back_on_a_number_that_said_stop_is_never_thought_reachable(
    practice: Practice, word: str, how: str
) -> None:
    before = await practice.enrol(contact_of("sms", PHONE))
    await text(practice, word)
    await practice.bench.tell(PatientDischarged(clinic=practice.bench.clinic, patient=before, version=2))
    await practice.bench.said(clear=True)
    back = await practice.enrol(contact_of("sms", PHONE))
    assert await _told(practice) == [(back, False, how)]


async def test_a_stop_that_nobody_known_sent_is_told_of_whoever_has_the_number_next(practice: Practice) -> None:
    await text(practice, "STOP")
    assert await _told(practice) == []
    patient = await practice.enrol(contact_of("sms", PHONE, ()))
    assert await _told(practice) == [(patient, False, "text")]


async def test_a_number_with_a_stop_that_is_added_later_is_told_once(practice: Practice) -> None:
    await text(practice, "STOP")
    patient = await practice.enrol(contact_of("sms", "+15550105555"))
    assert await _told(practice) == []
    stopped = contact_of("sms", PHONE, ALL[:1])
    await practice.enrol(stopped, patient=patient, version=2)
    assert await _told(practice) == [(patient, False, "text")]
    await practice.enrol(stopped, patient=patient, version=3, language="es")
    assert len(await _told(practice)) == 1
    more = contact_of("sms", PHONE, ALL).model_copy(update={"id": stopped.id})
    await practice.enrol(more, patient=patient, version=4)
    assert len(await _told(practice)) == 2


async def test_a_number_that_wants_texts_again_is_told_as_such(practice: Practice) -> None:
    await text(practice, "STOP")
    patient = await practice.enrol(contact_of("sms", PHONE))
    await text(practice, "START")
    assert await _told(practice) == [(patient, False, "text"), (patient, True, "text")]
    await practice.enrol(contact_of("sms", PHONE))
    assert len(await _told(practice)) == 2


async def test_a_stop_whose_record_was_lost_is_told_again_and_no_other_is(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.enrol(contact_of("sms", "+15550105555"))
    await text(practice, "STOP")
    (first,) = await practice.bench.said(ConsentChanged)
    await practice.bench.said(clear=True)
    await retell(practice.bench.database, KEYRING)
    (again,) = await practice.bench.said(ConsentChanged)
    assert (again.patient, again.contact, again.granted, again.how) == (patient, first.contact, False, "text")
    assert (again.version, again.at) == (first.version + 1, first.at)
    await text(practice, "START")
    await practice.bench.said(clear=True)
    await retell(practice.bench.database, KEYRING)
    assert await practice.bench.said(ConsentChanged) == []
