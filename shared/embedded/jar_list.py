"""The committed list of Kafka's jars: what to fetch, and the SHA-256 each must have.

Lines are those of sha256sum, the path that of a Maven repository, so that `sha256sum -c` works in the cache too.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

KAFKA_VERSION: Final = "4.3.1"
"""The one place of it. After a change: `python -m shared.embedded.jars --update`."""

LOG4J_VERSION: Final = "2.25.4"

ROOTS: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}",
)
"""What is resolved, each by itself and in this order: together, log4j's parent would choose Kafka's own versions."""

LIST: Final = Path(__file__).with_name("kafka-jars.sha256")


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of a Maven repository.

    Attributes:
        path: group/as/folders/artifact/version/file.jar.
        sha256: in lower-case hexadecimal digits.
    """

    path: PurePosixPath
    sha256: str

    @property
    def coordinate(self) -> str:
        """The name by which Maven knows it."""
        *group, artifact, version = self.path.parent.parts
        return f"{'.'.join(group)}:{artifact}:{version}"


def parse(text: str) -> tuple[Jar, ...]:
    """Read a list.

    Raises:
        ValueError: if a line is not a digest and a path.
    """
    jars = []
    for line in text.splitlines():
        digest, _, path = line.partition("  ")
        if len(digest) != hashlib.sha256().digest_size * 2 or not path.endswith(".jar"):
            raise ValueError(f"Not a line of a SHA-256 list: {line!r}")
        jars.append(Jar(PurePosixPath(path), digest))
    return tuple(jars)


def render(jars: Iterable[Jar]) -> str:
    """Write a list, in the order of the paths."""
    return "".join(f"{jar.sha256}  {jar.path}\n" for jar in sorted(jars, key=lambda jar: jar.path))


def committed() -> tuple[Jar, ...]:
    """Return the list of this version."""
    return parse(LIST.read_text())


def digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
