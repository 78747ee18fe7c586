"""One broker of the embedded Kafka: its folder, its first formatting, its process."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Final

from shared.embedded.errors import StartError
from shared.embedded.kafka_probe import ask
from shared.embedded.kafka_settings import JVM, Node, server_properties
from shared.embedded.leftovers import StopStep
from shared.embedded.server import Program, Server

_DATA: Final = "data"
_UNFINISHED: Final = "unfinished"
_START_SECONDS: Final = 60.0
_LOGGING: Final = Path(__file__).with_name("log4j2.xml")


@dataclass(frozen=True, slots=True)
class Java:
    """What a broker runs on: the program, the jars, and options beyond the usual."""

    program: Path
    jars: tuple[Path, ...]
    options: tuple[str, ...] = ()

    def command(self, folder: Path, *main: str) -> tuple[str, ...]:
        """Return a command line; `marker(folder)` on it names the broker's folder and no other."""
        return (str(self.program), marker(folder), *JVM, *self.options, *main)

    def environment(self) -> dict[str, str]:
        """Return the variables it needs; the class path is one, to keep the command line readable."""
        return {"CLASSPATH": os.pathsep.join(map(str, self.jars)), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def marker(folder: Path) -> str:
    """Return the argument by which a left-over broker of this folder is known."""
    return f"-Dkeepwell.folder={folder}"


def steps(brokers: int) -> tuple[StopStep, ...]:
    """Return how to stop one broker of so many.

    The last ones of several find no quorum any more to take their leave from, and would wait five minutes for it.
    """
    return (StopStep(Signals.SIGTERM, 15 if brokers == 1 else 3), StopStep(Signals.SIGKILL, 5))


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker of a cluster, with the handles by which a test plants a fault.

    Attributes:
        id: from 1.
        port: where clients find it.
        server: its process.
    """

    id: int
    port: int
    server: Server

    async def kill(self) -> None:
        """Take its life this instant; it stays down until `restart`."""
        await self.server.kill()

    async def stop(self) -> None:
        """Stop it in order; it stays down until `restart`."""
        await self.server.stop()

    async def restart(self) -> None:
        """Start it again after `kill` or `stop`, and return once it serves."""
        await self.server.start()

    def suspend(self) -> None:
        """Freeze it: it keeps its connections and answers nothing."""
        self.server.suspend()

    def resume(self) -> None:
        """Let a frozen one go on."""
        self.server.resume()


def lay_out(folder: Path) -> None:
    """Make a broker's folder ready for a start."""
    for name in ("log", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in (folder / "tmp").iterdir():  # native libraries that Java unpacked, and a killed one left
        left.unlink()
    shutil.copyfile(_LOGGING, folder / "log4j2.xml")


def cluster_id(folder: Path) -> str | None:
    """Return the id of the cluster that a broker's data belongs to; None if it has none yet."""
    file = folder / _DATA / "meta.properties"
    if not file.exists():
        return None
    values = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    return values["cluster.id"]


async def prepare(java: Java, folder: Path, node: Node, nodes: Sequence[Node], *, cluster: str) -> None:
    """Write a broker's settings, and format its data at the first start: whole, or not at all.

    Raises:
        StartError: if Kafka's own tool cannot format it.
    """
    (folder / "server.properties").write_text(server_properties(node, nodes, data=_DATA))
    if cluster_id(folder) is not None:
        return
    (folder / "format.properties").write_text(server_properties(node, nodes, data=_UNFINISHED))
    shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)
    tool = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", "format.properties")
    program = _program(java, folder, node, len(nodes), tool, output="format.log")
    process = program.spawn()
    try:
        code = await asyncio.to_thread(process.wait, _START_SECONDS)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        process.kill()  # harmless where it has ended
        process.wait()
    if code != 0:
        raise StartError(program.name, f"could not be formatted (code {code})", log=program.log, tail=program.tail())
    (folder / _UNFINISHED).rename(folder / _DATA)


def broker(java: Java, folder: Path, node: Node, nodes: Sequence[Node], *, cluster: str) -> Broker:
    """Return a broker that is prepared and not yet started."""

    async def answers() -> bool:
        metadata = await ask(node.port)
        return metadata is not None and node.id in metadata.brokers and metadata.cluster == cluster

    main = ("kafka.Kafka", "server.properties")
    program = _program(java, folder, node, len(nodes), main, output="start.log")
    return Broker(node.id, node.port, Server(program, answers))


def _program(java: Java, folder: Path, node: Node, brokers: int, main: Sequence[str], *, output: str) -> Program:
    return Program(
        name="Kafka" if brokers == 1 else f"Kafka broker {node.id}",
        command=java.command(folder, *main),
        folder=folder,
        output=folder / output,
        log=folder / "log" / "kafka.log",
        stopping=steps(brokers),
        start_seconds=_START_SECONDS,
        environment=java.environment(),
    )
