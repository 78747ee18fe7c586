"""Restoring a backup: the database as it was, Kafka told to go on from there, and sending held until it is settled.

See docs/decisions/0013 for why each step is as it is.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from keepwell.backups.archive import Manifest
from keepwell.backups.errors import BackupError
from keepwell.backups.making import keys_check
from keepwell.backups.programs import restore_program, run
from keepwell.backups.streams import Stream, go_to, reading, send_again
from keepwell.host import registry
from keepwell.host.data_directory import write_private
from shared.bus import dead_letters
from shared.bus.address import Address
from shared.bus.envelope import Undecodable, decode
from shared.bus.producer import Record
from shared.clock import RealClock
from shared.database.address import engine_at
from shared.database.history import revisions
from shared.events import ConsentChanged
from shared.protection import Keyring
from shared.settings import SERVICES

HARMLESS: Final = frozenset(
    (
        *("message.planned", "finding.changed", "oncall.checked", "reply.unmatched", "answers.set-aside"),
        *("message.sent", "message.delivered", "message.failed", "message.withheld"),
        *("session.due", "booking.due", "checkin.due", "checkin.opened", "checkin.expired"),
        *("alert.raised", "alert.overdue", "alert.acknowledged", "alert.closed"),
        *("consent.changed", "reply.received", "session.confirmed"),
        *("interval.proposed", "interval.expired", "patient.enrolled", "clinic.changed"),
    )
)
"""Lost events that make no text to a patient untrue: what the messages themselves say, what timers say again, what the
provider's list brings back, and patients whom the database does not know at all."""
GROUPS_LEAVE: Final = 20.0
"""Real seconds after which a process that was killed is no member of its groups any more, and some more."""
REPLACED: Final = "_replaced"
"""Ends the names of the schemas that a restore has put aside until it is whole."""


@dataclass
class Forgotten:
    """What is known of the time that a restore takes back.

    Attributes:
        whole: whether all of it could be read.
        types: how many events of each type there were.
        patients: types of events that changed a patient's record, by patient.
        consents: contact and whether it was granted, in order.
        events: all of them, for a person: type, patient or clinic, instant. No names, no bodies.
    """

    whole: bool
    types: Counter[str] = field(default_factory=Counter)
    patients: defaultdict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    consents: list[tuple[UUID, bool]] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)

    def patients_changed(self) -> dict[UUID, list[str]]:
        return {patient: sorted(types) for patient, types in self.patients.items()}


def check(manifest: Manifest, keyring: Keyring) -> None:
    """Check that a backup can be restored here.

    Raises:
        BackupError: it was made under other keys, or by a newer version.
    """
    missing = sorted(set(manifest.keys) - set(keyring.ids))
    if missing or keys_check(keyring) != manifest.keys_check:
        what = f"it lacks {', '.join(missing)}" if missing else "the oldest is another one"
        raise BackupError(
            f"The keys at hand ({', '.join(keyring.ids)}) are not those of the backup ({', '.join(manifest.keys)}): "
            f"{what}. Nothing that is sealed could be opened. Put the backup's keys into KEEPWELL_KEYS or "
            "<data dir>/keys first."
        )
    for history in registry.histories():
        known = {step.revision for step in revisions(history.folder)}
        if manifest.revisions[history.service] not in known:
            raise BackupError(
                f"The backup was made by a newer Keepwell ({manifest.version}, {history.service} "
                f"{manifest.revisions[history.service]}). Restore it with that version."
            )


async def forgotten(stream: Stream, manifest: Manifest) -> Forgotten:
    """Read what was said after a backup, as far as Kafka still has it."""
    beginnings, ends = await stream.beginnings(), await stream.ends()
    since = manifest.offsets()
    same = await stream.cluster() == manifest.cluster and ends.keys() <= since.keys()
    found = Forgotten(whole=same and all(beginnings[part] <= since[part] <= ends[part] for part in ends))
    if not found.whole:
        return found
    async for record in stream.records(since, ends):
        try:
            received = decode(record.headers, record.value)
        except Undecodable:
            found.types["undecodable"] += 1
            continue
        event, at = received.event, dict(record.headers).get("ce_time") or b""
        found.types[received.type] += 1
        found.events.append({"type": received.type, "about": str(event.key), "at": at.decode(errors="replace")})
        if isinstance(event, ConsentChanged):
            found.consents.append((event.contact, event.granted))
        elif received.type not in HARMLESS:
            found.patients[event.key].add(received.type)
    return found


async def refuse_while_running(admin: URL) -> None:
    """Refuse to restore into a database that a Keepwell works with.

    Raises:
        BackupError: with the names under which its connections go.
    """
    asked = text(
        "SELECT DISTINCT application_name FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'keepwell.%' ORDER BY 1"
    )
    engine = engine_at(admin, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            names = list((await connection.execute(asked)).scalars())
    finally:
        await engine.dispose()
    if names:
        raise BackupError(f"Keepwell still works with this database ({', '.join(names)}): stop every process first.")


async def replace_schemas(admin: URL, manifest: Manifest, dump: Path) -> None:
    """Put the dumped schemas in place of those that are there; where that fails, those come back.

    Raises:
        BackupError: `pg_restore` failed.
    """
    engine = engine_at(admin, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            server = int(await connection.scalar(text("SELECT current_setting('server_version_num')")) or 0) // 10_000
            program = restore_program(server, manifest.pg_dump)
            await _put_aside(connection)
        try:
            await run(
                program,
                *("--single-transaction", "--exit-on-error", "--no-password"),
                *(f"--dbname={admin.database}", str(dump)),
                url=admin,
            )
        except BaseException:
            async with engine.begin() as connection:
                await _put_back(connection)
            raise
        async with engine.begin() as connection:
            for name in SERVICES:
                await connection.execute(text(f"DROP SCHEMA IF EXISTS {name}{REPLACED} CASCADE"))
    finally:
        await engine.dispose()


async def put_back(admin: URL) -> None:
    """Give schemas their names back which a restore that was broken off had put aside."""
    engine = engine_at(admin, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await _put_back(connection)
    finally:
        await engine.dispose()


async def _put_aside(connection: AsyncConnection) -> None:
    for name in SERVICES:
        await connection.execute(text(f"DROP SCHEMA IF EXISTS {name}{REPLACED} CASCADE"))
        await connection.execute(text(f"ALTER SCHEMA {name} RENAME TO {name}{REPLACED}"))


async def _put_back(connection: AsyncConnection) -> None:
    for name in SERVICES:
        if await _exists(connection, name + REPLACED) and not await _exists(connection, name):
            await connection.execute(text(f"ALTER SCHEMA {name}{REPLACED} RENAME TO {name}"))


async def _exists(connection: AsyncConnection, schema: str) -> bool:
    return bool(await connection.scalar(text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": schema}))


async def set_kafka(
    kafka: Address, records: Sequence[Record], since: Mapping[TopicPartition, int], now: datetime
) -> None:
    """Let every service go on from the end of its topics, and bring back what was on its way.

    Args:
        kafka: bootstrap servers.
        records: what was on its way, in order.
        since: the ends of topics at the backup; letters of what came after them are put aside.
        now: the instant of the restore.
    """
    async with reading(kafka) as stream:
        ends = await stream.ends()
    deadline = monotonic() + GROUPS_LEAVE
    while True:
        try:
            await go_to(kafka, ends)
            break
        except KafkaError:
            # A process that was killed is a member of its groups until its session ends.
            if monotonic() > deadline:
                raise
            await RealClock().pause(1.0)
    await send_again(kafka, records)
    letters = [
        letter
        for letter in await dead_letters.read_all(kafka)
        if letter.replayed_at is None and letter.offset >= since.get(TopicPartition(letter.topic, letter.partition), 0)
    ]
    await dead_letters.put_aside(kafka, letters, now=now)


def report(file: Path, manifest: Manifest, lost: Forgotten, *, restored_at: datetime) -> None:
    """Write what was lost, for a person to enter again: ids and types, no names and no bodies."""
    said = {
        "backed_up_at": manifest.backed_up_at.isoformat(),
        "restored_at": restored_at.isoformat(),
        "whole": lost.whole,
        "types": dict(sorted(lost.types.items())),
        "events": lost.events,
    }
    write_private(file, json.dumps(said, indent=2) + "\n")
