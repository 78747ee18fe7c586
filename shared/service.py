"""What a service is to the process that hosts it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import APIRouter

from shared.bus import Handlers
from shared.clock import Clock
from shared.database import Database, Reader
from shared.database.history import History
from shared.protection import Keyring
from shared.settings import Settings
from shared.web.client import ServiceClient
from shared.web.outgoing import Outgoing
from shared.web.tokens import Tokens


@dataclass(frozen=True)
class Context:
    """What a service is built from.

    Args:
        settings: of the process.
        clock: the only one.
        keyring: seals, opens and makes fingerprints.
        database: the service's own schema, under its own role.
        tokens: makes and checks bearer tokens.
        http: gives the process's one outgoing HTTP session.
        client: orders to other services.
        public_url: the address that patients and the provider reach, without a trailing slash.
        provider: whom to send through; the settings' provider, or the sandbox's stand-ins.
        hosted: the services that this process hosts.
        urls: where each service answers, for a gateway.
    """

    settings: Settings
    clock: Clock
    keyring: Keyring
    database: Database
    tokens: Tokens
    http: Outgoing
    client: ServiceClient
    public_url: str
    provider: "Provider"
    hosted: frozenset[str] = frozenset()
    urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Provider:
    """Accounts for sending, as the settings or the sandbox give them. A channel without an address is off."""

    twilio_base_url: str
    twilio_account_sid: str | None
    twilio_auth_token: str
    twilio_from: str
    smtp_host: str | None
    smtp_port: int
    smtp_from: str
    smtp_username: str | None
    smtp_password: str | None
    smtp_tls: str
    twilio_auth_token_other: str | None = None
    smtp_ca: str | None = None


async def _never(_reader: Reader) -> datetime | None:
    return None


async def _idle(_reader: Reader) -> bool:
    return False


async def _unmeasured(_reader: Reader) -> None:
    return None


async def _silent(_reader: Reader) -> list[str]:
    return []


async def _nothing(_reader: Reader) -> dict[str, int]:
    return {}


@dataclass(frozen=True)
class Loop:
    """Background work that runs until it is cancelled; the host starts it again with backoff when it fails."""

    name: str
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Service:
    """A service as its composition root built it.

    Args:
        name: also its schema's name.
        database: its own role's connection.
        history: its migrations.
        handlers: what it does about events.
        routers: its API and pages.
        loops: its background work besides relay and consumers.
        next_due: the next instant at which its own loops have something to do; timers in the outbox are known anyway.
        busy: whether work is in flight or due right now.
        status: counts for `GET /api/v1/status`, such as unknown attempts.
        notes: what an operator should know though the service does its work; shown beside readiness.
        measure: sets the service's own gauges from its tables; asked every few seconds, so by index alone.
    """

    name: str
    database: Database
    history: History
    handlers: Handlers = field(default_factory=Handlers)
    routers: Sequence[APIRouter] = ()
    loops: Sequence[Loop] = ()
    next_due: Callable[[Reader], Awaitable[datetime | None]] = _never
    busy: Callable[[Reader], Awaitable[bool]] = _idle
    status: Callable[[Reader], Awaitable[dict[str, int]]] = _nothing
    notes: Callable[[Reader], Awaitable[list[str]]] = _silent
    measure: Callable[[Reader], Awaitable[None]] = _unmeasured
