"""The figures that stand in Kafka and in the outbox, and how a process says that it cannot take them."""

import asyncio
from typing import Any, NoReturn
from uuid import uuid4

import pytest

from keepwell.host import sampler
from shared.bus import dead_letters, farewell
from shared.database import Transaction
from shared.events import PatientDischarged
from tests.conftest import TUESDAY_NOON
from tests.kafka.bus.conftest import Toy
from tests.support.bench import eventually
from tests.support.figures import figure


async def refuse(_tx: Transaction, _event: PatientDischarged) -> None:
    raise ValueError("no such ward")


async def test_a_dead_letter_is_counted_until_it_is_replayed(toy: Toy) -> None:
    engine = toy.make_engine()
    assert figure("keepwell_dead_letters_waiting", service="toy") == 0
    toy.reaction = refuse
    await engine.start()
    await toy.say(uuid4())
    await toy.quiet()
    await engine.sampler.round()
    assert figure("keepwell_dead_letters_waiting", service="toy") == 1
    assert figure("keepwell_dead_letters_total", service="toy", topic="keepwell.clinic") >= 1
    toy.reaction = None
    await dead_letters.replay(toy.kafka, await dead_letters.read_all(toy.kafka), now=TUESDAY_NOON)
    await toy.quiet()
    await engine.sampler.round()
    assert figure("keepwell_dead_letters_waiting", service="toy") == 0


async def test_lag_and_position_tell_what_a_group_has_done_and_what_not(toy: Toy) -> None:
    engine = toy.make_engine()
    await engine.start()
    for _ in range(7):
        await toy.say(uuid4())
    await toy.quiet()
    await engine.sampler.round()
    labels = {"group": "keepwell.toy.clinic", "topic": "keepwell.clinic"}
    assert figure("keepwell_consumer_lag_records", **labels) == 0
    assert figure("keepwell_consumer_committed_records", **labels) == 7
    assert figure("keepwell_hosted", service="toy") == 1
    assert figure("keepwell_problems") == 0


async def test_a_client_of_kafka_that_has_died_inside_is_replaced(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = toy.make_engine()
    await engine.start()
    await engine.sampler.round()
    assert engine.sampler.failing == {}
    inside: Any = engine.watch._watch
    # The task that learns where the brokers are is never started again; who waits for it waits for good.
    inside._client._sync_task.cancel()
    inside._client.force_metadata_update()
    monkeypatch.setattr(sampler, "RENEW_AFTER", 1e9)
    await engine.sampler.round()
    assert engine.sampler.failing == {"kafka": "TimeoutError"}
    monkeypatch.setattr(sampler, "RENEW_AFTER", 0.0)

    async def answered() -> bool:
        await engine.sampler.round()
        return engine.sampler.failing == {}

    await eventually(answered, seconds=60)
    assert engine.sampler.age("kafka") < 5


@pytest.mark.parametrize("dead", ["consumer", "admin", "dead letters"])
async def test_clients_that_never_end_keep_no_new_ones_from_being_asked(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, dead: str
) -> None:
    engine = toy.make_engine()
    await engine.start()
    await engine.sampler.round()
    before: dict[str, Any] = {
        "consumer": engine.watch._watch,
        "admin": engine.watch._admin,
        "dead letters": engine.sampler._backlog._consumer,
    }
    goodbye = "close" if dead == "admin" else "stop"
    end = getattr(before[dead], goodbye)
    monkeypatch.setattr(before[dead], goodbye, asyncio.Event().wait)
    monkeypatch.setattr(farewell, "FAREWELL", 0.2)
    monkeypatch.setattr(sampler, "RENEW_AFTER", 0.0)
    engine.sampler.failing["kafka"] = "TimeoutError"

    async def asked_anew() -> bool:
        await engine.sampler.round()
        return engine.sampler.failing == {}

    await eventually(asked_anew, seconds=30)
    assert engine.watch._watch is not before["consumer"]
    assert all(each._closed for name, each in before.items() if name != dead), "one that hangs keeps no other back"
    # A process would end one day; in this one the client left behind would be found by other tests.
    await end()


def away() -> NoReturn:
    raise OSError("connection refused")


async def test_a_database_that_is_away_makes_its_figures_old_and_no_other(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = toy.make_engine()
    await engine.start()
    await engine.sampler.round()
    assert engine.sampler.failing == {}
    assert figure("keepwell_problems") == 0
    monkeypatch.setattr(toy.database, "reading", away)
    before = engine.sampler.age("toy")
    await engine.sampler.round()
    assert engine.sampler.failing == {"toy": "OSError"}
    assert engine.sampler.age("toy") > before
    assert engine.sampler.age("toy") > engine.sampler.age("kafka")
    assert figure("keepwell_figures_age_seconds", source="toy") >= engine.sampler.age("kafka")
    assert figure("keepwell_problems") == 1
    monkeypatch.undo()
    await engine.sampler.round()
    assert engine.sampler.failing == {}
