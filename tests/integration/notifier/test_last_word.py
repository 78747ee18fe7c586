"""The last word about texts wins, in the order in which the words came."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import select

from services.notifier.history import HISTORY
from services.notifier.service import build
from services.notifier.tables import INBOUND, STOPS
from shared.clock import SteppedClock
from shared.database import Database
from tests.integration.notifier.conftest import SETTINGS
from tests.integration.notifier.fake_provider import FakeProvider
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import Bench, bench_of, eventually, running
from tests.support.databases import Databases

TRIPLES = 80
APART = (0.005, 0.05)


@pytest.fixture
async def doors(
    databases: Databases, clock: SteppedClock, phones: FakeProvider
) -> AsyncIterator[list[NotifierHarness]]:
    """Two notifiers of one clinic, each with its own connections; texts come to either."""
    first = await databases.fresh(HISTORY, clock)
    second = Database(first.url, schema=first.schema, clock=clock)
    async with AsyncExitStack() as stack:
        made: list[NotifierHarness] = []
        for database in (first, second):
            bench: Bench = await stack.enter_async_context(
                bench_of(build, database, clock, provider=phones.provider(), settings=SETTINGS)
            )
            if made:
                bench.clinic = made[0].bench.clinic
            made.append(NotifierHarness(bench, phones))
        await made[0].opens()
        yield made
    await second.close()
    await first.close()


async def text(harness: NotifierHarness, number: str, body: str) -> None:
    """Send a text on a connection of its own, as the provider may."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        alone = FakeProvider(http)
        assert await alone.text(harness.bench.base_url, number, body) == 200


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - how far apart the words come is what is tried


@pytest.mark.parametrize("count", [1, 2])
async def test_no_one_of_eighty_whose_last_word_was_stop_is_texted_again(
    doors: list[NotifierHarness], count: int
) -> None:
    chance = random.Random(count)  # noqa: S311 - order, not secrets
    doors = doors[:count]
    home = doors[0]
    people: dict[str, UUID] = {}
    for index in range(TRIPLES):
        people[f"+1202555{1000 + index}"] = await home.enrol(contact_of("sms", f"+1202555{1000 + index}"))
    sessions = [await home.book(patient) for patient in people.values()]

    async def last_word_is_stop(number: str) -> None:
        words: list[asyncio.Task[None]] = []
        for word in ("STOP", "START", "STOP"):
            words.append(asyncio.create_task(text(chance.choice(doors), number, word)))
            await pause(chance.uniform(*APART))
        await asyncio.gather(*words)

    async def small_talk() -> None:
        for index in range(60):
            await text(chance.choice(doors), f"+1303555{1000 + index % 7}", f"hello {index}")

    await asyncio.gather(small_talk(), *(last_word_is_stop(number) for number in people))
    async with home.bench.database.reading() as reader:
        assert len(await reader.all(select(STOPS))) == TRIPLES
    async with running(home.bench.service):
        for session in sessions:
            await home.due(session)
        await home.settled()

        async def judged() -> bool:
            rows = [row for row in await home.messages() if row.purpose == "reminder"]
            return len(rows) == TRIPLES and all(row.reason == "opted_out" for row in rows)

        await eventually(judged, seconds=30)
    assert not [sent for sent in home.fake_provider.ledger if "your visit is on" in sent.body]


async def test_one_after_the_other_each_word_counts(resting: NotifierHarness) -> None:
    await resting.enrol(contact_of("sms", "+12025550100"))
    for word, stopped in (("STOP", 1), ("START", 0), ("STOP", 1), ("START", 0)):
        await text(resting, "+12025550100", word)
        async with resting.bench.database.reading() as reader:
            assert len(await reader.all(select(STOPS))) == stopped


async def test_a_start_that_two_processes_cannot_tell_from_a_stop_brings_nothing_back(
    doors: list[NotifierHarness],
) -> None:
    first, second = doors
    await first.enrol(contact_of("sms", "+12025550100"))
    # In one instant: on a busy machine one after the other would be too far apart.
    await asyncio.gather(text(first, "+12025550100", "STOP"), text(second, "+12025550100", "START"))
    async with first.bench.database.transaction() as tx:
        assert len(await tx.all(select(STOPS))) == 1
        # Long ago by the machine's clock: then it is told apart.
        long_ago = INBOUND.c.arrived_at - timedelta(seconds=3)
        await tx.execute(INBOUND.update().values(arrived_at=long_ago, turn_at=long_ago))
    await text(second, "+12025550100", "START")
    async with first.bench.database.reading() as reader:
        assert len(await reader.all(select(STOPS))) == 0
