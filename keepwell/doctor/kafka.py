"""Kafka: reached, its topics there and as the settings say, every partition written by enough replicas."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from keepwell.doctor.finding import Finding, Installation
from keepwell.host.infrastructure import DAY_MS
from shared.bus import dead_letters
from shared.bus.address import options, servers_of
from shared.events import Topic
from shared.settings import Settings

FOREVER: Final = -1
LIMITS: Final = ("min.insync.replicas", "retention.ms", "cleanup.policy")


async def topics(installation: Installation) -> list[Finding]:
    address = installation.kafka
    if address is None:
        return [Finding("kafka", well=False, detail="nothing runs here, and no address is set", remedy="keepwell up")]
    admin = AIOKafkaAdminClient(**options(address))
    try:
        await admin.start()
        missing = sorted(set(map(str, Topic)) - set(await admin.list_topics()))
        if missing:
            detail = f"missing: {', '.join(missing)}"
            return [Finding("topics", well=False, detail=detail, remedy="keepwell migrate makes them")]
        described = await admin.describe_topics(sorted(map(str, Topic)))
        configured = await _limits(admin)
        letters = [letter for letter in await dead_letters.read_all(address) if letter.replayed_at is None]
    except (KafkaError, OSError, TimeoutError) as error:
        detail = f"{servers_of(address)}: {type(error).__name__}"
        remedy = "check KEEPWELL_KAFKA_BOOTSTRAP_SERVERS, KEEPWELL_KAFKA_SECURITY_PROTOCOL and what belongs to it"
        return [Finding("kafka", well=False, detail=detail, remedy=remedy)]
    finally:
        await admin.close()
    found = [Finding("kafka", well=True, detail=f"{servers_of(address)} answers")]
    flaws = [flaw for topic in described for flaw in _flaws(topic, configured[topic["topic"]], installation.settings)]
    if flaws:
        remedy = "see docs/operations.md, Kafka: topics are made once, and changed with Kafka's own tools"
        found.append(Finding("topics", well=False, detail="; ".join(flaws), remedy=remedy))
    else:
        found.append(Finding("topics", well=True, detail=f"{len(described)}, each as the settings say"))
    if letters:
        detail = f"{len(letters)} wait for a person"
        remedy = "keepwell dead-letters list; mend the cause, then keepwell dead-letters replay"
        found.append(Finding("dead letters", well=False, detail=detail, remedy=remedy))
    return found


async def _limits(admin: AIOKafkaAdminClient) -> dict[str, dict[str, str]]:
    wanted = [ConfigResource(ConfigResourceType.TOPIC, str(topic), dict.fromkeys(LIMITS, "")) for topic in Topic]
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(wanted):
        for _, _, _, name, entries in answer.resources:
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _flaws(topic: Mapping[str, Any], limits: Mapping[str, str], settings: Settings) -> Iterator[str]:
    """Yield what is wrong with a topic, in plain words."""
    name, partitions = topic["topic"], topic["partitions"]
    letters = name == str(Topic.DEAD_LETTERS)
    wanted = 1 if letters else settings.kafka_partitions
    if len(partitions) != wanted:
        yield f"{name} has {len(partitions)} partitions, KEEPWELL_KAFKA_PARTITIONS says {wanted}"
    fewest = min(len(part["replicas"]) for part in partitions)
    if fewest < settings.kafka_replication:
        yield f"{name} has {fewest} replicas, KEEPWELL_KAFKA_REPLICATION says {settings.kafka_replication}"
    least = int(limits.get("min.insync.replicas", 1))
    if least != settings.kafka_min_insync:
        yield f"{name} has min.insync.replicas {least}, KEEPWELL_KAFKA_MIN_INSYNC says {settings.kafka_min_insync}"
    kept = int(limits.get("retention.ms", FOREVER))
    if letters and kept != FOREVER:
        yield f"{name} keeps letters for {kept / DAY_MS:g} days; then those that nobody read are lost (retention.ms -1)"
    if not letters and FOREVER < kept < settings.kafka_retention_days * DAY_MS:
        said = settings.kafka_retention_days
        yield f"{name} keeps events for {kept / DAY_MS:g} days, KEEPWELL_KAFKA_RETENTION_DAYS says {said}"
    if "compact" in limits.get("cleanup.policy", "delete"):
        yield f"{name} is compacted: events of a patient would be lost (cleanup.policy delete)"
    behind = [part["partition"] for part in partitions if len(part["isr"]) < len(part["replicas"])]
    if behind:
        yield f"{name}: partitions {behind} lack a replica in sync"
    stuck = [part["partition"] for part in partitions if len(part["isr"]) < least or part["leader"] < 0]
    if stuck:
        yield f"{name}: partitions {stuck} cannot be written"
