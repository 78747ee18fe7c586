"""How long a record is tried before it is called dead."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

import shared.bus.consumer
from shared.bus.consumer import RECORDS, SESSION_TIMEOUT_MS, Consumer
from shared.bus.handlers import Handlers, NotYet
from shared.clock import RealClock
from shared.events import Topic

GIVEN_UP_AFTER = 300.0
"""Seconds without a poll after which a group takes its partitions from a consumer: aiokafka's own default."""
RESTART = 15.0
"""Seconds in which a process is started again and its consumers have their partitions."""


@dataclass
class Waits:
    """A clock whose pauses are only counted."""

    waited: float = 0.0

    def now(self) -> Any:
        return RealClock().now()

    async def pause(self, seconds: float) -> None:
        self.waited += seconds


@dataclass
class Letters:
    """Keeps what would be a dead letter."""

    kept: list[Any] = field(default_factory=list)

    async def send(self, records: list[Any]) -> None:
        self.kept += records


class Tried(Consumer):
    """A consumer whose only record fails until some seconds have gone by."""

    fails_for = 0.0
    error: Exception = NotYet("its patient has not arrived")

    async def _handle(self, _records: Any) -> None:
        if self._database.clock.waited < self.fails_for:  # type: ignore[attr-defined]
            raise type(self.error)(*self.error.args)


def consumer_that(error: Exception, *, fails_for: float) -> tuple[Tried, Letters]:
    letters = Letters()
    database: Any = SimpleNamespace(schema="toy", clock=Waits())
    consumer = Tried(database=database, handlers=Handlers(), topic=Topic.SCHEDULING, dead_letters=letters)  # type: ignore[arg-type]
    consumer.fails_for, consumer.error = fails_for, error
    return consumer, letters


def record(offset: int = 7) -> Any:
    return ConsumerRecord(str(Topic.SCHEDULING), 0, offset, 0, 0, b"key", b"{}", None, 3, 2, ())


async def test_what_has_not_arrived_is_awaited_for_longer_than_a_dead_consumer_takes_to_come_back() -> None:
    consumer, letters = consumer_that(NotYet("later"), fails_for=SESSION_TIMEOUT_MS / 1000 + RESTART)
    await consumer.consume((record(),))
    assert letters.kept == []


@pytest.mark.parametrize(("error", "most"), [(NotYet("never"), 60.0), (ValueError("bad"), 5.0)])
async def test_what_never_arrives_or_always_fails_is_called_dead_within_bounds(error: Exception, most: float) -> None:
    consumer, letters = consumer_that(error, fails_for=float("inf"))
    await consumer.consume((record(),))
    assert len(letters.kept) == 1
    assert consumer._database.clock.waited < most  # type: ignore[attr-defined]


async def waited_for_a_batch_in_which_everything_fails(error: Exception) -> float:
    consumer, letters = consumer_that(error, fails_for=float("inf"))
    await consumer.consume(tuple(record(offset) for offset in range(RECORDS)))
    assert len({record.key for record in letters.kept}) == RECORDS
    return float(consumer._database.clock.waited)  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [NotYet("never"), ValueError("bad")])
async def test_a_batch_in_which_every_record_fails_ends_before_its_group_gives_the_consumer_up(
    error: Exception,
) -> None:
    assert await waited_for_a_batch_in_which_everything_fails(error) < GIVEN_UP_AFTER / 3


@pytest.mark.parametrize("error", [NotYet("never"), ValueError("bad")])
async def test_if_each_record_had_all_its_patience_the_group_would_give_the_consumer_up(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(shared.bus.consumer, "_Patience", lambda: SimpleNamespace(left=float("inf")))
    assert await waited_for_a_batch_in_which_everything_fails(error) > GIVEN_UP_AFTER
