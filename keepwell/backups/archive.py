"""The file of a backup: a tar with the database's dump, the events on their way, and a manifest with checksums."""

import base64
import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiokafka import TopicPartition

from keepwell.backups.errors import BackupError
from keepwell.host.data_directory import PRIVATE
from shared.bus.producer import Record

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
EVENTS: Final = "events.jsonl"
KEYS: Final = "keys"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True)
class Member:
    """A part of the file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        version: of Keepwell.
        backed_up_at: by the clinic's clock, which in trial time is not the machine's.
        taken_at: by PostgreSQL's clock.
        revisions: each schema's.
        postgres: major version of the server.
        pg_dump: major version of the program.
        cluster: Kafka's id.
        ends: offset after the last record by topic and partition.
        events: how many events were on their way.
        keys: ids of the keys that the clinic's data are sealed under.
        keys_check: changes with the keys, and tells nothing of them.
        clinic: id of the first clinic, and its first login's name.
        members: checksums.
    """

    version: str
    backed_up_at: datetime
    taken_at: datetime
    revisions: Mapping[str, str]
    postgres: int
    pg_dump: int
    cluster: str
    ends: Mapping[str, Mapping[str, int]]
    events: int
    keys: list[str]
    keys_check: str
    clinic: Mapping[str, str] | None
    members: Mapping[str, Member] = field(default_factory=dict)
    format: int = FORMAT

    def offsets(self) -> dict[TopicPartition, int]:
        """Return the ends of topics at the backup."""
        return {
            TopicPartition(topic, int(part)): at
            for topic, partitions in self.ends.items()
            for part, at in partitions.items()
        }

    def json(self) -> str:
        return json.dumps(asdict(self), indent=2, default=lambda value: value.isoformat()) + "\n"


def write(file: Path, manifest: Manifest, folder: Path) -> None:
    """Write a backup whole or not at all; readable by its owner alone.

    Args:
        file: where to.
        manifest: without its members.
        folder: holds the members, each under its name.
    """
    members = sorted(path for path in folder.iterdir() if path.is_file())
    said = {path.name: Member(path.stat().st_size, sha256_of(path)) for path in members}
    whole = Manifest(**{**vars(manifest), "members": said})
    note = folder / MANIFEST
    note.write_text(whole.json(), encoding="utf-8")
    partial = file.with_name(file.name + ".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as sink:
        with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in (note, *members):
                tar.add(path, arcname=path.name, recursive=False)
        sink.flush()
        os.fsync(sink.fileno())
    partial.replace(file)


def read(file: Path, folder: Path) -> Manifest:
    """Unpack a backup into a folder and check it.

    Raises:
        BackupError: it is no backup, of a newer format, cut off or damaged.
    """
    try:
        with tarfile.open(file, mode="r:") as tar:
            tar.extractall(folder, filter="data")
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BackupError(f"{file}: there is no such file, or it is no backup ({error.filename}).") from None
    except (tarfile.TarError, ValueError, OSError) as error:
        raise BackupError(f"{file} is no backup, or it is damaged: {type(error).__name__}: {error}.") from error
    if said.get("format") != FORMAT:
        raise BackupError(f"{file} has format {said.get('format')}; this version reads {FORMAT}. Use a newer Keepwell.")
    manifest = _manifest(said)
    for name, member in manifest.members.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != member.bytes or sha256_of(path) != member.sha256:
            raise BackupError(f"{file} is damaged: {name} is not what its checksum says. Take another backup.")
    return manifest


def _manifest(said: dict[str, Any]) -> Manifest:
    members = {name: Member(**member) for name, member in said["members"].items()}
    instants = {name: datetime.fromisoformat(said[name]) for name in ("backed_up_at", "taken_at")}
    return Manifest(**(said | {"members": members} | instants))


def sha256_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_records(file: Path, records: Iterable[Record]) -> None:
    """Write events byte for byte, one a line."""
    with file.open("w", encoding="utf-8") as sink:
        for record in records:
            headers = [[name, _text(value)] for name, value in record.headers]
            line = {"topic": record.topic, "key": _text(record.key), "value": _text(record.value), "headers": headers}
            sink.write(json.dumps(line) + "\n")


def read_records(file: Path) -> Iterator[Record]:
    """Yield events as they were."""
    with file.open(encoding="utf-8") as source:
        for line in source:
            said = json.loads(line)
            headers = [(name, _bytes(value)) for name, value in said["headers"]]
            yield Record(said["topic"], _bytes(said["key"]), _bytes(said["value"]), headers)


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(text: str | None) -> Any:
    return None if text is None else base64.b64decode(text)
