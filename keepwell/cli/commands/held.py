"""`keepwell held`: what a restore holds up, or nobody can find out about, and the word of a person about it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from keepwell.cli.output import FINDINGS, fail, show
from keepwell.host import infrastructure
from keepwell.host.data_directory import DataDirectory
from services.notifier.commands import held_messages, settling
from services.notifier.model.message import Message
from services.notifier.store import attempts
from services.notifier.store import held_messages as store
from shared.database import Database
from shared.database.address import async_url
from shared.protection import Keyring, mask
from shared.settings import Settings


async def listed(directory: DataDirectory, settings: Settings, *, as_json: bool) -> int:
    """Print the messages that wait for a person."""
    keyring = directory.keyring(settings)
    async with _notifier(directory, settings, as_json=as_json) as database, database.reading() as reader:
        held, unknown = await store.waiting(reader), await attempts.for_a_person(reader)
    told = [_told(one.message, _masked(keyring, one.address), since=one.since, why=one.why or "") for one in held]
    told += [
        _told(one.message, _masked(keyring, one.address), since=one.started_at, why=f"unknown: {one.detail}")
        for one in unknown
    ]
    show(told, as_json=as_json)
    return 0


async def decided(
    directory: DataDirectory,
    settings: Settings,
    ids: Sequence[str],
    *,
    everything: bool,
    go: bool,
    who: str,
    as_json: bool,
) -> int:
    """Release held messages, or drop them."""
    if bool(ids) == everything:
        fail("Name the messages, or say --all.", as_json=as_json)
    async with _notifier(directory, settings, as_json=as_json) as database:
        async with database.reading() as reader:
            held = [one.message.id for one in await store.waiting(reader)]
            waiting = [*held, *(one.message.id for one in await attempts.for_a_person(reader))]
        chosen = waiting if everything else _chosen(ids, waiting, as_json=as_json)
        async with database.transaction() as tx:
            count = await (held_messages.release if go else held_messages.drop)(tx, chosen, who)
            count += await settling.decide(tx, chosen, go=go, who=who)
    show({"released" if go else "dropped": count, "waiting": len(waiting) - count}, as_json=as_json)
    return 0


async def closed(directory: DataDirectory, settings: Settings, *, as_json: bool) -> int:
    """Close the restore; 1 where something is still held."""
    async with _notifier(directory, settings, as_json=as_json) as database, database.transaction() as tx:
        left = await held_messages.close(tx)
    said = f"{left} messages are still held: release or drop them first." if left else "The restore is closed."
    show({"closed": not left, "held": left} if as_json else said, as_json=as_json)
    return FINDINGS if left else 0


@asynccontextmanager
async def _notifier(directory: DataDirectory, settings: Settings, *, as_json: bool) -> AsyncIterator[Database]:
    """Open the notifier's schema under its own role."""
    given = settings.database_url
    common = given.get_secret_value() if given is not None else None
    if common is None and not settings.split:
        common = directory.running.database_url
    urls = infrastructure.database_urls(
        settings, directory.keyring(settings), None if common is None else async_url(common)
    )
    if "notifier" not in urls:
        fail("Held messages are the notifier's: run this where it runs.", as_json=as_json)
    database = Database(urls["notifier"], schema="notifier", clock=directory.clock(settings))
    try:
        yield database
    finally:
        await database.close()


def _chosen(ids: Sequence[str], waiting: Sequence[UUID], *, as_json: bool) -> list[UUID]:
    by_text = {str(one): one for one in waiting}
    for text in ids:
        if text not in by_text:
            fail(f"No message {text!r} waits for a person; `keepwell held list` names them.", as_json=as_json)
    return [by_text[text] for text in ids]


def _masked(keyring: Keyring, sealed: str) -> str:
    return mask(keyring.open(sealed, context="contact"))


def _told(message: Message, to: str, *, since: datetime, why: str) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "purpose": message.purpose,
        "channel": message.channel,
        "occurrence": message.occurrence,
        "to": to,
        "patient": str(message.patient or ""),
        "held_since": since.isoformat(timespec="seconds"),
        "useful_until": "" if message.starts_at is None else message.starts_at.isoformat(timespec="minutes"),
        "why": why,
    }
