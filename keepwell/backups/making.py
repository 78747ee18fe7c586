"""Making a backup: one instant of all schemas and of Kafka, in one file."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from keepwell.backups import archive
from keepwell.backups.archive import Manifest
from keepwell.backups.errors import BackupError
from keepwell.backups.fence import cut
from keepwell.backups.programs import dump_program, major_of, run
from keepwell.backups.streams import reading
from keepwell.host.app import VERSION
from keepwell.host.data_directory import PRIVATE, DataDirectory
from shared.bus.address import Address
from shared.bus.producer import Record
from shared.clock import Clock
from shared.database.address import engine_at
from shared.protection import Keyring
from shared.settings import SERVICES

Say = Callable[[str], None]
CHECK: Final = "backup: are these the keys?"


@dataclass(frozen=True)
class Sources:
    """What is backed up.

    Attributes:
        admin: address of a role that may read every schema.
        kafka: bootstrap servers.
    """

    directory: DataDirectory
    admin: URL
    kafka: Address
    keyring: Keyring
    clock: Clock


def keys_check(keyring: Keyring) -> str:
    """Return a text that changes with the oldest key and tells nothing of it."""
    return keyring.derive(CHECK).hex()[:32]


async def make(sources: Sources, file: Path, *, keys: str | None, say: Say) -> Manifest:
    """Write a backup.

    Args:
        sources: see there.
        file: where to; its folder is made if need be.
        keys: the clinic's keys in clear, where the operator wants them in the file.
        say: told what is being done.

    Raises:
        BackupError: it could not be made; there is no file then.
        KafkaError: Kafka is away.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    revisions = await _revisions(sources.admin)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as temporary:
        folder = Path(temporary)
        async with reading(sources.kafka) as stream:
            say("Waiting for an instant at which nothing is between the database and Kafka")
            async with cut(sources.admin, stream) as instant:
                say("Dumping the database")
                now = sources.clock.now()
                program = dump_program(instant.server)
                dump = folder / archive.DUMP
                dump.touch(PRIVATE)
                await run(
                    program,
                    *("--format=custom", "--no-password", f"--snapshot={instant.snapshot}", f"--file={dump}"),
                    *(f"--schema={name}" for name in SERVICES),
                    url=sources.admin,
                )
            say("Reading the events on their way")
            flow = instant.flow
            records = [
                Record(record.topic, record.key, record.value, list(record.headers))
                async for record in stream.records(flow.handled, flow.ends)
            ]
        archive.write_records(folder / archive.EVENTS, records)
        if keys is not None:
            (folder / archive.KEYS).touch(PRIVATE)
            (folder / archive.KEYS).write_text(keys, encoding="utf-8")
        login = sources.directory.login
        ends: dict[str, dict[str, int]] = {}
        for part, at in sorted(flow.ends.items()):
            ends.setdefault(part.topic, {})[str(part.partition)] = at
        manifest = Manifest(
            version=VERSION,
            backed_up_at=now,
            taken_at=instant.at,
            revisions=revisions,
            postgres=instant.server,
            pg_dump=major_of(program),
            cluster=flow.cluster,
            ends=ends,
            events=len(records),
            keys=sources.keyring.ids,
            keys_check=keys_check(sources.keyring),
            clinic=None if login is None else {"id": login.clinic, "login": login.login or ""},
        )
        say("Writing the file")
        archive.write(file, manifest, folder)
    return manifest


async def _revisions(admin: URL) -> dict[str, str]:
    """Return the revision of each schema.

    Raises:
        BackupError: there is no Keepwell in this database.
    """
    engine = engine_at(admin, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            there = text(
                "SELECT count(*) FROM pg_tables WHERE tablename = 'alembic_version' AND schemaname = ANY (:all)"
            )
            if await connection.scalar(there, {"all": list(SERVICES)}) != len(SERVICES):
                raise BackupError("There is no Keepwell in this database yet: nothing to back up.")
            query = " UNION ALL ".join(f"SELECT '{name}', version_num FROM {name}.alembic_version" for name in SERVICES)  # noqa: S608 - names of ours
            return {row[0]: row[1] for row in await connection.execute(text(query))}
    finally:
        await engine.dispose()
