from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import NotCoordinatorForGroupError
from aiokafka.structs import OffsetAndMetadata

from shared.bus.quiet import Watch

PART = TopicPartition("keepwell.clinic", 0)


class Brokers:
    """Answers as brokers do of which one keeps a group's offsets: the others list nothing, and raise nothing."""

    def __init__(self, keeps: int | None) -> None:
        self.keeps = keeps
        self.asked: list[int] = []

    async def find_coordinator(self, group: str) -> int:
        del group
        return self.keeps or 1

    async def list_consumer_group_offsets(
        self, group: str, *, group_coordinator_id: int, partitions: Any
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        del group, partitions
        self.asked.append(group_coordinator_id)
        return {PART: OffsetAndMetadata(7, "")} if group_coordinator_id == self.keeps else {}


def watch_of(brokers: Brokers, coordinator: int) -> Any:
    watch: Any = Watch("a:9092", {"keepwell.notifier.clinic": ["keepwell.clinic"]})
    watch._admin = brokers
    watch._partitions = {"keepwell.clinic": [PART]}
    watch._coordinators = {"keepwell.notifier.clinic": coordinator}
    return watch


async def test_a_groups_offsets_are_found_again_where_another_broker_keeps_them_now() -> None:
    brokers = Brokers(keeps=3)
    watch = watch_of(brokers, coordinator=1)
    for _ in range(2):
        assert await watch._committed(["keepwell.notifier.clinic"]) == {"keepwell.notifier.clinic": {PART: 7}}
    assert brokers.asked == [1, 3, 3]


async def test_offsets_that_no_broker_tells_are_not_taken_for_none() -> None:
    watch = watch_of(Brokers(keeps=None), coordinator=2)
    with pytest.raises(NotCoordinatorForGroupError):
        await watch._committed(["keepwell.notifier.clinic"])
