"""`keepwell retell`: after a gap in Kafka's log, every owner says how things stand, and sending goes on."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiokafka.errors import KafkaError

from keepwell.cli.commands.dead_letters import kafka_of
from keepwell.cli.output import FINDINGS, fail, show
from keepwell.host import infrastructure, registry
from keepwell.host.data_directory import DataDirectory
from services.assessments import retelling as assessments_retelling
from services.assessments.dependencies import Dependencies
from services.assessments.packs import Packs
from services.clinic import retelling as clinic_retelling
from services.notifier import retelling as notifier_retelling
from services.scheduler import retelling as scheduler_retelling
from shared.bus import gaps
from shared.bus.address import Address
from shared.bus.consumer import group_of
from shared.bus.outbox_backlog import outbox_backlog
from shared.bus.quiet import Watch
from shared.database import Database
from shared.database.address import async_url
from shared.events import Topic
from shared.settings import SERVICES, Settings

WITHIN: Final = 300.0
"""Real seconds for what was told to be sent and handled."""
LOOK: Final = 0.5
LISTENERS: Final = {
    "clinic": (Topic.SCHEDULING, Topic.ASSESSMENTS, Topic.MESSAGING),
    "scheduler": (Topic.CLINIC, Topic.ASSESSMENTS, Topic.MESSAGING),
    "notifier": (Topic.CLINIC, Topic.SCHEDULING, Topic.ASSESSMENTS),
    "assessments": (Topic.CLINIC, Topic.SCHEDULING, Topic.ASSESSMENTS, Topic.MESSAGING),
}
"""Who listens to what is told anew."""
NOT_TOLD: Final = (
    "The links of check-ins are not told anew, for only their hashes are kept: whoever got one can use it. What became "
    "of messages is not told anew either."
)


async def retell(directory: DataDirectory, settings: Settings, *, as_json: bool) -> int:
    """Have every owner say how things stand; close the gaps once every service has heard it.

    Raises:
        KafkaConnectionError: Kafka does not answer; nothing was told.
    """
    async with (
        _databases(directory, settings, as_json=as_json) as databases,
        _watching(kafka_of(directory, settings)) as watch,
    ):
        known = {name: await _open(database) for name, database in databases.items()}
        told = await clinic_retelling.retell(databases["clinic"], directory.keyring(settings))
        told += await scheduler_retelling.retell(databases["scheduler"])
        told += await assessments_retelling.retell(databases["assessments"], _kit(directory, settings))
        told += await notifier_retelling.retell(databases["notifier"], directory.keyring(settings))
        heard = await _all_heard(databases, watch)
        if heard:
            for name, database in databases.items():
                async with database.transaction() as tx:
                    await gaps.close(tx, known[name])
    closed = sum(map(len, known.values())) if heard else 0
    if as_json:
        show({"told": told, "heard": heard, "gaps_closed": closed, "not_told": NOT_TOLD}, as_json=True)
    elif heard:
        show(f"{told} facts were told anew and heard by every service; {closed} gaps are closed.", as_json=False)
        show(NOT_TOLD, as_json=False)
    else:
        waits = f"{told} facts were told anew, but not every service has heard them within {WITHIN:.0f} s."
        show(f"{waits} The gaps stay open: see that all services run, and give this command again.", as_json=False)
    return 0 if heard else FINDINGS


def _kit(directory: DataDirectory, settings: Settings) -> Dependencies:
    # No link is made and no rule is run: neither an address nor the kind of clock counts.
    keyring = directory.keyring(settings)
    return Dependencies(keyring=keyring, packs=Packs.load(), times=settings.assessments, public_url="", trial=False)


async def _open(database: Database) -> list[int]:
    async with database.reading() as reader:
        return await gaps.open_gaps(reader)


@asynccontextmanager
async def _watching(kafka: Address) -> AsyncIterator[Watch]:
    watch = Watch(kafka, {group_of(name, topic): [str(topic)] for name in LISTENERS for topic in LISTENERS[name]})
    await watch.start()
    try:
        yield watch
    finally:
        await watch.close()


async def _all_heard(databases: Mapping[str, Database], watch: Watch) -> bool:
    """Wait until what owners have told is sent and every listener has handled it; tell whether it came to that."""
    clock = databases["clinic"].clock
    try:
        async with asyncio.timeout(WITHIN):
            while not (await _sent(databases) and await _handled(watch)):
                await clock.pause(LOOK)
    except TimeoutError:
        return False
    return True


async def _sent(databases: Mapping[str, Database]) -> bool:
    for database in databases.values():
        async with database.reading() as reader:
            if (await outbox_backlog(reader)).event_age > 0:
                return False
    return True


async def _handled(watch: Watch) -> bool:
    try:
        lag = await watch.lag()
    except KafkaError:
        return False  # a broker restarts: it is asked again
    return not any(behind for topics in lag.values() for behind in topics.values())


@asynccontextmanager
async def _databases(
    directory: DataDirectory, settings: Settings, *, as_json: bool
) -> AsyncIterator[dict[str, Database]]:
    """Open every service's schema under its own role."""
    given = settings.database_url
    common = given.get_secret_value() if given is not None else None
    if common is None and not settings.split:
        common = directory.running.database_url
    urls = infrastructure.database_urls(
        settings, directory.keyring(settings), None if common is None else async_url(common)
    )
    owners = [name for name in SERVICES if name in {history.service for history in registry.histories()}]
    if missing := [name for name in owners if name not in urls]:
        needed = " and ".join(f"KEEPWELL_{name.upper()}__DATABASE_URL" for name in missing)
        fail(f"Every owner is asked: run this where KEEPWELL_DATABASE_URL is set, or set {needed}.", as_json=as_json)
    clock = directory.clock(settings)
    async with AsyncExitStack() as stack:
        opened: dict[str, Database] = {}
        for name in owners:
            opened[name] = Database(urls[name], schema=name, clock=clock)
            stack.push_async_callback(opened[name].close)
        yield opened
