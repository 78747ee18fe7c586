"""A call whose outcome nobody knows: never twice, never forgotten."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.notifier.commands import settling
from services.notifier.model.call_outcomes import CallOutcome
from services.notifier.model.settling import Patience
from services.notifier.model.states import State
from services.notifier.ports import Letter
from services.notifier.ports.twilio import TwilioPort
from services.notifier.service import build
from services.notifier.tables import ATTEMPTS, CONTACT_POINTS
from shared.database import Transaction
from shared.events import MessageSent
from shared.settings import NotifierSettings, Settings
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import eventually, running

PHONE = "+15550101234"
MARGIN = timedelta(seconds=60)


async def lost_attempt(harness: NotifierHarness, word: str) -> None:
    harness.fake_provider.script.append(word)
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.in_state("unknown")


async def test_an_answer_that_was_lost_is_found_by_looking_and_never_sent_again(harness: NotifierHarness) -> None:
    await lost_attempt(harness, "lose")
    await harness.until(harness.clock.now() + MARGIN)
    await harness.in_state("accepted")
    assert harness.fake_provider.requests == 1
    message = await harness.only()
    assert message.sid == harness.fake_provider.ledger[0].sid
    assert "looked up: found" in await harness.story(message.id)
    assert len(await harness.bench.said(MessageSent)) == 1


async def test_an_error_of_the_server_after_it_took_the_message_is_unknown_not_failed(harness: NotifierHarness) -> None:
    await lost_attempt(harness, "broken after")
    await harness.until(harness.clock.now() + MARGIN)
    await harness.in_state("accepted")
    assert harness.fake_provider.requests == 1


async def test_what_the_provider_provably_does_not_have_is_sent_again(harness: NotifierHarness) -> None:
    await lost_attempt(harness, "broken")
    assert await harness.states() == ["unknown"]
    await harness.until(harness.clock.now() + timedelta(minutes=30))
    await harness.in_state("accepted")
    assert harness.fake_provider.requests == 2
    assert len(harness.fake_provider.to(PHONE)) == 1
    story = await harness.story((await harness.only()).id)
    assert story.count("looked up: nothing") == 3


async def test_a_list_that_lags_behind_does_not_make_a_second_text(harness: NotifierHarness) -> None:
    await lost_attempt(harness, "lose")
    harness.fake_provider.hidden = True
    await harness.until(harness.clock.now() + timedelta(seconds=180))
    assert await harness.states() == ["unknown"]
    harness.fake_provider.hidden = False
    await harness.until(harness.clock.now() + timedelta(minutes=30))
    assert await harness.states() == ["accepted"]
    assert harness.fake_provider.requests == 1


async def test_a_status_report_settles_what_is_unknown_before_any_look(harness: NotifierHarness) -> None:
    await lost_attempt(harness, "lose")
    assert await harness.fake_provider.report(harness.fake_provider.ledger[0], "sent") == 204
    assert await harness.states() == ["sent"]
    async with harness.bench.database.reading() as reader:
        assert (await harness.bench.service.status(reader))["unknown_attempts"] == 0


async def test_a_report_that_comes_after_all_looks_found_nothing_stops_the_second_sending(
    resting: NotifierHarness,
) -> None:
    async with running(resting.bench.service):
        await lost_attempt(resting, "lose")
        resting.fake_provider.hidden = True
        # Nothing may go out again before the report is here.
        resting.fake_provider.script.extend(["busy"] * 50)
        await resting.until(resting.clock.now() + timedelta(minutes=10))
        await resting.fake_provider.report(resting.fake_provider.ledger[0], "delivered")
        assert await resting.states() == ["delivered"]


async def test_a_number_that_is_reminded_twice_in_the_same_words_is_not_taken_for_one(harness: NotifierHarness) -> None:
    for _ in range(2):
        patient = await harness.enrol(contact_of("sms", PHONE))
        harness.fake_provider.script.append("lose")
        await harness.due(await harness.book(patient))
        await harness.settled()
    await harness.until(harness.clock.now() + timedelta(minutes=2))
    assert {row.sid for row in await harness.messages()} == {sent.sid for sent in harness.fake_provider.ledger}


async def test_a_report_of_a_text_that_was_taken_for_its_twin_is_never_refused_and_none_of_the_two_is_lost(
    harness: NotifierHarness,
) -> None:
    for word in ("broken", "lose"):  # of the first the provider has nothing, of the second it has a text
        patient = await harness.enrol(contact_of("sms", PHONE))
        harness.fake_provider.script.append(word)
        await harness.due(await harness.book(patient))
        await harness.settled()
    await harness.until(harness.clock.now() + MARGIN)
    await harness.in_state("accepted", "unknown")
    assert await harness.fake_provider.report(harness.fake_provider.ledger[0], "delivered") == 204
    await harness.until(harness.clock.now() + timedelta(minutes=30))
    assert sorted(await harness.states()) == ["accepted", "delivered"]
    assert {row.sid for row in await harness.messages()} == {sent.sid for sent in harness.fake_provider.ledger}


async def test_a_crash_after_the_provider_accepted_leaves_unknown_and_settles_without_a_second_text(
    resting: NotifierHarness,
) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    resting.fake_provider.script.append("hold")
    sender = asyncio.ensure_future(resting.bench.service.loops[0].run())
    await resting.due(await resting.book(patient))
    await resting.fake_provider.held.wait()
    # A process that dies says no farewell: its connections go, and with them its lock; its rows stay.
    other = build(resting.bench.context)
    await _kill(sender, resting)
    assert await resting.states() == ["sending"]
    async with running(other):
        await resting.in_state("unknown")
        await resting.until(resting.clock.now() + MARGIN)
        await resting.in_state("accepted")
    assert resting.fake_provider.requests == 1


async def _kill(sender: "asyncio.Future[None]", harness: NotifierHarness) -> None:
    for task in asyncio.all_tasks():
        if "_Run._call" in repr(task.get_coro()) or "_Run._store_all" in repr(task.get_coro()):
            task.cancel()
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
    harness.fake_provider.go_on.set()


async def test_a_living_senders_attempt_is_never_taken_over(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    resting.fake_provider.script.append("hold")
    async with running(resting.bench.service), running(build(resting.bench.context)):
        await resting.due(await resting.book(patient))
        await resting.fake_provider.held.wait()
        await resting.clock.move_by(timedelta(hours=1))
        await resting.clock.pause(1.5)  # two rounds of the settler, which must leave it alone
        assert await resting.states() == ["sending"]
        resting.fake_provider.go_on.set()
        await resting.in_state("accepted")
    assert resting.fake_provider.requests == 1


async def test_a_sender_that_is_told_to_stop_ends_its_calls_first(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    resting.fake_provider.script.append("hold")
    sender = asyncio.ensure_future(resting.bench.service.loops[0].run())
    await resting.due(await resting.book(patient))
    await resting.fake_provider.held.wait()
    sender.cancel()
    resting.fake_provider.go_on.set()
    await asyncio.gather(sender, return_exceptions=True)
    assert await resting.states() == ["accepted"]


async def test_two_senders_share_the_work_without_doubles(resting: NotifierHarness) -> None:
    numbers = [f"+1555020{number:04}" for number in range(200)]
    for number in numbers:
        patient = await resting.enrol(contact_of("sms", number))
        await resting.due(await resting.book(patient))
    async with running(resting.bench.service), running(build(resting.bench.context)):
        await resting.settled()
    assert Counter(sent.to for sent in resting.fake_provider.ledger) == Counter(numbers)
    async with resting.bench.database.reading() as reader:
        owners = {row.owner for row in await reader.all(select(ATTEMPTS.c.owner))}
    assert len(owners) == 2
    assert set(await resting.states()) == {State.ACCEPTED}


async def test_a_provider_that_asks_to_wait_is_asked_again_no_sooner(harness: NotifierHarness) -> None:
    harness.fake_provider.script.append("busy")
    start = harness.clock.now()
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))

    async def waits() -> bool:
        return bool((await harness.only()).next_at == start + timedelta(seconds=7))

    await eventually(waits)
    await harness.until(start + timedelta(seconds=6))
    assert harness.fake_provider.requests == 1
    await harness.until(start + timedelta(seconds=7))
    await harness.in_state("accepted")


async def test_a_provider_that_is_not_there_has_taken_nothing(resting: NotifierHarness) -> None:
    nowhere = replace(
        resting.bench.context, provider=resting.fake_provider.provider(twilio_base_url="http://127.0.0.1:9")
    )
    patient = await resting.enrol(contact_of("sms", PHONE))
    await resting.due(await resting.book(patient))
    async with running(build(nowhere)):
        await resting.in_state("planned")

        async def tried() -> bool:
            return "later" in " ".join(await resting.story((await resting.only()).id))

        await eventually(tried)
    async with running(resting.bench.service):
        await resting.until(resting.clock.now() + timedelta(seconds=5))
        await resting.in_state("accepted")


async def test_a_refused_account_keeps_its_messages_for_when_a_person_has_acted(harness: NotifierHarness) -> None:
    harness.fake_provider.script.append("forbid")
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.until(harness.clock.now() + timedelta(seconds=60))
    assert await harness.states() == ["accepted"]
    assert harness.fake_provider.requests == 2


async def test_a_sender_keeps_its_rate_over_all_processes(resting: NotifierHarness) -> None:
    slow = NotifierSettings(rate_per_second=2, concurrency=8)
    context = replace(resting.bench.context, settings=Settings(notifier=slow))
    services = [build(context), build(context)]
    for number in range(9):
        patient = await resting.enrol(contact_of("sms", f"+1555020000{number}"))
        await resting.due(await resting.book(patient))
    async with running(services[0]), running(services[1]):
        for seconds in range(4):
            # One second's worth may go at once, then two in each second.
            await resting.until(resting.clock.now() + timedelta(seconds=min(seconds, 1)), services[0])
            assert resting.fake_provider.requests == 2 * (seconds + 1)


async def test_one_message_that_cannot_be_made_does_not_keep_the_others(resting: NotifierHarness) -> None:
    bad = await resting.enrol(contact_of("sms", PHONE))
    good = await resting.enrol(contact_of("sms", "+15550105555"))
    for patient in (bad, good):
        await resting.due(await resting.book(patient))
    async with resting.bench.database.transaction() as tx:
        broken = update(CONTACT_POINTS).where(CONTACT_POINTS.c.patient == bad).values(value="k1.AAAA")
        await tx.execute(broken)
    async with running(resting.bench.service):
        await resting.in_state("failed", "accepted")
    assert {row.error for row in await resting.messages()} == {None, "unsendable"}


async def test_all_that_nobody_knows_of_after_an_outage_is_settled_together(
    harness: NotifierHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []
    store_looks = settling.store_looks

    async def counted(tx: Transaction, looks: Sequence[settling.Look], patience: Patience) -> None:
        together.append(len(looks))
        await store_looks(tx, looks, patience)

    monkeypatch.setattr(settling, "store_looks", counted)
    # Not in a row: a provider that loses everything is left alone.
    harness.fake_provider.script.extend(["lose", "accept"] * 12)
    for number in range(24):
        patient = await harness.enrol(contact_of("sms", f"+1555010{number:04d}"))
        await harness.due(await harness.book(patient))
    await harness.settled()
    assert Counter(await harness.states()) == {"unknown": 12, "accepted": 12}
    await harness.until(harness.clock.now() + MARGIN)
    assert Counter(await harness.states()) == {"accepted": 24}
    assert together == [12]


async def test_a_call_that_fails_in_a_way_that_nobody_foresaw_is_looked_up_like_every_other(
    harness: NotifierHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = TwilioPort.send

    async def sent_and_broken(self: TwilioPort, letter: Letter) -> CallOutcome:
        await send(self, letter)
        raise RuntimeError("the handler is closed")

    monkeypatch.setattr(TwilioPort, "send", sent_and_broken)
    await harness.due(await harness.book(await harness.enrol(contact_of("sms", PHONE))))
    await harness.in_state("unknown")
    await harness.until(harness.clock.now() + MARGIN)
    assert await harness.states() == ["accepted"]
    assert len(harness.fake_provider.to(PHONE)) == 1
