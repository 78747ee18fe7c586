"""The bench for one service: its real parts on a real database and real HTTP, without the other services.

Events come in by `tell`, as a consumer would bring them; what the service said stands in its outbox (`said`, then
`pending` for its timers).
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import aiohttp
import uvicorn
from fastapi import FastAPI
from sqlalchemy import delete, select

from shared.bus.envelope import Received
from shared.bus.tables import AT_ONCE, tables_of
from shared.clock import SteppedClock
from shared.events import BY_TYPE, Event
from shared.ids import ClinicId, new_id
from shared.protection import Keyring
from shared.service import Context, Provider, Service
from shared.settings import Settings
from shared.web import problems
from shared.web.client import ServiceClient
from shared.web.limits import Limits
from shared.web.pages import SafeHeaders
from shared.web.patience import set_patience
from shared.web.tokens import ALL_SCOPES, Principal, Tokens
from tests.support.fields import build_when_asked

build_when_asked()
E = TypeVar("E", bound=Event)
UNHURRIED = 120.0
"""Seconds that a page may take where no test asks how long: a busy machine is no database that stands still."""
KEYRING = Keyring.from_text("k1:" + "A" * 43 + "=")
NO_PROVIDER = Provider("http://127.0.0.1:9", None, "", "", None, 0, "clinic@example.org", None, None, "none")


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve an application on a free loopback port; give its base address."""
    listening = socket.create_server(("127.0.0.1", 0))
    # Inherited by each connection, as uvloop has it: else a body that follows its headers waits 40 ms to be let go.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
            await asyncio.sleep(0.005)  # noqa: TID251 - see above
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Answer:
    """An HTTP answer that was read whole."""

    status: int
    headers: dict[str, str]
    text: str
    json: Any


@dataclass
class Bench:
    """One service, to be tried."""

    service: Service
    clock: SteppedClock
    context: Context
    base_url: str
    http: aiohttp.ClientSession
    app: FastAPI
    clinic: ClinicId = field(default_factory=lambda: ClinicId(uuid4()))

    @property
    def database(self) -> Any:
        return self.service.database

    def token(self, *, scopes: frozenset[Any] = ALL_SCOPES, clinic: ClinicId | None = None, name: str = "test") -> str:
        principal = Principal(clinic or self.clinic, name, scopes)
        return self.context.tokens.create(principal, life=timedelta(hours=1))

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        data: Any = None,
    ) -> Answer:
        """Call a path; paths below /api/v1 may be given without it. `token=""` sends none."""
        whole = path if path.startswith(("/webhooks", "/c/", "/console", "/api", "/login")) else f"/api/v1{path}"
        sent = dict(headers or {})
        if token != "":
            sent.setdefault("Authorization", f"Bearer {token or self.token()}")
        async with self.http.request(
            method, self.base_url + whole, json=body, data=data, headers=sent, allow_redirects=False
        ) as answer:
            content = await answer.text()
            is_json = "json" in answer.headers.get("content-type", "")
            return Answer(answer.status, dict(answer.headers), content, await answer.json() if is_json else None)

    async def tell(self, event: Event, *, event_id: Any = None) -> None:
        """Let the service handle an event, in a transaction of its own."""
        async with self.service.database.transaction() as tx:
            await self.service.handlers.handle(tx, Received(event_id or new_id(), event.TYPE, None, event))

    async def said(self, kind: type[E] | None = None, *, clear: bool = False) -> list[E]:
        """Return the events that wait to be sent now, in order; with `clear` they count as sent."""
        outbox = tables_of(self.service.name).outbox
        async with self.service.database.transaction() as tx:
            now = outbox.c.due_at == AT_ONCE
            rows = await tx.all(select(outbox).where(now).order_by(outbox.c.seq))
            if clear:
                await tx.execute(delete(outbox).where(now))
        events: list[Any] = [BY_TYPE[row.type].model_validate_json(row.body) for row in rows]
        return [event for event in events if kind is None or isinstance(event, kind)]

    async def pending(self) -> dict[str, tuple[datetime, Event]]:
        """Return the timers by name, each with its instant and its event."""
        outbox = tables_of(self.service.name).outbox
        async with self.service.database.reading() as reader:
            rows = await reader.all(select(outbox).where(outbox.c.due_at != AT_ONCE).order_by(outbox.c.due_at))
        return {row.timer: (row.due_at, BY_TYPE[row.type].model_validate_json(row.body)) for row in rows}

    async def live_until(self, instant: datetime) -> list[Event]:
        """Move the clock forward and fire this service's timers in order into its own handlers; return them."""
        fired: list[Event] = []
        outbox = tables_of(self.service.name).outbox
        while True:
            async with self.service.database.transaction() as tx:
                due = select(outbox).where(outbox.c.due_at != AT_ONCE, outbox.c.due_at <= instant)
                row = await tx.one_or_none(due.order_by(outbox.c.due_at, outbox.c.seq).limit(1))
                if row is None:
                    break
                await tx.execute(delete(outbox).where(outbox.c.seq == row.seq))
            await self.clock.move_to(max(row.due_at, self.clock.now()))
            event = BY_TYPE[row.type].model_validate_json(row.body)
            fired.append(event)
            if self.service.handlers.wants(event.TYPE):
                await self.tell(event, event_id=row.id)
        await self.clock.move_to(max(instant, self.clock.now()))
        return fired


@asynccontextmanager
async def bench_of(
    build: Callable[[Context], Service],
    database: Any,
    clock: SteppedClock,
    *,
    provider: Provider = NO_PROVIDER,
    settings: Settings | None = None,
    urls: dict[str, str] | None = None,
) -> AsyncIterator[Bench]:
    """Build a service as its composition root does and serve its routes; its loops run only if a test starts them."""
    tokens = Tokens(KEYRING)
    async with aiohttp.ClientSession() as http:
        app = FastAPI()
        async with served(app) as base_url:
            context = Context(
                settings=settings or Settings(),
                clock=clock,
                keyring=KEYRING,
                database=database,
                tokens=tokens,
                http=lambda: http,
                client=ServiceClient(lambda: http, urls or {}, tokens),
                public_url=base_url,
                provider=provider,
            )
            service = build(context)
            app.state.keyring = KEYRING
            app.state.tokens = tokens
            set_patience(app, UNHURRIED)
            problems.install(app)
            app.add_middleware(Limits, tokens=tokens)
            app.add_middleware(SafeHeaders)
            for router in service.routers:
                app.include_router(router)
            yield Bench(service, clock, context, base_url, http, app)


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """Run a service's loops while the block runs."""
    tasks = [asyncio.ensure_future(loop.run()) for loop in service.loops]
    await asyncio.sleep(0)  # noqa: TID251 - a task that is cancelled before its first step would never have run
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def eventually(condition: Callable[[], Awaitable[Any]], *, seconds: float = 60) -> Any:
    """Wait until a condition holds and return what it gave; fail after a deadline that a busy machine keeps too."""
    async with asyncio.timeout(seconds):
        while not (found := await condition()):  # noqa: ASYNC110 - another process has no event for us
            await asyncio.sleep(0.01)  # noqa: TID251 - see above
    return found
