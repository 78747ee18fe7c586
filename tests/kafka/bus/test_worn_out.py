"""Kafka's client can die inside a consumer, which then reads nothing for ever; and a stop must not wait for Kafka."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator

import shared.bus.consumer
from keepwell.host import engine as engines
from keepwell.host.engine import Engine
from tests.kafka.bus.conftest import Toy
from tests.support.bench import eventually


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "LOOK", 0.1)
    monkeypatch.setattr(shared.bus.consumer, "WORN_OUT", 2)


def kill_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the task that keeps the consumer's group meet an error that Kafka's client does not foresee, once."""
    alive = GroupCoordinator.ensure_coordinator_known

    async def unforeseen(self: GroupCoordinator) -> None:
        if self.group_id == "keepwell.toy.clinic":
            monkeypatch.setattr(GroupCoordinator, "ensure_coordinator_known", alive)
            raise RuntimeError("the handler is closed")
        await alive(self)

    monkeypatch.setattr(GroupCoordinator, "ensure_coordinator_known", unforeseen)


async def heard_one(toy: Toy) -> Engine:
    """Start an engine whose consumer works."""
    engine = toy.make_engine()
    await engine.start()
    await toy.say(uuid4())
    await toy.quiet()
    assert len(toy.heard) == 1
    return engine


def coordinator_of(engine: Engine) -> Any:
    """Return what keeps the group of the engine's only consumer."""
    (consumer,) = engine.consumers
    client: Any = consumer._subscriber.consumer
    return client._coordinator


async def die(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the client of the engine's consumer from the inside; return once it says so."""
    kill_inside(monkeypatch)
    coordinator_of(engine).coordinator_dead()

    async def said() -> bool:
        return any("reads nothing" in problem for problem in await engine.problems())

    await eventually(said, seconds=30)


async def test_a_consumer_whose_client_has_died_begins_anew_and_loses_nothing(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await heard_one(toy)
    await die(engine, monkeypatch)
    await toy.say(uuid4())

    async def heard_both() -> bool:
        return len(toy.heard) == 2

    await eventually(heard_both, seconds=60)
    assert await engine.problems() == []


async def test_without_that_it_reads_nothing_any_more(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_self: Engine) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Engine, "_renew", never)
    engine = await heard_one(toy)
    await die(engine, monkeypatch)
    await toy.say(uuid4())
    (consumer,) = engine.consumers

    async def long_worn_out() -> bool:
        return consumer._failures >= 4

    await eventually(long_worn_out, seconds=60)
    assert len(toy.heard) == 1


async def test_a_stop_does_not_wait_for_a_kafka_that_is_away(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = await heard_one(toy)
    monkeypatch.setattr(engine, "_stop_seconds", 1)
    gone, back = asyncio.Event(), asyncio.Event()
    known = GroupCoordinator.ensure_coordinator_known

    async def nobody_knows(self: GroupCoordinator) -> None:
        gone.set()
        await back.wait()
        await known(self)

    monkeypatch.setattr(GroupCoordinator, "ensure_coordinator_known", nobody_knows)
    coordinator_of(engine).coordinator_dead()
    await gone.wait()
    async with asyncio.timeout(30):
        await engine.stop()
    toy.engine = None
    # A process would end here; in this one the clients that were left behind would go on, and be found by other tests.
    back.set()
    await engine._broker.stop()
