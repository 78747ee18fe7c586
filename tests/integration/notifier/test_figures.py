"""The notifier's metrics tell an operator what stands in its tables and what the provider says."""

from datetime import timedelta

from shared.telemetry.metrics import REGISTRY
from tests.integration.notifier.practice import Practice, contact_of
from tests.support.figures import figure

PHONE = "+15550101234"


async def measured(practice: Practice) -> None:
    async with practice.bench.database.reading() as reader:
        await practice.bench.service.measure(reader)


async def test_a_message_that_should_have_gone_out_is_overdue_until_it_has(resting: Practice) -> None:
    await measured(resting)
    assert figure("keepwell_message_overdue_seconds") == 0
    patient = await resting.enrol(contact_of("sms", PHONE))
    await resting.due(await resting.book(patient))
    await resting.clock.move_by(timedelta(minutes=7))
    await measured(resting)
    assert figure("keepwell_message_overdue_seconds") == 420


async def test_a_message_that_waits_for_the_morning_is_not_overdue(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.clock.move_by(timedelta(hours=12))
    await practice.due(await practice.book(patient))
    await practice.settled()
    assert await practice.states() == ["planned"]
    await measured(practice)
    assert figure("keepwell_message_overdue_seconds") == 0


async def test_unknown_attempts_are_counted_with_the_age_of_the_oldest(practice: Practice) -> None:
    practice.exchange.script.append("lose")
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.in_state("unknown")
    await practice.clock.move_by(timedelta(seconds=30))
    await measured(practice)
    assert figure("keepwell_attempts_unknown") == 1
    assert figure("keepwell_attempts_unknown_oldest_seconds") == 30
    await practice.until(practice.clock.now() + timedelta(minutes=1))
    await practice.in_state("accepted")
    await measured(practice)
    assert figure("keepwell_attempts_unknown") == figure("keepwell_attempts_unknown_oldest_seconds") == 0


async def test_a_report_of_failure_counts_once_by_its_code_however_often_it_comes(practice: Practice) -> None:
    labels = {"channel": "sms", "meaning": "undelivered", "code": "30007"}
    before = REGISTRY.get_sample_value("keepwell_provider_errors_total", labels) or 0.0
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.in_state("accepted")
    for _ in range(3):
        await practice.exchange.report(practice.exchange.ledger[-1], "undelivered", "30007")
    await practice.in_state("undelivered")
    assert figure("keepwell_provider_errors_total", **labels) == before + 1


async def test_a_call_that_nobody_answers_counts_by_the_kind_of_error(practice: Practice) -> None:
    before = figure("keepwell_provider_calls_total", channel="sms", outcome="unknown")
    practice.exchange.script.append("broken")
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await practice.in_state("unknown")
    assert figure("keepwell_provider_calls_total", channel="sms", outcome="unknown") == before + 1
    assert figure("keepwell_provider_errors_total", channel="sms", meaning="unknown", code="HTTP 503") >= 1
