"""A check-in's link goes out once, and one that was made anew never by the way that died."""

import pytest

from shared.bus import NotYet
from shared.ids import new_id
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import running

PHONE, OTHER_PHONE = "+15550101234", "+15550105678"


async def test_a_link_that_was_made_anew_goes_out_once_and_never_to_the_number_before(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    checkin = await resting.open_checkin(patient)
    renewed = resting.checkin_told(patient, checkin, version=2, link="https://care.example/c/new", since=2)
    with pytest.raises(NotYet):
        await resting.bench.tell(renewed)
    await resting.enrol(contact_of("sms", OTHER_PHONE), patient=patient, version=2)
    await resting.bench.tell(renewed)
    await resting.bench.tell(renewed)
    states = {row.turn: (row.state, row.reason) for row in await resting.messages()}
    assert states == {"": ("withheld", "superseded"), "2": ("planned", None)}
    async with running(resting.bench.service):
        await resting.settled()
    assert resting.fake_provider.to(PHONE) == []
    (text,) = resting.fake_provider.to(OTHER_PHONE)
    assert "https://care.example/c/new" in text


async def test_a_late_word_of_an_older_link_takes_the_new_one_back_from_nobody(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    checkin = await resting.open_checkin(patient)
    await resting.bench.tell(resting.checkin_told(patient, checkin, version=3))
    await resting.bench.tell(resting.checkin_told(patient, checkin, version=1))
    assert {row.turn: row.state for row in await resting.messages()} == {"": "withheld", "3": "planned"}


async def test_two_links_that_were_made_anew_do_not_take_each_others_place(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    for occurrence in ("day-1", "day-7"):
        await resting.bench.tell(resting.checkin_told(patient, new_id(), version=2, occurrence=occurrence))
    assert await resting.states() == ["planned", "planned"]
