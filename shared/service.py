"""What a service is to the process that hosts it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import APIRouter

from shared.bus import Handlers
from shared.database import Database, Reader
from shared.database.migrate import History


async def _never(_reader: Reader) -> datetime | None:
    return None


async def _idle(_reader: Reader) -> bool:
    return False


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
        started: called once when the process is ready, after migrations.
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
