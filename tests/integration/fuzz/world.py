"""All four services with their databases in one web server, on a loop and a thread of its own.

What fuzzes is synchronous and calls it over HTTP, as programs do. Events go from one service to the others by hand, in
order, without Kafka.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

import aiohttp
import requests
from sqlalchemy import delete, select

from keepwell.host import registry
from keepwell.host.app import application
from keepwell.host.engine import Engine
from services.clinic.commands.first_start import ensure_first_clinic
from shared.bus.envelope import Received
from shared.bus.tables import AT_ONCE, tables_of
from shared.clock import SteppedClock
from shared.database import Database
from shared.database.database_roles import service_url
from shared.events import BY_TYPE, CheckinOpened
from shared.ids import ClinicId
from shared.service import Context, Provider, Service
from shared.settings import SERVICES, Settings
from shared.web.client import ServiceClient
from shared.web.tokens import ALL_SCOPES, Principal, Scope, Tokens
from tests.support.bench import KEYRING, served
from tests.support.databases import PASSWORD

T = TypeVar("T")
SECRET: Final = "the account's secret"
PUBLIC: Final = "http://127.0.0.1"
"""The address that the provider signs over."""
PROVIDER: Final = Provider(
    "http://127.0.0.1:9", "AC" + "0" * 32, SECRET, "+12025550100", None, 0, "clinic@example.org", None, None, "none"
)
NOWHERE: Final = "127.0.0.1:9"
PATIENCE: Final = 60


@dataclass
class World:
    """The services, to be called."""

    clock: SteppedClock
    urls: Mapping[str, Any]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    services: list[Service] = field(default_factory=list)
    tokens: Tokens = field(default_factory=lambda: Tokens(KEYRING))
    base: str = ""
    clinic: ClinicId | None = None
    _known: dict[str, str] | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def start(self) -> None:
        self._thread = threading.Thread(target=self.loop.run_forever, name="world", daemon=True)
        self._thread.start()
        self.run(self._open())

    def stop(self) -> None:
        self.run(self._stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the services' loop and return what it gives."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(PATIENCE)

    async def _open(self) -> None:
        http = await self._stack.enter_async_context(aiohttp.ClientSession())
        for name in SERVICES:
            database = Database(self.urls[name], schema=name, clock=self.clock, pool_size=2, overflow=20)
            self._stack.push_async_callback(database.close)
            context = Context(
                settings=Settings(),
                clock=self.clock,
                keyring=KEYRING,
                database=database,
                tokens=self.tokens,
                http=lambda: http,
                client=ServiceClient(lambda: http, {}, self.tokens),
                public_url=PUBLIC,
                provider=PROVIDER,
                hosted=frozenset(SERVICES),
            )
            self.services.append(registry.module(name).build(context))
        engine = Engine(self.services, kafka=NOWHERE, clock=self.clock, instance=None, stop_seconds=1)
        app = application(self.services, engine, keyring=KEYRING, tokens=self.tokens, kafka=NOWHERE, trial=None)
        self.base = await self._stack.enter_async_context(served(app))
        async with self.service("clinic").database.transaction() as tx:
            self.clinic = (await ensure_first_clinic(tx, KEYRING, zone="America/New_York", member=None)).clinic
        await self.deliver()

    def service(self, name: str) -> Service:
        return next(service for service in self.services if service.name == name)

    async def deliver(self) -> None:
        """Bring every event that waits to whoever listens to it, until none waits."""
        while True:
            moved = [await self._deliver_of(service) for service in self.services]
            if not any(moved):
                return

    async def _deliver_of(self, service: Service) -> int:
        outbox = tables_of(service.name).outbox
        async with service.database.transaction() as tx:
            waiting = outbox.c.due_at == AT_ONCE
            rows = await tx.all(select(outbox).where(waiting).order_by(outbox.c.seq))
            await tx.execute(delete(outbox).where(waiting))
        for row in rows:
            received = Received(row.id, row.type, None, BY_TYPE[row.type].model_validate_json(row.body))
            for listener in self.services:
                if listener.handlers.wants(row.type):
                    async with listener.database.transaction() as tx:
                        await listener.handlers.handle(tx, received)
        return len(rows)

    def token(self, *, scopes: frozenset[Scope] = ALL_SCOPES) -> str:
        assert self.clinic is not None
        return self.tokens.create(Principal(self.clinic, "fuzz", scopes), life=timedelta(hours=2))

    def post(self, path: str, body: Any, *, status: int = 201) -> Any:
        """Order something that must succeed; all events are delivered then."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = requests.post(f"{self.base}/api/v1{path}", json=body, headers=headers, timeout=PATIENCE)
        assert answer.status_code == status, (answer.status_code, answer.text)
        self.run(self.deliver())
        return answer.json()

    def harness(self, number: int) -> dict[str, str]:
        """Enrol a patient with a plan, a session, a check-in, an alert and a text; return ids by path parameter."""
        consents = [{"purpose": p, "how": "on paper", "at": "2026-11-01T10:00:00Z"} for p in ("reminders", "checkins")]
        enrolled = self.post(
            "/patients",
            {
                "given_name": "Ana",
                "family_name": "Reyes",
                "zone": "America/New_York",
                "language": "en",
                "contacts": [{"kind": "sms", "value": f"+1202555{number:04d}", "consents": consents}],
            },
        )
        patient = enrolled["id"]
        self.post(f"/patients/{patient}/plans", {"protocol": "iv-ketamine", "start_on": "2026-12-01"})
        session = self.post("/sessions", {"patient": patient, "starts_at": "2026-12-08T10:00", "minutes": 90})["id"]
        open_one = self.post("/checkins", {"patient": patient, "instruments": ["phq-9"]})["id"]
        answered = self.post("/checkins", {"patient": patient, "instruments": ["phq-9"]})["id"]
        answers = {"instrument": "phq-9", "answers": [0] * 8 + [3], "entered_by": "staff"}
        taken = self.post(f"/checkins/{answered}/answers", answers, status=200)
        headers = {"Authorization": f"Bearer {self.token()}"}
        texts = requests.get(f"{self.base}/api/v1/patients/{patient}/messages", headers=headers, timeout=PATIENCE)
        message = texts.json()["items"][0]["id"]
        return {
            "patient": patient,
            "patient_id": patient,
            "contact": enrolled["contacts"][0]["id"],
            "session": session,
            "checkin_id": open_one,
            "alert_id": taken["alert"],
            "score": taken["id"],
            "message": message,
            "rule_id": "extend-on-sustained-response",
        }

    def known(self) -> dict[str, str]:
        """Return the ids of one patient, who is enrolled the first time."""
        if self._known is None:
            self._known = self.harness(999)
        return self._known

    def link(self, patient: str) -> str:
        """Open a check-in for a patient and return the path of its link."""
        told: list[CheckinOpened] = []

        async def read() -> None:
            outbox = tables_of("assessments").outbox
            async with self.service("assessments").database.reading() as reader:
                mine = select(outbox.c.body).where(outbox.c.key == patient, outbox.c.type == CheckinOpened.TYPE)
                told.extend(CheckinOpened.model_validate_json(row.body) for row in await reader.all(mine))

        headers = {"Authorization": f"Bearer {self.token()}"}
        body = {"patient": patient, "instruments": ["phq-9"]}
        answer = requests.post(f"{self.base}/api/v1/checkins", json=body, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        self.run(read())
        self.run(self.deliver())
        link = KEYRING.open(told[-1].link, context="link")
        return link.removeprefix(PUBLIC)


def service_urls(names: Mapping[str, str], admin: Any) -> dict[str, Any]:
    """Return each service's address on its database."""
    return {
        service: service_url(admin.set(database=database), service, PASSWORD) for service, database in names.items()
    }
