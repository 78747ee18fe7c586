"""`keepwell doctor`: look for what is wrong, say what to do about it, leave with 1 if anything was found."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from keepwell import parts, registry
from keepwell.commands.letters import kafka_of
from keepwell.output import FINDINGS, show
from keepwell.place import NotRunningError, Place
from shared.bus.address import options
from shared.clock import RealClock
from shared.database.connection import async_url
from shared.database.migrate import drift
from shared.events import Topic
from shared.settings import Settings, names_and_fields

MOST_SKEW: Final = 2.0
"""Seconds between this machine's clock and the database's that may pass for network delay."""
PATIENCE: Final = 10.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    detail: str
    remedy: str = ""


def settings_table() -> list[dict[str, Any]]:
    """Return every setting with its default and meaning."""
    rows: list[dict[str, Any]] = []
    for name, field in names_and_fields():
        default = "" if field.default_factory is not None or field.default is None else field.default
        rows.append({"setting": name, "default": str(default), "meaning": field.description or ""})
    return rows


async def examine(settings: Settings, *, as_json: bool) -> int:
    """Look at settings, database, schemas, topics, clock, provider and mail."""
    place = Place(settings.data_dir)
    checks: list[Callable[[Place, Settings], Awaitable[Finding]]] = [_running, _database, _schemas, _topics, _mail]
    checks += [_public_url, _provider]
    findings = [Finding("settings", well=True, detail="they fit together")]
    findings += [await check(place, settings) for check in checks]
    if as_json:
        show([vars(finding) for finding in findings], as_json=True)
    else:
        rows = [
            {"": "ok" if f.well else "!!", "what": f.what, "finding": f.detail, "remedy": f.remedy} for f in findings
        ]
        show(rows, as_json=False)
    return 0 if all(finding.well for finding in findings) else FINDINGS


async def _running(place: Place, settings: Settings) -> Finding:
    del settings
    try:
        running = place.running
    except NotRunningError as error:
        return Finding("process", well=False, detail=str(error), remedy="keepwell up")
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http,
            http.get(f"{running.api}/readyz") as answer,
        ):
            ready = await answer.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        return Finding("process", well=False, detail=f"does not answer: {type(error).__name__}", remedy="restart it")
    if ready["ready"]:
        return Finding("process", well=True, detail=f"ready at {running.api}")
    return Finding("process", well=False, detail="; ".join(ready["problems"]), remedy="see docs/runbook.md")


def _admin(place: Place, settings: Settings) -> str:
    given = settings.database_url
    found = given.get_secret_value() if given is not None else place.running.database_url
    if found is None:
        raise NotRunningError(place.folder)
    return found


async def _database(place: Place, settings: Settings) -> Finding:
    try:
        engine = create_async_engine(async_url(_admin(place, settings)), poolclass=NullPool)
        async with asyncio.timeout(PATIENCE), engine.connect() as connection:
            row = (await connection.execute(text("SELECT clock_timestamp(), version()"))).one()
        await engine.dispose()
    except (NotRunningError, SQLAlchemyError, OSError, TimeoutError) as error:
        return Finding("database", well=False, detail=f"{type(error).__name__}", remedy="check KEEPWELL_DATABASE_URL")
    theirs: datetime = row[0]
    skew = abs((RealClock().now() - theirs.astimezone(UTC)).total_seconds())
    if skew > MOST_SKEW:
        return Finding("clock", well=False, detail=f"the database's is {skew:.1f} s off", remedy="run NTP on both")
    return Finding("database", well=True, detail=f"{str(row[1]).split(' on ')[0]}, clocks within {skew:.2f} s")


async def _schemas(place: Place, settings: Settings) -> Finding:
    try:
        urls = parts.database_urls(settings, place.keyring(settings), async_url(_admin(place, settings)))
        drifted = [
            f"{history.service}: {difference}"
            for history in registry.histories()
            for difference in await drift(urls[history.service], history)
        ]
    except (NotRunningError, SQLAlchemyError, OSError) as error:
        return Finding("schemas", well=False, detail=f"{type(error).__name__}", remedy="keepwell migrate")
    if drifted:
        return Finding("schemas", well=False, detail="; ".join(drifted), remedy="keepwell migrate")
    return Finding("schemas", well=True, detail="each is as this version needs it, under its own role")


async def _topics(place: Place, settings: Settings) -> Finding:
    try:
        admin = AIOKafkaAdminClient(**options(kafka_of(place, settings)))
        await admin.start()
        missing = sorted(set(map(str, Topic)) - set(await admin.list_topics()))
        await admin.close()
    except (NotRunningError, KafkaError, OSError) as error:
        detail = type(error).__name__
        return Finding("kafka", well=False, detail=detail, remedy="check KEEPWELL_KAFKA_BOOTSTRAP_SERVERS")
    if missing:
        return Finding("topics", well=False, detail=f"missing: {', '.join(missing)}", remedy="keepwell migrate")
    return Finding("topics", well=True, detail="all there")


async def _reachable(what: str, host: str, port: int, remedy: str) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        return Finding(what, well=False, detail=f"{host}:{port}: {type(error).__name__}", remedy=remedy)
    return Finding(what, well=True, detail=f"{host}:{port} answers")


async def _mail(place: Place, settings: Settings) -> Finding:
    del place
    if settings.smtp_host is None:
        return Finding("mail", well=True, detail="no server set: e-mail goes to the sandbox, or is off")
    return await _reachable("mail", settings.smtp_host, settings.smtp_port, "check KEEPWELL_SMTP_HOST and _PORT")


async def _provider(place: Place, settings: Settings) -> Finding:
    del place
    if settings.twilio_account_sid is None:
        return Finding("provider", well=True, detail="no account set: texts go to the sandbox")
    parts_of = urlsplit(settings.twilio_base_url)
    port = parts_of.port or (443 if parts_of.scheme == "https" else 80)
    return await _reachable("provider", parts_of.hostname or "", port, "check KEEPWELL_TWILIO_BASE_URL")


async def _public_url(place: Place, settings: Settings) -> Finding:
    del place
    if settings.public_url is None:
        return Finding("webhooks", well=True, detail="no public address: only this machine reaches Keepwell")
    forged = f"{settings.public_url}/webhooks/twilio/status"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http,
            http.post(forged, data={"MessageSid": "SMdoctor"}) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        detail = f"{settings.public_url} does not answer: {type(error).__name__}"
        return Finding("webhooks", well=False, detail=detail, remedy="check the proxy and KEEPWELL_PUBLIC_URL")
    if status != 403:  # noqa: PLR2004 - the answer to an unsigned call
        detail = f"an unsigned call got {status}, not 403: something else answers there"
        return Finding("webhooks", well=False, detail=detail, remedy="check the proxy and KEEPWELL_PUBLIC_URL")
    return Finding("webhooks", well=True, detail="reached, and an unsigned call is refused")
