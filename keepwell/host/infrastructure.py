"""What the services stand on in this process: PostgreSQL and Kafka, brought along where the settings name none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from keepwell.host import registry
from keepwell.host.data_directory import DataDirectory
from shared.bus.address import Address, kafka_of, options
from shared.bus.outage import is_outage
from shared.bus.topics import create_topics
from shared.clock import RealClock
from shared.database.address import DatabaseRefusedError, async_url, refusal_of
from shared.database.database_roles import prepare, role_of, service_url
from shared.database.history import Part, is_newest
from shared.events import Topic
from shared.protection import Keyring
from shared.settings import SERVICES, ServiceSettings, Settings, SettingsError
from shared.telemetry.log import get_logger

log = get_logger(__name__)

DAY_MS: Final = 24 * 60 * 60 * 1000
PATIENCE: Final = 120.0
"""Real seconds that a start waits for a PostgreSQL or a Kafka that is not there yet, or recovers from a crash."""


@dataclass(frozen=True)
class Infrastructure:
    """Where PostgreSQL and Kafka are.

    Attributes:
        database: the common address, which may make roles; None where each service has its own role's alone.
        kafka: with the way in.
    """

    database: URL | None
    kafka: Address


@asynccontextmanager
async def opened(settings: Settings, directory: DataDirectory, progress: Any = None) -> AsyncIterator[Infrastructure]:
    """Start what the settings do not name, both at once, and stop it at the end."""
    async with AsyncExitStack() as stack:
        starting: list[Any] = []
        if settings.database_url is None and not settings.split:
            from shared.embedded.postgres import postgres  # noqa: PLC0415 - absent where the embedded group is left out

            starting.append(postgres(directory.folder / "postgres", progress=progress))
        if settings.kafka_bootstrap_servers is None:
            from shared.embedded.kafka import kafka  # noqa: PLC0415 - absent where the embedded group is left out

            starting.append(kafka(directory.folder / "kafka", progress=progress))
        addresses = iter(await _enter_all(stack, starting))
        database: URL | None = None
        if settings.database_url is not None:
            database = async_url(settings.database_url.get_secret_value())
        elif not settings.split:
            database = async_url(next(addresses).url)
        bootstrap = settings.kafka_bootstrap_servers or next(addresses).bootstrap_servers
        yield Infrastructure(database, kafka_of(settings, bootstrap))


async def _enter_all(stack: AsyncExitStack, starting: Sequence[Any]) -> list[Any]:
    """Enter contexts at the same time; if one fails, those that started are stopped with the stack."""
    outcomes = await asyncio.gather(*(context.__aenter__() for context in starting), return_exceptions=True)
    for context, outcome in zip(starting, outcomes, strict=True):
        if not isinstance(outcome, BaseException):
            stack.push_async_exit(context.__aexit__)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


def database_urls(settings: Settings, keyring: Keyring, admin: URL | None) -> Mapping[str, URL]:
    """Return the address of each service's own role: the one it was given, or one on the common database.

    Where there is no common database, the services that were given none are left out.
    """
    urls: dict[str, URL] = {}
    for name in SERVICES:
        own: ServiceSettings = getattr(settings, name)
        if own.database_url is not None:
            urls[name] = async_url(own.database_url.get_secret_value())
        elif admin is not None:
            urls[name] = service_url(admin, name, password(keyring, name))
    return urls


def password(keyring: Keyring, service: str) -> str:
    """Return the password of a service's role, derived from the keys so that there is none to lose."""
    return keyring.derive(f"database:{service}").hex()


async def migrate(
    settings: Settings, keyring: Keyring, infrastructure: Infrastructure, part: Part = Part.WHOLE
) -> list[str]:
    """Make roles, schemas and topics, and bring every schema to its newest version.

    Each step is whole or not at all, and may be repeated: one that a lost database broke off is begun anew.

    A role is made where its password is derived from the keys, and where the service's own address names Keepwell's
    role for it. Another name is an operator's, who made that role.

    Returns:
        the revisions that were brought in, as `service revision`.

    Raises:
        UpgradeError: the part asked for must wait.
    """
    clock = RealClock()
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            brought = await _migrate_schemas(settings, keyring, infrastructure, part)
            break
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            if infrastructure.database is not None and (why := refusal_of(error)):
                raise DatabaseRefusedError(infrastructure.database, why) from None
            if not is_outage(error) or asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("database.awaited", error=type(error).__name__)
            await clock.pause(0.5)
    await make_topics(settings, infrastructure)
    return brought


async def _migrate_schemas(
    settings: Settings, keyring: Keyring, infrastructure: Infrastructure, part: Part
) -> list[str]:
    if infrastructure.database is None:
        raise SettingsError(
            "KEEPWELL_DATABASE_URL is missing: roles and schemas are made with an address that may make them. "
            "`keepwell migrate` needs it; a service that has its own role's address alone does not."
        )
    urls = database_urls(settings, keyring, infrastructure.database)
    if part == Part.FITTING and await _is_newest(urls):
        return []
    from shared.database.migrate import upgrade  # noqa: PLC0415 - loads Alembic, which most starts do without

    ours = {name: url.password for name, url in urls.items() if url.username == role_of(name) and url.password}
    if ours:
        await prepare(infrastructure.database, ours)
    # One after the other: Alembic's context is one for the whole process.
    return [
        f"{history.service} {revision}"
        for history in registry.histories()
        for revision in await upgrade(urls[history.service], history, part)
    ]


async def _is_newest(urls: Mapping[str, URL]) -> bool:
    """Tell whether every service's role gets in and finds its schema at the newest version: nothing is to be done."""
    looks = (is_newest(url, registry.history(name)) for name, url in urls.items())
    return all(await asyncio.gather(*looks))


async def make_topics(settings: Settings, infrastructure: Infrastructure) -> None:
    """Make the topics that are missing; wait for a Kafka that is still starting."""
    clock = RealClock()
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            made = await create_topics(
                infrastructure.kafka,
                partitions=settings.kafka_partitions,
                replication=settings.kafka_replication,
                min_in_sync=settings.kafka_min_insync,
                retention_ms=settings.kafka_retention_days * DAY_MS,
            )
        except KafkaError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("kafka.awaited", error=type(error).__name__)
            await clock.pause(0.5)
        else:
            if made:
                log.info("kafka.topics_made", topics=made)
            return


async def migrated(urls: Mapping[str, URL], kafka: Address, say: Callable[[str], None]) -> None:
    """Wait until `keepwell migrate`, run elsewhere, has made what this process needs.

    Args:
        urls: the addresses of the services that it hosts.
        kafka: bootstrap servers.
        say: told what is waited for, whenever that changes.
    """
    clock = RealClock()
    said = ""
    while reason := await _missing(urls, kafka):
        if reason != said:
            log.warning("migration.awaited", reason=reason)
            say(reason)
        said = reason
        await clock.pause(0.5)


async def _missing(urls: Mapping[str, URL], kafka: Address) -> str:
    """Return what is not there yet, in plain words; empty where all is."""
    for history in registry.histories(tuple(urls)):
        if await is_newest(urls[history.service], history):
            continue
        from shared.database.migrate import pending  # noqa: PLC0415 - loads Alembic, which most starts do without

        try:
            steps = await pending(urls[history.service], history)
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            why = refusal_of(error) or type(error).__name__
            return f"the database of {history.service} does not let it in: {why}"
        if any(step.phase == Part.BEFORE for step in steps or ()):
            return f"the schema of {history.service} is older than this version: waiting for `keepwell migrate`"
    admin = AIOKafkaAdminClient(**options(kafka))
    try:
        await admin.start()
        missing = sorted(set(map(str, Topic)) - set(await admin.list_topics()))
    except (KafkaError, OSError) as error:
        return f"Kafka does not answer: {type(error).__name__}"
    finally:
        await admin.close()
    return f"topics are missing: waiting for `keepwell migrate` to make {', '.join(missing)}" if missing else ""
