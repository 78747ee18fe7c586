"""A patient whose discharge was a mistake: written to as before, and never against what was said meanwhile."""

from uuid import UUID

from shared.events import PatientDischarged
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.integration.notifier.test_replies import PHONE, text
from tests.support.bench import running

AT = contact_of("sms", PHONE)


async def _leaves(harness: NotifierHarness, patient: UUID, version: int = 2) -> None:
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=version, patient=patient))


async def test_who_is_put_back_in_care_is_never_left_without_reminders(harness: NotifierHarness) -> None:
    patient = await harness.enrol(AT)
    await _leaves(harness, patient)
    await harness.enrol(AT, patient=patient, version=3, back=True)
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")


async def test_a_second_word_of_discharge_that_comes_late_withholds_nothing(resting: NotifierHarness) -> None:
    patient = await resting.enrol(AT)
    await _leaves(resting, patient)
    await resting.enrol(AT, patient=patient, version=3, back=True)
    await resting.due(await resting.book(patient))
    await _leaves(resting, patient)
    assert (await resting.only()).reason is None


async def test_a_stop_said_while_discharged_is_never_forgotten_at_the_return(harness: NotifierHarness) -> None:
    patient = await harness.enrol(AT)
    await _leaves(harness, patient)
    await text(harness, "STOP")
    await harness.enrol(AT, patient=patient, version=3, back=True)
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld")


async def test_what_the_discharge_withheld_is_never_sent_at_the_return(harness: NotifierHarness) -> None:
    patient = await harness.enrol(AT)
    session = await harness.book(patient)
    await _leaves(harness, patient)
    await harness.due(session)
    await harness.in_state("withheld")
    await harness.enrol(AT, patient=patient, version=3, back=True)
    await harness.in_state("withheld")
    assert harness.fake_provider.to(PHONE) == []


async def test_a_change_never_brings_back_who_was_discharged(harness: NotifierHarness) -> None:
    patient = await harness.enrol(AT)
    await _leaves(harness, patient)
    await harness.enrol(AT, patient=patient, version=3)
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld")


async def test_a_return_whose_event_was_lost_leaves_nobody_without_reminders(harness: NotifierHarness) -> None:
    patient = await harness.enrol(AT)
    await _leaves(harness, patient)
    await harness.enrol(AT, patient=patient, version=4, in_care=True)
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")


async def test_a_discharge_whose_event_was_lost_lets_nothing_out_after_the_next_change(
    resting: NotifierHarness,
) -> None:
    patient = await resting.enrol(AT)
    await resting.due(await resting.book(patient))
    await resting.enrol(AT, patient=patient, version=3, in_care=False)
    assert (await resting.only()).reason == "discharged"
    await resting.due(await resting.book(patient, "2026-12-05T10:00"))
    async with running(resting.bench.service):
        await resting.in_state("withheld", "withheld")
    assert resting.fake_provider.to(PHONE) == []


async def test_a_change_of_long_ago_that_comes_late_brings_nobody_back(harness: NotifierHarness) -> None:
    patient = await harness.enrol(AT)
    await _leaves(harness, patient, version=3)
    await harness.enrol(AT, patient=patient, version=2, in_care=True)
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld")
