from types import SimpleNamespace
from typing import Any, Self

import pytest
from aiokafka import TopicPartition

from shared.bus import gaps
from shared.bus.consumer import Consumer
from shared.bus.gaps import Gap, ReadPosition
from shared.bus.handlers import Handlers
from shared.events import Topic


@pytest.mark.parametrize(
    ("position", "gap"),
    [
        (ReadPosition(committed=5, noted=None, oldest=9), (5, 9)),
        (ReadPosition(committed=9, noted=None, oldest=9), None),
        (ReadPosition(committed=12, noted=None, oldest=9), None),
        (ReadPosition(committed=None, noted=None, oldest=9), None),
        (ReadPosition(committed=None, noted=5, oldest=9), (5, 9)),
        (ReadPosition(committed=None, noted=9, oldest=9), None),
        (ReadPosition(committed=0, noted=None, oldest=3), (0, 3)),
    ],
)
def test_a_group_that_kafka_has_forgotten_is_not_taken_for_one_that_missed_nothing(
    position: ReadPosition, gap: tuple[int, int] | None
) -> None:
    assert position.gap() == gap


class Client:
    """Kafka's client as far as offsets go."""

    def __init__(self, committed: int | None) -> None:
        self.at = committed

    async def committed(self, part: TopicPartition) -> int | None:
        del part
        return self.at


class Transaction:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def consumer(client: Client) -> Any:
    database: Any = SimpleNamespace(schema="toy", transaction=Transaction)
    made: Any = Consumer(
        database=database, handlers=Handlers(), topic=Topic.CLINIC, dead_letters=SimpleNamespace()  # type: ignore[arg-type]
    )  # fmt: skip
    made._client = client
    return made


def records(*offsets: int) -> Any:
    return [SimpleNamespace(topic="keepwell.clinic", partition=0, offset=offset) for offset in offsets]


@pytest.mark.parametrize(
    ("committed", "seen", "read", "missing"),
    [
        (3, None, (3, 4), []),
        (3, None, (7, 8), [(3, 7)]),
        (None, None, (7, 8), []),
        (3, 5, (5, 6), []),
        (3, 5, (9,), [(5, 9)]),
        # Another process had the partition in between, and read on.
        (9, 5, (9,), []),
        # It comes again after a batch that failed.
        (3, 5, (3, 4), []),
    ],
)
async def test_records_that_go_missing_while_it_runs_are_not_passed_over_in_silence(
    monkeypatch: pytest.MonkeyPatch,
    committed: int | None,
    seen: int | None,
    read: tuple[int, ...],
    missing: list[tuple[int, int]],
) -> None:
    noted: list[Gap] = []

    async def note(_tx: object, found: list[Gap]) -> None:
        noted.extend(found)

    monkeypatch.setattr(gaps, "note", note)
    reader = consumer(Client(committed))
    if seen is not None:
        reader._next[TopicPartition("keepwell.clinic", 0)] = seen
    ends = await reader._mind_gaps(records(*read))
    assert [(gap.first, gap.until) for gap in noted] == missing
    assert ends == {TopicPartition("keepwell.clinic", 0): read[-1] + 1}
