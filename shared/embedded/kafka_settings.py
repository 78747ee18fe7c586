"""How the embedded Kafka is set: small, quick to notice a broker that is gone, on loopback alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.embedded.ports import LOOPBACK

JVM: Final = (
    "-Xms24m",  # or it begins with all of the next
    "-Xmx96m",
    "-XX:MinHeapFreeRatio=20",
    "-XX:MaxHeapFreeRatio=40",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",  # a broker without memory is started again, not kept half alive
    "-XX:-UsePerfData",
    "-XX:ErrorFile=log/java-error-%p.log",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "-Djava.io.tmpdir=tmp",
    "-Dlog4j2.configurationFile=log4j2.xml",
    "-Dlog4j2.disableJmx=true",
)
"""Paths are relative to the broker's folder, its working directory: no blank, comma or accent of it needs care."""


@dataclass(frozen=True, slots=True)
class Node:
    """One broker, which is a controller as well.

    Attributes:
        id: from 1.
        port: for clients and for its fellow brokers.
        controller_port: for the quorum.
        advertised: the port by which it tells everybody to come; its own where None.
    """

    id: int
    port: int
    controller_port: int
    advertised: int | None = None

    @property
    def public_port(self) -> int:
        """Return the port by which clients come."""
        return self.port if self.advertised is None else self.advertised


def server_properties(node: Node, nodes: Sequence[Node], *, data: str) -> str:
    """Return the settings file of one broker.

    Args:
        node: whose.
        nodes: all of the cluster; with three of them, one may fail and nothing is lost.
        data: the folder of its data, relative to its working directory.
    """
    return "".join(f"{name}={value}\n" for name, value in _values(node, nodes, data).items())


def _values(node: Node, nodes: Sequence[Node], data: str) -> Mapping[str, object]:
    copies = min(len(nodes), 3)
    in_sync = max(1, copies - 1)
    return {
        "process.roles": "broker,controller",
        "node.id": node.id,
        "log.dirs": data,
        "controller.quorum.voters": ",".join(f"{each.id}@{LOOPBACK}:{each.controller_port}" for each in nodes),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{node.port},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{node.public_port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        # A broker that is gone is noticed in 3 s, not 9 (measured in shared/design/kafka.md).
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "group.initial.rebalance.delay.ms": 0,
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 4,
        # One machine: few threads, small buffers. The cleaner's default buffer alone exceeds the heap.
        "log.cleaner.dedupe.buffer.size": 2097152,
        "log.cleaner.io.buffer.size": 131072,
        "log.index.size.max.bytes": 1048576,
        "num.network.threads": 2,
        "num.io.threads": 2,
        "background.threads": 2,
        "num.recovery.threads.per.data.dir": 1,
        "group.coordinator.threads": 1,
        "queued.max.requests": 100,
    }
