"""Java's own memory of a start (JEP 483): the classes of Kafka, loaded and linked ahead of time.

With it a broker serves in less than half of the time, for less than half of the processor. It is made by one start
for practice, belongs to these jars and this Java, and lies in the cache beside the jars. A start without it works the
same: Java itself ignores one that does not fit.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from signal import Signals
from tempfile import TemporaryDirectory
from typing import Final

from shared.embedded.jar_list import LIST
from shared.embedded.jars import cache_folder
from shared.embedded.kafka_broker import Java, broker, lay_out, prepare
from shared.embedded.kafka_settings import JVM, Node
from shared.embedded.leftovers import StopStep
from shared.embedded.ports import remembered_ports
from shared.embedded.progress import Progress, Report

_CLUSTER: Final = "a-start-for-practice-0"
_WRITING: Final = (StopStep(Signals.SIGTERM, 120), StopStep(Signals.SIGKILL, 5))
"""It is written while the practising broker ends, in some seconds."""


def archive(program: Path, jars: Sequence[Path]) -> Path:
    """Return where the memory of this Java and these jars lies, or would lie."""
    release = (program.parent.parent / "release").read_text()
    key = hashlib.sha256("\n".join((release, LIST.read_text(), *JVM, *map(str, jars))).encode()).hexdigest()
    return cache_folder() / f"start-{key[:16]}.aot"


def with_archive(java: Java) -> Java:
    """Return the same Java, with its memory if it has one."""
    file = archive(java.program, java.jars)
    return replace(java, options=(f"-XX:AOTCache={file}",)) if file.exists() else java


async def practise(java: Java, report: Report) -> None:
    """Make the memory, unless it is there.

    Raises:
        StartError: if the practising broker does not start.
    """
    file = archive(java.program, java.jars)
    if file.exists():
        return
    report(Progress("Practising Kafka's start, once"))
    with TemporaryDirectory(prefix="practice-", dir=cache_folder()) as aside:
        folder = Path(aside)
        lay_out(folder)
        ports = remembered_ports(folder / "ports.json", ("broker", "controller"))
        node = Node(1, ports["broker"], ports["controller"])
        await prepare(java, folder, node, [node], cluster=_CLUSTER)
        recording = replace(java, options=("-XX:AOTCacheOutput=start.aot",))
        server = broker(recording, folder, node, [node], cluster=_CLUSTER).server
        server.program = replace(server.program, stopping=_WRITING)
        try:
            await server.start()
        finally:
            await server.stop()
        for outdated in cache_folder().glob("start-*.aot"):
            outdated.unlink()
        (folder / "start.aot").replace(file)
