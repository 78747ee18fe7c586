from types import SimpleNamespace
from typing import Any, Self

import pytest
from aiokafka import TopicPartition

from shared.bus import gaps
from shared.bus.consumer import REWINDS, Consumer
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


PART = TopicPartition("keepwell.clinic", 0)


class Client:
    """Kafka's client as far as offsets go."""

    def __init__(self, committed: int | None, oldest: int = 0) -> None:
        self.at = committed
        self.oldest = oldest
        self.sought: list[int] = []

    async def committed(self, part: TopicPartition) -> int | None:
        del part
        return self.at

    async def beginning_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, self.oldest)

    def assignment(self) -> set[TopicPartition]:
        return {PART}

    def seek(self, part: TopicPartition, offset: int) -> None:
        assert part == PART
        self.sought.append(offset)


class Transaction:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def consumer() -> Any:
    async def pause(_seconds: float) -> None:
        return None

    database: Any = SimpleNamespace(schema="toy", transaction=Transaction, clock=SimpleNamespace(pause=pause))
    return Consumer(
        database=database, handlers=Handlers(), topic=Topic.CLINIC, dead_letters=SimpleNamespace()  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[Gap]:
    found: list[Gap] = []

    async def note(_tx: object, gaps: list[Gap]) -> None:
        found.extend(gaps)

    monkeypatch.setattr(gaps, "note", note)
    return found


@pytest.mark.parametrize(
    ("committed", "seen", "oldest", "read", "missing", "again"),
    [
        (3, None, 0, (3, 4), [], []),
        (3, None, 7, (7, 8), [(3, 7)], []),
        (None, None, 7, (7, 8), [], []),
        (3, 5, 0, (5, 6), [], []),
        (3, 5, 9, (9,), [(5, 9)], []),
        # Another process had the partition in between, and read on.
        (9, 5, 0, (9,), [], []),
        # It comes again after a batch that failed.
        (3, 5, 0, (3, 4), [], []),
        # Nothing is gone: the group's offset was set back, or the client left something out.
        (3, None, 0, (7, 8), [], [3]),
        (3, 5, 0, (9,), [], [5]),
        # Some is gone, and some is not.
        (3, None, 5, (7, 8), [(3, 5)], [5]),
        # More is gone by now than when it was read.
        (3, None, 9, (7, 8), [(3, 7)], []),
    ],
)
async def test_records_that_go_missing_while_it_runs_are_not_passed_over_in_silence(
    noted: list[Gap],
    *,
    committed: int | None,
    seen: int | None,
    oldest: int,
    read: tuple[int, ...],
    missing: list[tuple[int, int]],
    again: list[int],
) -> None:
    reader, client = consumer(), Client(committed, oldest)
    if seen is not None:
        reader._next[PART] = seen
    assert await reader._follows(client, {PART: read[0]}) == (not again)
    assert [(gap.first, gap.until) for gap in noted] == missing
    assert client.sought == again


async def test_a_log_with_a_hole_is_told_and_does_not_stop_its_readers_for_ever(noted: list[Gap]) -> None:
    reader, client = consumer(), Client(3)
    answers = [await reader._follows(client, {PART: 7}) for _ in range(REWINDS + 1)]
    assert answers == [False] * REWINDS + [True]
    assert [(gap.first, gap.until) for gap in noted] == [(3, 7)]


async def test_a_batch_that_cannot_be_checked_is_read_again(noted: list[Gap]) -> None:
    class Away(Client):
        async def committed(self, part: TopicPartition) -> int | None:
            raise ConnectionError(f"no broker for {part}")

    reader, client = consumer(), Away(3)
    assert not await reader._follows(client, {PART: 7})
    assert (client.sought, noted) == ([7], [])
    assert reader.blocked == f"ConnectionError: no broker for {PART}"
