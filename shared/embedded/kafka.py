"""An Apache Kafka of this process (KRaft, no ZooKeeper), on a data directory of its own."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.errors import DataDirectoryError
from shared.embedded.jars import fetch_jars
from shared.embedded.kafka_broker import Broker, Java, broker, cluster_id, lay_out, marker, prepare, steps
from shared.embedded.kafka_probe import ask
from shared.embedded.kafka_settings import Node
from shared.embedded.leftovers import stop_leftovers
from shared.embedded.owner import data_folder, owned
from shared.embedded.pause import TICK, pause
from shared.embedded.ports import LOOPBACK, remembered_ports
from shared.embedded.progress import Progress, Report, from_thread, silent
from shared.embedded.quick_start import with_archive
from shared.embedded.wheels import java


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where the cluster is.

    Attributes:
        bootstrap_servers: host:port of each broker, with commas; the same at every start, unless a port was taken.
        brokers: the processes, for a test that plants faults and for figures.
    """

    bootstrap_servers: str
    brokers: tuple[Broker, ...]


@asynccontextmanager
async def kafka(
    data_dir: Path, *, brokers: int = 1, progress: Report | None = None, advertised: Sequence[int] = ()
) -> AsyncIterator[KafkaAddress]:
    """Run a Kafka while the context is open; the data outlives it.

    It listens on loopback alone. A broker that ends unasked is started again on its port.

    Args:
        data_dir: its folder, made if need be. One start at a time holds it.
        brokers: 1, or 3 for tests: replication 3, two in sync at least, each broker a controller too.
        progress: told what the start is doing.
        advertised: a port on loopback for each broker by which clients shall come, where something stands before it.

    Raises:
        NotInstalledError: if a wheel is not installed.
        AlreadyOwnedError: if another start holds the folder.
        DataDirectoryError: if the folder is not ours, or holds another number of brokers.
        DownloadError: if a jar cannot be fetched.
        ChecksumError: if a fetched jar is not what was reviewed.
        StartError: if a broker does not start.
    """
    report = progress or silent
    program = java()
    folder = data_folder(data_dir)
    with owned(folder):
        homes = _homes(folder, brokers)
        for home in homes:
            if await stop_leftovers(home, marker=marker(home), steps=steps(1)):
                report(Progress("Stopped a Kafka that an earlier run had left behind"))
            lay_out(home)
        jars = await asyncio.to_thread(fetch_jars, from_thread(report))
        on = with_archive(Java(program, tuple(jars)))
        nodes = _nodes(folder, brokers, advertised)
        cluster = _cluster(homes)
        report(Progress("Starting Kafka"))
        pairs = list(zip(homes, nodes, strict=True))
        await _all(prepare(on, home, node, nodes, cluster=cluster) for home, node in pairs)
        ready = tuple(broker(on, home, node, nodes, cluster=cluster) for home, node in pairs)
        try:
            await _all(each.restart() for each in ready)
            async with AsyncExitStack() as stack:
                for each in ready:
                    await stack.enter_async_context(each.server.watched())
                await _know_each_other(nodes)
                yield KafkaAddress(",".join(f"{LOOPBACK}:{node.public_port}" for node in nodes), ready)
        finally:
            await _all(each.stop() for each in ready)


def _homes(folder: Path, brokers: int) -> list[Path]:
    """Return the brokers' folders; refuse data that was made for another number of them."""
    homes = [folder / f"broker-{number}" for number in range(1, brokers + 1)]
    there = sorted(folder.glob("broker-*"))
    if there and there != homes:
        raise DataDirectoryError(
            f"{folder} holds {len(there)} broker(s), {brokers} were asked for. Ask for {len(there)}, or name another "
            "directory."
        )
    return homes


def _nodes(folder: Path, brokers: int, advertised: Sequence[int]) -> list[Node]:
    numbers = range(1, brokers + 1)
    names = [f"{role}-{number}" for number in numbers for role in ("broker", "controller")]
    ports = remembered_ports(folder / "ports.json", names)
    doors: Sequence[int | None] = advertised or [None] * brokers
    return [
        Node(number, ports[f"broker-{number}"], ports[f"controller-{number}"], door)
        for number, door in zip(numbers, doors, strict=True)
    ]


def _cluster(homes: Sequence[Path]) -> str:
    """Return the id that the data has already, or a new one: 16 random bytes as Kafka writes them."""
    known = [name for home in homes if (name := cluster_id(home)) is not None]
    return known[0] if known else base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Do several things at once; the first failure cancels the rest and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _know_each_other(nodes: Sequence[Node]) -> None:
    """Wait until every broker has heard that all of them serve."""
    everyone = {node.id for node in nodes}
    for node in nodes:
        while (known := await ask(node.port)) is None or known.brokers != everyone:
            await pause(TICK)
