"""Kafka's topics, made before the first service starts; auto-creation is off."""

from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.bus.address import Address, options
from shared.bus.producer import HEADROOM, MAX_LETTER_BYTES, MAX_RECORD_BYTES
from shared.events import Topic

FOREVER: Final = "-1"


async def create_topics(
    bootstrap_servers: Address, *, partitions: int, replication: int, min_in_sync: int, retention_ms: int
) -> list[str]:
    """Create the topics that are missing; return their names.

    Raises:
        KafkaError: a topic could not be created.
    """
    admin = AIOKafkaAdminClient(**options(bootstrap_servers))
    await admin.start()
    try:
        missing = sorted(set(Topic) - set(await admin.list_topics()))
        wanted = [
            NewTopic(
                name=str(topic),
                num_partitions=1 if topic is Topic.DEAD_LETTERS else partitions,
                replication_factor=replication,
                topic_configs={
                    "max.message.bytes": str(largest(topic) + HEADROOM),
                    "min.insync.replicas": str(min_in_sync),
                    "retention.ms": FOREVER if topic is Topic.DEAD_LETTERS else str(retention_ms),
                },
            )
            for topic in missing
        ]
        if wanted:
            answer = await admin.create_topics(wanted)
            for name, code, *message in answer.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise KafkaError(f"Topic {name} could not be created: {error.__name__} {message}")
        return [str(topic) for topic in missing]
    finally:
        await admin.close()


def largest(topic: Topic) -> int:
    """Return the bytes of the largest record that is meant for a topic."""
    return MAX_LETTER_BYTES if topic is Topic.DEAD_LETTERS else MAX_RECORD_BYTES
