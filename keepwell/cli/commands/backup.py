"""`keepwell backup` and `keepwell restore`."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from keepwell.backups import archive, restoring
from keepwell.backups.archive import Manifest
from keepwell.backups.errors import BackupError
from keepwell.backups.making import Sources, make
from keepwell.backups.restoring import Forgotten
from keepwell.backups.streams import reading
from keepwell.cli.commands.up import progress
from keepwell.cli.output import show
from keepwell.host import infrastructure
from keepwell.host.data_directory import DataDirectory, Login, NotRunningError
from shared.bus.address import kafka_of
from shared.database import Database
from shared.database.address import async_url
from shared.embedded.progress import Progress
from shared.protection import Keyring
from shared.settings import Settings

STAMP: Final = "%Y%m%dT%H%M%SZ"
"""Stands for a password that only its owner knows."""


async def back_up(settings: Settings, to: Path | None, *, with_keys: bool, as_json: bool) -> int:
    """Write a backup and say what it is."""
    directory = DataDirectory(settings.data_dir)
    keys = _keys_at_hand(settings, directory)
    clock = directory.clock(settings)
    file = _file(to or directory.folder / "backups", clock.now(), named=to is not None)
    say = progress(quiet=as_json)
    async with _reached(settings, directory, say) as built:
        sources = Sources(directory, _common(built), built.kafka, Keyring.from_text(keys), clock)
        manifest = await make(sources, file, keys=keys if with_keys else None, say=lambda doing: say(Progress(doing)))
    result = {
        "file": str(file),
        "bytes": file.stat().st_size,
        "sha256": archive.sha256_of(file),
        **_told(manifest),
        "keys": "in the file, in clear"
        if with_keys
        else f"not in the file: keep {_where_keys(settings, directory)} apart",
    }
    show(result, as_json=as_json)
    return 0


def _file(to: Path, now: datetime, *, named: bool) -> Path:
    """Return the file to write: the one named, or one of a name of our own in a folder."""
    return to if named and not to.is_dir() else to / f"keepwell-{now:{STAMP}}.backup"


async def restore(settings: Settings, file: Path, *, only_check: bool, as_json: bool) -> int:
    """Put a backup in place of what is there, or only check it."""
    directory = DataDirectory(settings.data_dir)
    say = progress(quiet=as_json)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=directory.folder) as scratch:
        folder = Path(scratch)
        manifest = archive.read(file, folder)
        keyring = _keys(settings, directory, folder, manifest, keep=not only_check)
        restoring.check(manifest, keyring)
        if only_check:
            show({"file": str(file), **_told(manifest), "whole": True}, as_json=as_json)
            return 0
        result = await _restore(settings, directory, keyring=keyring, manifest=manifest, folder=folder, say=say)
    show(result, as_json=as_json)
    return 0


async def _restore(
    settings: Settings, directory: DataDirectory, *, keyring: Keyring, manifest: Manifest, folder: Path, say: Any
) -> dict[str, Any]:
    from services.notifier.commands import held_messages  # noqa: PLC0415 - only this command needs the notifier
    from services.notifier.store.held_messages import Lost  # noqa: PLC0415 - the same

    _refuse_running(directory)
    clock = directory.clock(settings)
    async with infrastructure.opened(settings, directory, say) as built:
        admin = _common(built)
        await restoring.refuse_while_running(admin)
        await restoring.put_back(admin)
        # Makes roles and topics where this is a new machine.
        await infrastructure.migrate(settings, keyring, built)
        say(Progress("Reading what was said after the backup"))
        async with reading(built.kafka) as stream:
            lost = await restoring.forgotten(stream, manifest)
        say(Progress("Loading the database"))
        await restoring.replace_schemas(admin, manifest, folder / archive.DUMP)
        await infrastructure.migrate(settings, keyring, built)
        url = infrastructure.database_urls(settings, keyring, admin)["notifier"]
        database = Database(url, schema="notifier", clock=clock)
        try:
            async with database.transaction() as tx:
                opened = Lost(manifest.backed_up_at, not lost.whole, lost.patients_changed(), lost.consents)
                stops = await held_messages.begin(tx, opened)
        finally:
            await database.close()
        say(Progress("Telling Kafka to go on from here"))
        records = list(archive.read_records(folder / archive.EVENTS))
        await restoring.set_kafka(built.kafka, records, manifest.offsets(), clock.now())
    if manifest.clinic is not None and directory.login is None:
        directory.keep_login(Login(manifest.clinic["id"], manifest.clinic["login"] or None, None))
    report = directory.folder / f"restored-{clock.now():{STAMP}}.json"
    restoring.report(report, manifest, lost, restored_at=clock.now())
    return _outcome(manifest, lost, report, stops, len(records))


def _outcome(manifest: Manifest, lost: Forgotten, report: Path, stops: int, brought_back: int) -> dict[str, Any]:
    if lost.whole:
        doubt = f"{len(lost.patients)} patients' records changed after the backup: they get nothing without your word"
    else:
        doubt = "Kafka does not have what was said after the backup: no patient gets anything without your word"
    return {
        "restored": True,
        "backed_up_at": manifest.backed_up_at.isoformat(),
        "events_brought_back": brought_back,
        "events_lost": sum(lost.types.values()) if lost.whole else None,
        "alerts_lost": lost.types["alert.raised"] if lost.whole else None,
        "patients_in_doubt": len(lost.patients) if lost.whole else None,
        "stops_kept": stops,
        "report": str(report),
        "held": doubt,
        "next": "start Keepwell; `keepwell held list` shows what waits for a person; `keepwell held close` ends it",
    }


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "version": manifest.version,
        "backed_up_at": manifest.backed_up_at.isoformat(),
        "postgres": manifest.postgres,
        "revisions": dict(manifest.revisions),
        "events_on_their_way": manifest.events,
        "key_ids": manifest.keys,
    }


@asynccontextmanager
async def _reached(
    settings: Settings, directory: DataDirectory, say: Any
) -> AsyncIterator[infrastructure.Infrastructure]:
    """Give the parts of the Keepwell that runs here, or start them for the while."""
    try:
        running = directory.running
    except NotRunningError:
        async with infrastructure.opened(settings, directory, say) as built:
            yield built
        return
    given = settings.database_url
    database = given.get_secret_value() if given is not None else running.database_url
    yield infrastructure.Infrastructure(
        None if database is None else async_url(database), kafka_of(settings, running.kafka)
    )


def _common(built: infrastructure.Infrastructure) -> Any:
    """Return the address that reaches every schema.

    Raises:
        BackupError: there is none here.
    """
    if built.database is None:
        raise BackupError(
            "KEEPWELL_DATABASE_URL is missing: a backup holds every schema, and a service's own role reads one alone. "
            "Run this where `keepwell migrate` runs."
        )
    return built.database


def _refuse_running(directory: DataDirectory) -> None:
    try:
        running = directory.running
    except NotRunningError:
        return
    raise BackupError(f"Keepwell runs in {directory.folder} (process {running.pid}): stop it first.")


def _keys(settings: Settings, directory: DataDirectory, folder: Path, manifest: Manifest, *, keep: bool) -> Keyring:
    """Return the keys at hand, or those of the file where there are none; never new ones.

    Raises:
        BackupError: there are none.
    """
    try:
        return Keyring.from_text(directory.keys_text(settings))
    except FileNotFoundError:
        included = folder / archive.KEYS
        if not included.exists():
            raise BackupError(
                f"There are no keys here, and none in the file. Put the clinic's ({', '.join(manifest.keys)}) into "
                f"KEEPWELL_KEYS or {directory.folder / 'keys'} first."
            ) from None
    text = included.read_text(encoding="utf-8")
    if keep:
        directory.keep_keys(text)
    return Keyring.from_text(text)


def _keys_at_hand(settings: Settings, directory: DataDirectory) -> str:
    """Return the keys, in clear; never new ones.

    Raises:
        BackupError: there are none here.
    """
    try:
        return directory.keys_text(settings)
    except FileNotFoundError:
        raise BackupError(
            f"There are no keys in {directory.folder}, and KEEPWELL_KEYS is not set: either there is no Keepwell yet "
            "and nothing to back up, or its keys lie elsewhere. A backup notes which keys its data are sealed under."
        ) from None


def _where_keys(settings: Settings, directory: DataDirectory) -> str:
    return "KEEPWELL_KEYS" if settings.keys is not None else str(directory.folder / "keys")
