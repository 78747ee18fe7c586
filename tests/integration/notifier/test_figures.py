"""The notifier's metrics tell an operator what stands in its tables and what the provider says."""

from datetime import timedelta

from shared.telemetry.metrics import REGISTRY
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.figures import figure

PHONE = "+15550101234"


async def measured(harness: NotifierHarness) -> None:
    async with harness.bench.database.reading() as reader:
        await harness.bench.service.measure(reader)


async def test_a_message_that_should_have_gone_out_is_overdue_until_it_has(resting: NotifierHarness) -> None:
    await measured(resting)
    assert figure("keepwell_message_overdue_seconds") == 0
    patient = await resting.enrol(contact_of("sms", PHONE))
    await resting.due(await resting.book(patient))
    await resting.clock.move_by(timedelta(minutes=7))
    await measured(resting)
    assert figure("keepwell_message_overdue_seconds") == 420


async def test_a_message_that_waits_for_the_morning_is_not_overdue(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.clock.move_by(timedelta(hours=12))
    await harness.due(await harness.book(patient))
    await harness.settled()
    assert await harness.states() == ["planned"]
    await measured(harness)
    assert figure("keepwell_message_overdue_seconds") == 0


async def test_unknown_attempts_are_counted_with_the_age_of_the_oldest(harness: NotifierHarness) -> None:
    harness.fake_provider.script.append("lose")
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("unknown")
    await harness.clock.move_by(timedelta(seconds=30))
    await measured(harness)
    assert figure("keepwell_attempts_unknown") == 1
    assert figure("keepwell_attempts_unknown_oldest_seconds") == 30
    await harness.until(harness.clock.now() + timedelta(minutes=1))
    await harness.in_state("accepted")
    await measured(harness)
    assert figure("keepwell_attempts_unknown") == figure("keepwell_attempts_unknown_oldest_seconds") == 0


async def test_a_report_of_failure_counts_once_by_its_code_however_often_it_comes(harness: NotifierHarness) -> None:
    labels = {"channel": "sms", "meaning": "undelivered", "code": "30007"}
    before = REGISTRY.get_sample_value("keepwell_provider_errors_total", labels) or 0.0
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted")
    for _ in range(3):
        await harness.fake_provider.report(harness.fake_provider.ledger[-1], "undelivered", "30007")
    await harness.in_state("undelivered")
    assert figure("keepwell_provider_errors_total", **labels) == before + 1


async def test_a_call_that_nobody_answers_counts_by_the_kind_of_error(harness: NotifierHarness) -> None:
    before = figure("keepwell_provider_calls_total", channel="sms", outcome="unknown")
    harness.fake_provider.script.append("broken")
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("unknown")
    assert figure("keepwell_provider_calls_total", channel="sms", outcome="unknown") == before + 1
    assert figure("keepwell_provider_errors_total", channel="sms", meaning="unknown", code="HTTP 503") >= 1
