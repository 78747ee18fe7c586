"""Keepwell split over processes: each service in its own, two notifiers, and the sandbox as the provider.

Nothing joins them but settings, a PostgreSQL and a Kafka, as in a cluster.
"""

import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL, SIGTERM
from uuid import UUID

from sqlalchemy.engine import make_url

from shared.embedded.kafka import KafkaAddress, kafka
from shared.embedded.ports import LOOPBACK, is_free, remembered_ports
from shared.embedded.postgres import PostgresAddress, postgres
from shared.ids import ClinicId
from shared.protection import Keyring
from shared.web.tokens import ALL_SCOPES, Principal, Tokens
from tests.faults.member import Member
from tests.faults.provider import ACCOUNT, PHONE, SECRET
from tests.faults.proxy import Proxy, before
from tests.support.running import clean_environment, run_command

PYTHON = (sys.executable,)
SETTLE_AFTER = 6
"""Seconds to the first look at an unknown attempt. Nothing is sent again before seven times that, which is longer than
the sandbox's list of messages lags (30 s) and than any freeze of the tormentor."""
PROVIDER_TIMEOUT = 4
STOP_SECONDS = 8
KEYS = Keyring.generate()
KEEPWELL = ("-m", "keepwell")
SERVICES = ("clinic", "scheduler", "notifier", "assessments")


@dataclass
class Deployment:
    """What runs.

    Attributes:
        settings: what every service is given.
        launcher: the module that a process runs: `keepwell`, or it with places to die at.
        wires: the proxies between the parts, by what lies behind them; none where nothing is proxied.
        loaded: whether its members start with all loaded that they load (see `tests.support.loaded`).
        members: by name; `notifier-1` and `notifier-2` are two of one kind, `provider` is the sandbox.
    """

    folder: Path
    database: PostgresAddress
    kafka: KafkaAddress
    settings: Mapping[str, str]
    urls: Mapping[str, str]
    profile: str
    seed: int
    launcher: tuple[str, ...] = KEEPWELL
    wires: dict[str, Proxy] = field(default_factory=dict)
    loaded: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    token: str = ""
    extra: int = 0

    @property
    def gateway(self) -> str:
        """Return the address that everything is behind."""
        return self.urls["clinic"]

    @property
    def provider(self) -> Member:
        return self.members["provider"]

    @property
    def notifiers(self) -> list[Member]:
        """Return every notifier that is a member now."""
        return [member for name, member in self.members.items() if name.startswith("notifier")]

    def member(self, name: str, service: str, port: int) -> Member:
        """Describe a process that hosts a service."""
        place = self.folder / name
        own = {"KEEPWELL_DATA_DIR": str(place), "KEEPWELL_HTTP_PORT": str(port)}
        return Member(
            name=name,
            command=(*PYTHON, *self.launcher, "up", service, "--json"),
            environment=clean_environment(**self.settings, **own),
            port=port,
            ready_path="/readyz",
            log=self.folder / f"{name}.log",
            loaded=self.loaded,
        )

    async def add_notifier(self) -> Member:
        """Start one more notifier, under a name that was never used, and return once it is ready."""
        self.extra += 1
        name = f"notifier-{2 + self.extra}"
        member = self.member(name, "notifier", free_port())
        await member.start()
        self.members[name] = member
        return member

    async def remove(self, name: str) -> int:
        """Stop a member for good."""
        return await self.members.pop(name).end(SIGTERM)

    def add_provider(self) -> None:
        port = int(self.urls["provider"].rpartition(":")[2])
        self.members["provider"] = Member(
            name="provider",
            command=(
                *(*PYTHON, "-m", "tests.faults.provider", "--port", str(port)),
                *("--folder", str(self.folder / "provider"), "--profile", self.profile, "--seed", str(self.seed)),
                *("--inbound", f"{self.gateway}/webhooks/twilio/inbound"),
            ),
            environment=clean_environment(),
            port=port,
            ready_path="/sandbox/state",
            log=self.folder / "provider.log",
            loaded=self.loaded,
        )


def free_port() -> int:
    """Return a port that nobody listens on, below those that the system hands out by itself."""
    while not is_free(port := 20_000 + secrets.randbelow(12_000)):
        continue
    return port


def settings_of(database: PostgresAddress, servers: str, urls: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that join the processes."""
    return {
        "KEEPWELL_DATABASE_URL": database.url,
        "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS": servers,
        "KEEPWELL_KEYS": KEYS,
        "KEEPWELL_PUBLIC_URL": urls["clinic"],
        "KEEPWELL_STOP_SECONDS": str(STOP_SECONDS),
        "KEEPWELL_LOG_LEVEL": "INFO",
        "KEEPWELL_TWILIO_BASE_URL": urls["provider"],
        "KEEPWELL_TWILIO_ACCOUNT_SID": ACCOUNT,
        "KEEPWELL_TWILIO_AUTH_TOKEN": SECRET,
        "KEEPWELL_TWILIO_FROM": PHONE,
        "KEEPWELL_NOTIFIER__TEXTS_PER_DAY": "1000",
        "KEEPWELL_NOTIFIER__PROVIDER_TIMEOUT": str(PROVIDER_TIMEOUT),
        "KEEPWELL_NOTIFIER__SETTLE_AFTER": str(SETTLE_AFTER),
        **{f"KEEPWELL_{name.upper()}__URL": urls[name] for name in SERVICES},
    }


@asynccontextmanager
async def deployed(
    *,
    profile: str = "rough",
    seed: int = 1,
    brokers: int = 1,
    notifiers: int = 2,
    launcher: tuple[str, ...] = KEEPWELL,
    proxied: bool = False,
    loaded: bool = False,
    database_folder: Path | None = None,
    **settings: str,
) -> AsyncIterator[Deployment]:
    """Start PostgreSQL, Kafka, the provider and every service; stop them at the end.

    Args:
        profile: how the provider behaves.
        seed: of the provider.
        brokers: of Kafka, 1 or 3.
        notifiers: 1 or 2.
        launcher: see `Deployment`.
        proxied: whether a proxy stands before PostgreSQL, each broker and the provider.
        loaded: see `Deployment`.
        database_folder: where PostgreSQL keeps its data; in the deployment's own folder where None.
        settings: variables that win over the usual ones.
    """
    async with AsyncExitStack() as stack:
        # Right below /tmp: as root PostgreSQL runs as another account, which must be able to reach its folder.
        place = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="kwf", dir="/tmp", ignore_cleanup_errors=True))
        )
        database = await stack.enter_async_context(postgres(database_folder or place / "postgres"))
        ports = remembered_ports(place / "ports.json", (*SERVICES, "provider", "notifier-2"))
        urls = {name: f"http://{LOOPBACK}:{ports[name]}" for name in (*SERVICES, "provider")}
        wires = await _wires(stack, database.port, ports["provider"], brokers) if proxied else {}
        doors = [wire.port for name, wire in wires.items() if name.startswith("kafka")]
        broker = await stack.enter_async_context(kafka(place / "kafka", brokers=brokers, advertised=doors))
        for each in broker.brokers:
            if proxied:
                wires[f"kafka-{each.id}"].target = each.port
        joined = settings_of(database, broker.bootstrap_servers, urls)
        if proxied:
            through = make_url(database.url).set(port=wires["database"].port)
            joined["KEEPWELL_DATABASE_URL"] = through.render_as_string(hide_password=False)
            joined["KEEPWELL_TWILIO_BASE_URL"] = f"http://{LOOPBACK}:{wires['provider'].port}"
        if brokers > 1:
            joined |= {"KEEPWELL_KAFKA_REPLICATION": "3", "KEEPWELL_KAFKA_MIN_INSYNC": "2"}
        deployment = Deployment(
            place, database, broker, joined | settings, urls, profile, seed, launcher, wires, loaded
        )
        migrated = clean_environment(**deployment.settings, KEEPWELL_DATA_DIR=str(place / "migrate"))
        code, _, complaint = await run_command("migrate", environment=migrated)
        if code != 0:
            raise RuntimeError(f"keepwell migrate ended with {code}: {complaint}")
        deployment.add_provider()
        for service in SERVICES:
            name = "notifier-1" if service == "notifier" else service
            deployment.members[name] = deployment.member(name, service, ports[service])
        if notifiers > 1:
            deployment.members["notifier-2"] = deployment.member("notifier-2", "notifier", ports["notifier-2"])
        stack.push_async_callback(stop_all, deployment)
        await start_all(deployment)
        yield deployment


async def _wires(stack: AsyncExitStack, database: int, provider: int, brokers: int) -> dict[str, Proxy]:
    """Put a proxy before each part; those of the brokers learn later what they stand before."""
    targets = {"database": database, "provider": provider} | {f"kafka-{number + 1}": 0 for number in range(brokers)}
    return {name: await stack.enter_async_context(before(target)) for name, target in targets.items()}


async def start_all(deployment: Deployment) -> None:
    """Start every member; the clinic's own login gives the token."""
    await asyncio.gather(*(member.spawn() for member in deployment.members.values()))
    await asyncio.gather(*(member.ready() for member in deployment.members.values()))
    login = json.loads((deployment.folder / "clinic" / "first-login.json").read_text(encoding="utf-8"))
    principal = Principal(ClinicId(UUID(login["clinic"])), "load", ALL_SCOPES)
    deployment.token = Tokens(Keyring.from_text(KEYS)).create(principal, life=timedelta(days=2))


async def stop_all(deployment: Deployment) -> None:
    """Stop every member; a frozen one is let go first."""
    for member in deployment.members.values():
        member.thaw()
    running = [member for member in deployment.members.values() if member.pid is not None]
    services = [member for member in running if member.name != "provider"]
    await asyncio.gather(*(member.end(SIGTERM) for member in services))
    await asyncio.gather(*(member.end(SIGKILL) for member in running if member.name == "provider"))
