"""With the dead letters unwritable nothing is skipped, and readiness says so; once they can be written all goes on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from fastapi import FastAPI

import shared.bus.consumer
from keepwell.host.app import health
from shared.bus import dead_letters
from shared.bus.producer import NotSent
from shared.bus.topics import create_topics
from shared.events import PatientDischarged, Topic
from tests.kafka.bus import protections
from tests.kafka.bus.conftest import Toy
from tests.kafka.bus.poisons import GROUP, POISONS, TOPIC, event, good, put, put_unreadable, times
from tests.support.bench import eventually, served
from tests.support.kafkas import PARTITIONS

LETTERS = str(Topic.DEAD_LETTERS)
TINY, USUAL = "100", "4048576"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.bus.consumer, "ENVIRONMENT_PAUSE", 0.1)
    monkeypatch.setattr(shared.bus.producer, "SEND_TIMEOUT", 3.0)


@asynccontextmanager
async def admin(toy: Toy) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=toy.kafka)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def limit(toy: Toy, size: str) -> None:
    async with admin(toy) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, LETTERS, {"max.message.bytes": size})])


async def too_small(toy: Toy) -> Callable[[], Awaitable[Any]]:
    """Let the topic take no letter; return what mends it."""
    await limit(toy, TINY)
    return lambda: limit(toy, USUAL)


async def gone(toy: Toy) -> Callable[[], Awaitable[Any]]:
    """Take the topic away; return what mends it."""
    async with admin(toy) as client:
        await client.delete_topics([LETTERS])
    return lambda: create_topics(
        toy.kafka, partitions=PARTITIONS, replication=1, min_in_sync=1, retention_ms=86_400_000
    )


@asynccontextmanager
async def readiness(toy: Toy) -> AsyncIterator[Callable[[], Awaitable[tuple[int, list[str]]]]]:
    """Give a function that asks for readiness as a supervisor does."""
    assert toy.engine is not None
    app = FastAPI()
    app.include_router(health(toy.engine))
    async with served(app) as base, aiohttp.ClientSession() as http:

        async def ask() -> tuple[int, list[str]]:
            async with http.get(f"{base}/readyz") as answer:
                return answer.status, (await answer.json())["problems"]

        yield ask


Break = Callable[[Toy], Awaitable[Callable[[], Awaitable[Any]]]]


async def story(toy: Toy, breaking: Break) -> tuple[list[str], list[PatientDischarged]]:
    """Send a poison between neighbours while no letter can be written, then mend that; return what went wrong."""
    ones = [event(f"neighbour {number}") for number in range(6)]
    found: list[str] = []
    mend = await breaking(toy)
    await put(toy, [*map(good, ones[:3]), POISONS["a null body"](event()), *map(good, ones[3:])])
    await toy.make_engine().start()
    assert toy.engine is not None
    (consumer,), watch = toy.engine.consumers, toy.engine.watch

    refused, send = 0, consumer._dead_letters.send

    async def counted(records: Any) -> None:
        nonlocal refused
        try:
            await send(records)
        except NotSent:
            refused += 1
            raise

    consumer._dead_letters.send = counted  # type: ignore[method-assign]

    async def tried_or_past() -> bool:
        return refused > 0 or (await watch.lag())[GROUP][TOPIC] == 0

    async def told() -> bool:
        status, said = await ready()
        return status == 503 and any("is blocked: NotSent" in problem for problem in said)

    async with readiness(toy) as ready:
        await eventually(tried_or_past, seconds=60)
        if (await watch.lag())[GROUP][TOPIC] == 0:
            found.append("the poison was skipped")
        try:
            await eventually(told, seconds=5)
        except TimeoutError:
            found.append("readiness says nothing")
        await mend()
        await eventually(lambda: watch.quiet(toy.engine.idle), seconds=60)  # type: ignore[union-attr]
        _, said = await ready()
        if any("blocked" in problem for problem in said):
            found.append(f"not ready after the repair: {said}")
    if len(await dead_letters.read_all(toy.kafka)) != 1:
        found.append("it has no letter")
    found += [f"a neighbour was handled {times(toy, one)} times" for one in ones if times(toy, one) != 1]
    return found, ones


@pytest.mark.parametrize("breaking", [too_small, gone])
async def test_with_the_dead_letters_unwritable_nothing_is_skipped_and_readiness_says_so(
    toy: Toy, breaking: Break
) -> None:
    found, _ = await story(toy, breaking)
    assert found == []


async def test_if_a_letter_that_was_not_written_counted_as_written_its_record_would_be_skipped(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    protections.letter_before_the_next(monkeypatch)
    found, _ = await story(toy, too_small)
    assert found == ["the poison was skipped", "readiness says nothing", "it has no letter"]


async def test_if_a_consumer_kept_it_to_itself_readiness_would_not_know(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    protections.word_of_it(monkeypatch)
    found, _ = await story(toy, too_small)
    assert found == ["readiness says nothing"]


def in_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client's first records be those of all partitions at once, the last partition's behind the others'.

    Only what a client takes over together with the unreadable record is in danger, and Kafka cuts its answers as it
    likes.
    """
    getmany = AIOKafkaConsumer.getmany
    waiting = True

    async def together(client: AIOKafkaConsumer, *args: Any, **named: Any) -> Any:
        nonlocal waiting
        if waiting and TOPIC in client.subscription():
            held = client._fetcher._records

            async def all_there() -> bool:
                return len(held) == PARTITIONS

            await eventually(all_there, seconds=60)
            held.move_to_end(TopicPartition(TOPIC, PARTITIONS - 1))
            waiting = False
        return await getmany(client, *args, **named)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", together)


async def bytes_that_cannot_be_taken_apart(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put good records in some partitions and one that no client reads in the last; return what went wrong."""
    for partition in range(PARTITIONS - 1):
        await put(toy, [good(event())], partition=partition)
    await put_unreadable(toy, partition=PARTITIONS - 1)
    in_one_answer(monkeypatch)
    await toy.make_engine().start()
    assert toy.engine is not None
    (subscriber,) = toy.engine._broker.subscribers
    client: Any = subscriber.consumer  # type: ignore[attr-defined]

    async def told() -> bool:
        status, said = await ready()
        return status == 503 and any("is blocked: UnicodeDecodeError" in problem for problem in said)

    async def read() -> bool:
        return bool(sum([await client.position(part) for part in client.assignment()]) >= PARTITIONS - 1)

    async def back() -> bool:
        return all([await client.position(part) == (await client.committed(part) or 0) for part in client.assignment()])

    found: list[str] = []

    async def look(condition: Callable[[], Awaitable[bool]], otherwise: str, seconds: float = 4) -> None:
        try:
            await eventually(condition, seconds=seconds)
        except TimeoutError:
            found.append(otherwise)

    async with readiness(toy) as ready:
        await look(read, "never read", 20)
        await look(told, "not told")
        await look(back, "others were skipped")
    return found


async def test_a_header_whose_name_is_no_utf_8_lets_nothing_be_skipped_and_readiness_says_so(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await bytes_that_cannot_be_taken_apart(toy, monkeypatch) in ([], ["never read"]), (
        "it may be back before anyone looks"
    )


async def test_without_rewinding_a_header_whose_name_is_no_utf_8_takes_other_partitions_records_with_it(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    protections.rewinding(monkeypatch)
    assert await bytes_that_cannot_be_taken_apart(toy, monkeypatch) == ["not told", "others were skipped"]
