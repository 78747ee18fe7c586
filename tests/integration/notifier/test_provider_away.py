"""A provider that answers nobody: one text at a time is in doubt, the others wait where they are."""

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from services.notifier import settler
from services.notifier.model.call_outcomes import CallOutcome
from services.notifier.model.circuit_breaker import IN_A_ROW, CircuitBreaker
from services.notifier.model.settling import Patience
from services.notifier.service import build
from shared.service import Service
from shared.settings import NotifierSettings, Settings
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import eventually, running

PATIENTS = 60
CALLS = 4
"""Side by side."""


def phone(number: int) -> str:
    return f"+1555010{number:04}"


async def all_due(harness: NotifierHarness) -> Service:
    """Let a reminder of each patient be due at a provider that resets every connection; return a notifier."""
    for number in range(PATIENTS):
        await harness.due(await harness.book(await harness.enrol(contact_of("sms", phone(number)))))
    harness.fake_provider.away = True
    few = Settings(notifier=NotifierSettings(provider_timeout=5, concurrency=CALLS))
    return build(replace(harness.bench.context, settings=few))


def hopeful(self: CircuitBreaker, outcome: CallOutcome, *, turn: int) -> CircuitBreaker:
    """Expect of the next call as much as of the one before, whatever became of it."""
    del outcome, turn
    return self


async def in_doubt(harness: NotifierHarness) -> int:
    return Counter(await harness.states())["unknown"]


async def all_in_doubt(harness: NotifierHarness) -> bool:
    return await in_doubt(harness) == PATIENTS


async def test_few_are_in_doubt_the_others_keep_their_place_and_all_go_out_once_it_is_back(
    resting: NotifierHarness,
) -> None:
    service = await all_due(resting)
    placed = {row.id: row.next_at for row in await resting.messages()}
    async with running(service):

        async def tried() -> bool:
            return resting.fake_provider.requests >= IN_A_ROW + CALLS + 2

        await eventually(tried)
        kept = [row for row in await resting.messages() if row.state == "planned"]
        assert len(kept) >= PATIENTS - 2 * (IN_A_ROW + CALLS)
        assert all(row.next_at == placed[row.id] for row in kept)
        resting.fake_provider.away = False

        async def all_others_out() -> bool:
            states = Counter(await resting.states())
            return states["accepted"] == PATIENTS - states["unknown"]

        await eventually(all_others_out)
        doubted = await in_doubt(resting)
        assert 0 < doubted <= 2 * (IN_A_ROW + CALLS)
    assert Counter(len(resting.fake_provider.to(phone(number))) for number in range(PATIENTS)) == {
        1: PATIENTS - doubted,
        0: doubted,
    }


async def test_without_it_every_text_is_in_doubt(resting: NotifierHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CircuitBreaker, "after", hopeful)
    service = await all_due(resting)
    async with running(service):
        await eventually(partial(all_in_doubt, resting))


async def test_what_was_not_called_says_so(resting: NotifierHarness) -> None:
    service = await all_due(resting)
    async with running(service):

        async def gave_back() -> bool:
            stories = [await resting.story(row.id) for row in await resting.messages() if row.state == "planned"]
            return any("not called: the provider answers nobody" in " ".join(story) for story in stories)

        await eventually(gave_back)


async def test_a_list_that_shows_nothing_to_anyone_is_left_alone_for_the_rest_of_the_round(
    resting: NotifierHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CircuitBreaker, "after", hopeful)
    service = await all_due(resting)
    async with running(service):
        await eventually(partial(all_in_doubt, resting))
    await resting.clock.move_by(Patience().margin)
    monkeypatch.setattr(settler, "ROUND", 3600.0)
    a_round, ended = settler.Settler.round, asyncio.Event()

    async def noted(self: settler.Settler) -> bool:
        saw = await a_round(self)
        ended.set()
        return saw

    monkeypatch.setattr(settler.Settler, "round", noted)
    loop = next(each for each in service.loops if each.name == "settler")
    settling = asyncio.ensure_future(loop.run())
    try:
        async with asyncio.timeout(60):
            await ended.wait()
        looked = await looks(resting)
        assert settler.BLIND_IN_A_ROW <= looked < settler.BLIND_IN_A_ROW + settler.SIDE_BY_SIDE
    finally:
        settling.cancel()


async def looks(harness: NotifierHarness) -> int:
    stories = [await harness.story(row.id) for row in await harness.messages()]
    return sum("looked up" in line for story in stories for line in story)
