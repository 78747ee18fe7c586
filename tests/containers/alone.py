"""PostgreSQL and Kafka in a container each, started by testcontainers, for tests that need nothing else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from shared.embedded.ports import LOOPBACK, remembered_ports
from tests.containers.engine import IMAGES

STARTED: Final = "Kafka Server started"
WITHIN: Final = timedelta(seconds=120)


@contextmanager
def postgres() -> Iterator[str]:
    """Give the address of a PostgreSQL, as a role that may make roles."""
    with PostgresContainer(IMAGES.postgres, username="keepwell_admin", dbname="keepwell", driver=None) as server:
        yield server.get_connection_url()


@dataclass(frozen=True)
class Broker:
    """A Kafka of one broker; `container` runs its tools."""

    container: DockerContainer
    ports: Mapping[str, int]

    def at(self, listener: str) -> str:
        """Return where a listener answers."""
        return f"{LOOPBACK}:{self.ports[listener]}"


@contextmanager
def kafka(
    folder: Path,
    listeners: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    secrets: Path | None = None,
) -> Iterator[Broker]:
    """Run a Kafka.

    Args:
        folder: where the ports that were chosen are noted.
        listeners: the security protocol of each listener beside PLAINTEXT, by its name.
        settings: variables of the image beside the usual ones.
        secrets: a folder that the container sees as /etc/kafka/secrets.
    """
    protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {})}
    # An advertised address names the port outside, so that must be known before: a free one, the same inside.
    ports = remembered_ports(folder / "kafka-ports.json", tuple(protocols))
    container = DockerContainer(IMAGES.kafka)
    for name, value in _environment(protocols, ports, settings or {}).items():
        container.with_env(name, value)
    for port in ports.values():
        # Its annotation knows ports alone; Docker also takes the address to bind, which shall be loopback.
        container.ports[f"{port}/tcp"] = (LOOPBACK, port)  # type: ignore[assignment]
    if secrets is not None:
        container.with_volume_mapping(str(secrets), "/etc/kafka/secrets", "ro")
    container.waiting_for(LogMessageWaitStrategy(STARTED).with_startup_timeout(WITHIN))
    with container:
        yield Broker(container, ports)


def _environment(protocols: Mapping[str, str], ports: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, str]:
    spoken = ",".join(f"{name}:{protocol}" for name, protocol in protocols.items())
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": ",".join([*(f"{name}://:{port}" for name, port in ports.items()), "CONTROLLER://:9093"]),
        "KAFKA_ADVERTISED_LISTENERS": ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items()),
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": f"{spoken},CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_BROKER_SESSION_TIMEOUT_MS": "3000",
        "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": "500",
        "KAFKA_HEAP_OPTS": "-Xms128m -Xmx320m",
        **settings,
    }
