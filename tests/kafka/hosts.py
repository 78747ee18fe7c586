"""Hosts of the scheduler and the notifier in one process of the test, with relays and consumers of their own each."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import aiohttp

from keepwell.host import registry
from keepwell.host.engine import Engine
from shared.bus import Handlers
from shared.clock import Clock
from shared.database import Database, Transaction
from shared.database.database_roles import service_url
from shared.events import ClinicChanged, Consent, Contact, CrisisTexts, Event, PatientEnrolled
from shared.ids import ClinicId, new_id
from shared.service import Context, Provider, Service
from shared.settings import NotifierSettings, Settings
from shared.web.client import ServiceClient
from shared.web.tokens import Tokens
from tests.support.bench import KEYRING
from tests.support.databases import PASSWORD, Databases

Hear = Callable[[str, Event], None]


@dataclass
class Host:
    """Some services with their background work."""

    engine: Engine
    services: Sequence[Service]
    http: aiohttp.ClientSession
    heard: list[tuple[str, Event]] = field(default_factory=list)

    def database(self, name: str) -> Database:
        return next(service.database for service in self.services if service.name == name)

    async def close(self) -> None:
        await self.engine.stop()
        for service in self.services:
            await service.database.close()
        await self.http.close()


async def prepared(databases: Databases, names: Sequence[str]) -> dict[str, Any]:
    """Return the addresses of new databases of these services."""
    histories = {history.service: history for history in registry.histories()}
    return {
        name: service_url(databases._url.set(database=await databases.copy(histories[name])), name, PASSWORD)
        for name in names
    }


def host(
    urls: Mapping[str, Any],
    kafka: str,
    clock: Clock,
    provider: Provider,
    *,
    hear: Hear | None = None,
    settings: NotifierSettings | None = None,
) -> Host:
    """Build a host over these databases; its engine is not started.

    Args:
        urls: a database's address by service.
        kafka: bootstrap servers.
        clock: of all services.
        provider: whom the notifier sends through.
        hear: called with each event that a service has handled, once that is committed.
        settings: of the notifier.
    """
    tokens, http = Tokens(KEYRING), aiohttp.ClientSession()
    services = []
    for name, url in urls.items():
        context = Context(
            settings=Settings(notifier=settings or NotifierSettings(texts_per_day=1000)),
            clock=clock,
            keyring=KEYRING,
            database=Database(url, schema=name, clock=clock),
            tokens=tokens,
            http=lambda: http,
            client=ServiceClient(lambda: http, {}, tokens),
            public_url="http://127.0.0.1:9",
            provider=provider,
            hosted=frozenset(urls),
        )
        service = registry.module(name).build(context)
        if hear is not None:
            _listen(name, service.handlers, hear)
        services.append(service)
    engine = Engine(services, kafka=kafka, clock=clock, instance=None, stop_seconds=10)
    return Host(engine, services, http)


def _listen(name: str, handlers: Handlers, hear: Hear) -> None:
    """Hear what handlers have done, once it is committed."""
    handle_all = handlers.handle_all

    async def heard(tx: Transaction, received: Any) -> None:
        await handle_all(tx, received)
        for each in received:
            tx.after_commit(lambda event=each.event: hear(name, event))  # type: ignore[misc]

    handlers.handle_all = heard  # type: ignore[method-assign]


def clinic_open_all_day(clinic: ClinicId) -> ClinicChanged:
    """Return a clinic that never sleeps."""
    return ClinicChanged(
        clinic=clinic,
        version=1,
        name="Harbor",
        sender_name="Harbor",
        zone="UTC",
        phone="+12025550100",
        quiet_from="00:00",
        quiet_until="23:59",
        crisis=CrisisTexts(en="988", es="988"),
    )


def enrolled(clinic: ClinicId, patient: UUID, number: int, at: datetime) -> PatientEnrolled:
    """Return a patient with a number who agrees to be reminded."""
    consent = Consent(purpose="reminders", how="form", at=at)
    value = KEYRING.seal(f"+1{5_551_000_000 + number}", context="contact")
    return PatientEnrolled(
        clinic=clinic,
        version=1,
        patient=patient,
        language="en",
        zone="UTC",
        given_name=KEYRING.seal("Ana", context="name"),
        contacts=(Contact(id=new_id(), kind="sms", value=value, consents=(consent,)),),
    )


@asynccontextmanager
async def started(*hosts: Host) -> AsyncIterator[None]:
    """Run hosts while the block runs."""
    try:
        for one in hosts:
            await one.engine.start()
        yield
    finally:
        for one in hosts:
            await one.close()
