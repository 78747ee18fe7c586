"""Where the measuring happens: a real PostgreSQL and a real Kafka of our own, thrown away afterwards."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.engine import URL

from keepwell.host import infrastructure
from keepwell.host.data_directory import DataDirectory
from shared.clock import RealClock
from shared.database.address import async_url
from shared.embedded.kafka import kafka
from shared.embedded.kafka_broker import Broker
from shared.embedded.postgres import postgres
from shared.events import Topic
from shared.protection import Keyring
from shared.settings import PREFIX, Settings, load

CLOCK = RealClock()
STOP_WITHIN = 30.0


@dataclass(frozen=True)
class Stand:
    """Migrated databases and topics, and the keys that all processes share."""

    folder: Path
    database: URL
    kafka: str
    keys: str
    broker: Broker

    def settings(self, **more: Any) -> Settings:
        return load(
            data_dir=self.folder / "data",
            database_url=self.database.render_as_string(hide_password=False),
            kafka_bootstrap_servers=self.kafka,
            keys=self.keys,
            **more,
        )

    @property
    def keyring(self) -> Keyring:
        return Keyring.from_text(self.keys)

    def url_of(self, service: str) -> URL:
        return infrastructure.database_urls(self.settings(), self.keyring, self.database)[service]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the settings of a process of the product, at this stand."""
        own = {
            "KEEPWELL_DATA_DIR": str(self.folder / "data"),
            "KEEPWELL_DATABASE_URL": self.database.render_as_string(hide_password=False),
            "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "KEEPWELL_KEYS": self.keys,
            "KEEPWELL_HTTP_PORT": "0",
            "KEEPWELL_LOG_LEVEL": "WARNING",
        }
        return clean_environment(**(own | more))

    @asynccontextmanager
    async def sql(self) -> AsyncIterator[asyncpg.Connection]:
        """Give a superuser's connection."""
        url = self.database.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(url, command_timeout=3600)
        try:
            yield connection
        finally:
            await connection.close()


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings of Keepwell and no others."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | settings


@asynccontextmanager
async def stand(*, partitions: int = 4) -> AsyncIterator[Stand]:
    """Start PostgreSQL and Kafka in a new folder right below /tmp, make every schema and topic, and throw it away."""
    with tempfile.TemporaryDirectory(prefix="kwb", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with postgres(folder / "postgres") as database, kafka(folder / "kafka") as broker:
            address = broker.bootstrap_servers
            made = Stand(folder, async_url(database.url), address, Keyring.generate(), broker.brokers[0])
            settings = made.settings(kafka_partitions=partitions)
            DataDirectory(settings.data_dir)
            await infrastructure.migrate(
                settings, made.keyring, infrastructure.Infrastructure(made.database, made.kafka)
            )
            yield made


@asynccontextmanager
async def child(
    *arguments: str, environment: Mapping[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a Python module in a process of its own until the block ends; its first line says that it is ready."""
    async with program(sys.executable, "-m", *arguments, environment=environment, log=log) as process:
        yield process


@asynccontextmanager
async def program(
    *arguments: str, log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the block ends."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *arguments, env=environment, stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_WITHIN):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def first_line(process: asyncio.subprocess.Process, log: Path) -> str:
    """Return a child's first line; it says that it is ready."""
    if process.stdout is None:
        raise RuntimeError("A child's output is read here.")
    line = await process.stdout.readline()
    if not line:
        tail = await asyncio.to_thread(log.read_text, errors="replace")
        raise RuntimeError(f"A child ended before it was ready:\n{tail[-3000:]}")
    return line.decode()


class Ends:
    """How many records topics hold."""

    def __init__(self, servers: str, topic: Topic, partitions: int = 4) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
        self._parts = [TopicPartition(str(topic), number) for number in range(partitions)]

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def count(self) -> int:
        ends = await self._consumer.end_offsets(self._parts)
        return sum(ends.values())
