"""How many dead letters wait for a person, without reading all of them again each time."""

from collections import Counter
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.bus.address import Address, asking
from shared.bus.dead_letters import PREFIX
from shared.bus.farewell import let_go
from shared.events import Topic

_FETCH_MS: Final = 200
_REPLAYED: Final = f"{PREFIX}replayed"
_GROUP: Final = f"{PREFIX}group"


class DeadLetterBacklog:
    """Follows the dead letters and remembers which were not replayed yet; it is no member of any group.

    Args:
        bootstrap_servers: Kafka's address.
    """

    def __init__(self, bootstrap_servers: Address) -> None:
        self._servers = bootstrap_servers
        self._partition = TopicPartition(str(Topic.DEAD_LETTERS), 0)
        self._consumer: AIOKafkaConsumer | None = None
        self._waiting: dict[bytes, str] = {}

    async def start(self) -> None:
        """Connect; raises `KafkaError` where Kafka is away."""
        consumer = AIOKafkaConsumer(**asking(self._servers), enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign([self._partition])
            await consumer.seek_to_beginning(self._partition)
        except BaseException:
            await let_go("dead letters", consumer.stop())
            raise
        self._waiting.clear()
        self._consumer = consumer

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await let_go("dead letters", consumer.stop())

    async def waiting(self) -> Counter[str]:
        """Read what came since the last time and return how many letters wait, by service."""
        if self._consumer is None:
            raise RuntimeError("The backlog was not started.")
        end = (await self._consumer.end_offsets([self._partition]))[self._partition]
        while await self._consumer.position(self._partition) < end:
            batch = await self._consumer.getmany(self._partition, timeout_ms=_FETCH_MS)
            for record in batch.get(self._partition, []):
                self._read(record)
        return Counter(self._waiting.values())

    def _read(self, record: ConsumerRecord[bytes, bytes]) -> None:
        # Our headers stand before those of the record that died, which may have any name: the first one tells.
        name, value = record.headers[0] if record.headers else ("", b"")
        letter = record.key or b""
        if name == _REPLAYED:
            self._waiting.pop(letter, None)
        elif name == _GROUP:
            self._waiting[letter] = _service_of(value or b"")


def _service_of(group: bytes) -> str:
    """Return the service of a group's name, which is `keepwell.<service>.<topic>`."""
    _, _, rest = group.decode(errors="replace").partition(".")
    return rest.partition(".")[0]
