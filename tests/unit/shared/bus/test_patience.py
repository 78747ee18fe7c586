"""How long a record is tried before it is called dead."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from shared.bus.consumer import SESSION_TIMEOUT_MS, Consumer
from shared.bus.handlers import Handlers, NotYet
from shared.clock import RealClock
from shared.events import Topic

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
            raise self.error


def consumer_that(error: Exception, *, fails_for: float) -> tuple[Tried, Letters]:
    letters = Letters()
    database: Any = SimpleNamespace(schema="toy", clock=Waits())
    consumer = Tried(database=database, handlers=Handlers(), topic=Topic.SCHEDULING, dead_letters=letters)  # type: ignore[arg-type]
    consumer.fails_for, consumer.error = fails_for, error
    return consumer, letters


def record() -> Any:
    return ConsumerRecord(str(Topic.SCHEDULING), 0, 7, 0, 0, b"key", b"{}", None, 3, 2, ())


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
