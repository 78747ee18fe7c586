"""Is all quiet? And how far behind is each group?"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NotCoordinatorForGroupError

from shared.bus.address import Address, asking
from shared.bus.farewell import let_go
from shared.telemetry.metrics import Tells, gauge

_LAG: Final = gauge(
    "consumer_lag_records", "Records that a group has not committed yet.", "group", "topic", tells=Tells.WHOLE
)
_COMMITTED: Final = gauge(
    "consumer_committed_records",
    "Records that a group has committed: it stands still where a consumer does.",
    "group",
    "topic",
    tells=Tells.WHOLE,
)


class Watch:
    """Reads offsets of groups and topics without being a member of any group.

    Args:
        bootstrap_servers: Kafka's address.
        interests: the topics that each group consumes.
    """

    def __init__(self, bootstrap_servers: Address, interests: Mapping[str, Iterable[str]]) -> None:
        self._servers = bootstrap_servers
        self._interests = {group: sorted(topics) for group, topics in interests.items()}
        self._admin: AIOKafkaAdminClient | None = None
        self._watch: AIOKafkaConsumer | None = None
        self._partitions: dict[str, list[TopicPartition]] = {}
        self._coordinators: dict[str, int] = {}
        self._known: dict[str, dict[TopicPartition, int]] = {}

    async def start(self) -> None:
        """Connect, or connect anew: what asks meanwhile goes on with the clients so far.

        Raises:
            KafkaError: Kafka is away; the clients so far are kept.
        """
        admin = AIOKafkaAdminClient(**asking(self._servers))
        watch = AIOKafkaConsumer(**asking(self._servers), enable_auto_commit=False)
        try:
            await self._learn(admin, watch)
        except BaseException:
            await _let_go(admin, watch)
            raise
        before = self._admin, self._watch
        self._admin, self._watch = admin, watch
        self._coordinators.clear()
        await _let_go(*before)

    async def _learn(self, admin: AIOKafkaAdminClient, watch: AIOKafkaConsumer) -> None:
        await admin.start()
        await watch.start()
        topics = sorted({topic for wanted in self._interests.values() for topic in wanted})
        described = await admin.describe_topics(topics)
        self._partitions = {
            topic["topic"]: [TopicPartition(topic["topic"], part["partition"]) for part in topic["partitions"]]
            for topic in described
        }

    async def close(self) -> None:
        before = self._admin, self._watch
        self._admin = self._watch = None
        await _let_go(*before)

    async def lag(self) -> dict[str, dict[str, int]]:
        """Return the records behind, by group and topic, and export them as a metric."""
        committed = await self._committed(self._interests)
        ends, oldest = await self._ends(), await self._oldest()
        behind: dict[str, dict[str, int]] = {}
        for group, topics in self._interests.items():
            for topic in topics:
                parts = self._partitions[topic]
                # What is gone is not behind: nobody will ever read it.
                done = sum(max(committed[group].get(part, 0), oldest[part]) for part in parts)
                lag = sum(ends[part] for part in parts) - done
                behind.setdefault(group, {})[topic] = lag
                _LAG.labels(group, topic).set(lag)
                _COMMITTED.labels(group, topic).set(done)
        return behind

    async def read_positions(self) -> dict[str, dict[TopicPartition, tuple[int | None, int]]]:
        """Return by group and partition the committed offset, None where Kafka knows none, and the oldest record's."""
        offsets, oldest = await self._offsets(self._interests), await self._oldest()
        return {
            group: {part: (at if at >= 0 else None, oldest[part]) for part, at in found.items()}
            for group, found in offsets.items()
        }

    async def quiet(self, idle: Callable[[], Awaitable[bool]]) -> bool:
        """Tell whether nothing is on its way: outboxes, topics and attempts at one instant.

        Committed offsets that equal end offsets were equal to them at one instant, for the end offsets are read before
        them and once more at last, unmoved. `idle` is asked in between, so that its answer, whether outboxes hold
        nothing due and no attempt is in flight, holds for the same instant.
        """
        ends = await self._ends()
        # Offsets only grow: a group that was found at an end which has not moved is still there.
        await self._learn_committed([group for group in self._interests if self._behind(group, ends)])
        if any(self._behind(group, ends) for group in self._interests):
            return False
        return await idle() and await self._ends() == ends

    async def _learn_committed(self, groups: Sequence[str]) -> None:
        if not groups:
            return
        oldest = await self._oldest()
        for group, parts in (await self._committed(groups)).items():
            self._known[group] = {part: max(at, oldest[part]) for part, at in parts.items()}

    def _behind(self, group: str, ends: Mapping[TopicPartition, int]) -> bool:
        known = self._known.get(group)
        return known is None or any(
            known.get(part, 0) != ends[part] for topic in self._interests[group] for part in self._partitions[topic]
        )

    async def _committed(self, groups: Iterable[str]) -> dict[str, dict[TopicPartition, int]]:
        found = await self._offsets(groups)
        return {group: {part: max(at, 0) for part, at in parts.items()} for group, parts in found.items()}

    async def _offsets(self, groups: Iterable[str]) -> dict[str, dict[TopicPartition, int]]:
        """Return committed offsets by group and partition; -1 where Kafka knows none."""
        admin = self._admin
        if admin is None:
            raise RuntimeError("The watch was not started.")

        async def of_group(group: str) -> dict[TopicPartition, int]:
            wanted = [part for topic in self._interests[group] for part in self._partitions[topic]]
            for _ in range(2):
                # Known again only once it has answered: it may have died, or hang, and another broker have taken over.
                coordinator = self._coordinators.pop(group, None)
                if coordinator is None:
                    coordinator = await admin.find_coordinator(group)
                found = await admin.list_consumer_group_offsets(
                    group, group_coordinator_id=coordinator, partitions=wanted
                )
                # One that keeps them no more says so in a field that aiokafka does not read, and lists nothing: taken
                # for offsets, that would be a group which has read nothing yet.
                if found.keys() >= set(wanted):
                    self._coordinators[group] = coordinator
                    return {part: meta.offset for part, meta in found.items()}
            raise NotCoordinatorForGroupError(f"No broker tells the offsets of {group} just now.")

        asked = list(groups)
        return dict(zip(asked, await asyncio.gather(*map(of_group, asked)), strict=True))

    async def _oldest(self) -> dict[TopicPartition, int]:
        if self._watch is None:
            raise RuntimeError("The watch was not started.")
        every = [part for parts in self._partitions.values() for part in parts]
        oldest: dict[TopicPartition, int] = await self._watch.beginning_offsets(every)
        return oldest

    async def _ends(self) -> dict[TopicPartition, int]:
        if self._watch is None:
            raise RuntimeError("The watch was not started.")
        every = [part for parts in self._partitions.values() for part in parts]
        ends: dict[TopicPartition, int] = await self._watch.end_offsets(every)
        return ends


async def _let_go(admin: AIOKafkaAdminClient | None, watch: AIOKafkaConsumer | None) -> None:
    goodbyes: list[Awaitable[object]] = []
    if watch is not None:
        goodbyes.append(watch.stop())
    if admin is not None:
        goodbyes.append(admin.close())
    await let_go("watch", *goodbyes)
