"""A provider's list that cannot show what was sent is blind, not empty: a person decides, and nothing goes again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.commands import settling
from services.notifier.store import attempts
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import running

PHONES = [f"+1555010{index:04}" for index in range(5)]
LONG = timedelta(hours=3)


@pytest.fixture(params=["body", "to", "body and to", "to, search"])
async def redacting(resting: NotifierHarness, request: Any) -> AsyncIterator[NotifierHarness]:
    """A clinic whose account hides words, numbers or both, and whose provider resets after the write."""
    resting.fake_provider.redacted = request.param
    resting.fake_provider.script.extend(["lose"] * len(PHONES))
    for phone in PHONES:
        await resting.due(await resting.book(await resting.enrol(contact_of("sms", phone))))
    async with running(resting.bench.service):
        yield resting


async def notes(harness: NotifierHarness) -> list[str]:
    async with harness.bench.database.reading() as reader:
        said = await harness.bench.service.notes(reader)
    # This clinic has nobody on call, which is a finding of its own.
    return [note for note in said if "on call" not in note]


async def test_nobody_gets_a_text_twice_because_the_list_hides_what_was_sent(redacting: NotifierHarness) -> None:
    await redacting.until(redacting.clock.now() + LONG)
    assert [len(redacting.fake_provider.to(phone)) for phone in PHONES] == [1] * len(PHONES)
    assert await redacting.states() == ["unknown"] * len(PHONES)
    (note,) = await notes(redacting)
    assert note.startswith("of 5 texts nobody knows whether they went out")
    async with redacting.bench.database.reading() as reader:
        assert (await redacting.bench.service.status(reader))["unknown_for_a_person"] == len(PHONES)


async def test_a_person_says_of_each_whether_it_goes_again_and_it_does_not_by_itself(
    redacting: NotifierHarness,
) -> None:
    await redacting.until(redacting.clock.now() + LONG)
    async with redacting.bench.database.transaction() as tx:
        ids = [each.message.id for each in await attempts.for_a_person(tx)]
        assert await settling.decide(tx, ids[:1], go=True, who="Alma Reid") == 1
        assert await settling.decide(tx, ids[1:], go=False, who="Alma Reid") == len(ids) - 1
    await redacting.until(redacting.clock.now() + LONG)
    assert sorted(len(redacting.fake_provider.to(phone)) for phone in PHONES) == [1, 1, 1, 1, 2]
    assert sorted(await redacting.states()) == ["accepted", "failed", "failed", "failed", "failed"]
    assert await notes(redacting) == []


async def test_a_status_report_settles_what_the_list_hides(redacting: NotifierHarness) -> None:
    await redacting.until(redacting.clock.now() + timedelta(minutes=10))
    for sent in redacting.fake_provider.ledger:
        assert await redacting.fake_provider.report(sent, "delivered") == 204
    assert await redacting.states() == ["delivered"] * len(PHONES)
    assert await notes(redacting) == []


async def test_an_account_that_shows_words_and_numbers_is_still_believed_to_have_nothing(
    harness: NotifierHarness,
) -> None:
    harness.fake_provider.script.append("broken")
    await harness.due(await harness.book(await harness.enrol(contact_of("sms", PHONES[0]))))
    await harness.until(harness.clock.now() + LONG)
    assert len(harness.fake_provider.to(PHONES[0])) == 1
