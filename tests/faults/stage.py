"""A deployment with one notifier and a provider that behaves, so that what a test does is the only fault.

Reminders are due at whole minutes; so that a test need not wait for one, it moves the timer's row to now.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from signal import SIGTERM
from typing import Any

import aiohttp
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from keepwell.simulated_clinic.reading import Reader, Said
from shared.clock import RealClock
from shared.walltime import to_wall, wall_text
from tests.faults.caller import GIVE_UP_AFTER, Caller
from tests.faults.deployment import Deployment, deployed
from tests.faults.load import AWAKE, ZONES
from tests.faults.record import Order, Record
from tests.faults.round import ARMED, letters, pages, quiet, read_ledger

NUMBERS = count(1)
LOOK = 0.1
REMINDED_WITHIN = 60.0
"""Real seconds."""


@dataclass
class Stage:
    """A deployment with one notifier and a provider that behaves, so that the kill is the only fault."""

    deployment: Deployment
    caller: Caller
    record: Record
    http: aiohttp.ClientSession
    planted: dict[str, dict[str, str]] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    clock: RealClock = field(default_factory=RealClock)

    async def runs(self, name: str, planted: dict[str, str]) -> None:
        """Have a member run with this planted in it, and nothing else."""
        member = self.deployment.members[name]
        if self.planted.get(name, {}) == planted and member.pid is not None:
            return
        if member.pid is not None:
            await member.end(SIGTERM)
        await member.start(**planted)
        self.planted[name] = planted

    async def patient(self, *, within: float = GIVE_UP_AFTER) -> tuple[str, str, str]:
        """Enrol a patient in a zone where it is day; return number, id and zone."""
        number, now = f"+1646555{next(NUMBERS):04d}", RealClock().now()
        zone = next(zone for zone in ZONES if to_wall(now, zone).hour in AWAKE)
        consent = {"purpose": "reminders", "how": "paper form", "at": (now - timedelta(days=1)).isoformat()}
        body = {
            "given_name": "Test",
            "family_name": "Test",
            "zone": zone,
            "language": "en",
            "contacts": [{"kind": "sms", "value": number, "consents": [consent]}],
        }
        seen = await self.caller.order("POST", "/patients", body, Order(now), within=within)
        self.patients[number] = seen["id"]
        return number, seen["id"], zone

    def booking(self, patient: str, zone: str) -> dict[str, Any]:
        """Return an order for a session whose reminder of the day before is hours away."""
        wall = to_wall(RealClock().now() + timedelta(days=1, hours=5), zone)
        return {"patient": patient, "starts_at": wall_text(wall), "zone": zone, "minutes": 30, "odd_hour": True}

    async def due_now(self, session: str) -> None:
        """Move a session's reminder to now."""
        await self.sql("UPDATE scheduler.outbox SET due_at = now() WHERE timer LIKE :name", name=f"%{session}%")

    async def due_at(self, session: str, *, hours: float) -> None:
        """Move a session's reminder to so many hours from now."""
        await self.sql(
            "UPDATE scheduler.outbox SET due_at = now() + make_interval(secs => :seconds) WHERE timer LIKE :name",
            name=f"%{session}%",
            seconds=hours * 3600,
        )

    async def provider_faults(self, number: str, fault: str) -> None:
        """Have the provider's next call for a number go wrong."""
        body = {"to": number, "fault": fault, "times": 1}
        async with self.http.post(f"{self.deployment.provider.url}/sandbox/faults", json=body) as answer:
            assert answer.status == 204, await answer.text()

    async def states(self, number: str) -> list[str]:
        """Return where the messages of a number's patient stand, oldest first."""
        return [str(each["state"]) for each in await pages(self.caller, f"/patients/{self.patients[number]}/messages")]

    async def until_state(self, number: str, *states: str) -> None:
        """Wait until a message of a number's patient stands at one of these."""
        path, found = f"/patients/{self.patients[number]}/messages", []
        deadline = asyncio.get_running_loop().time() + REMINDED_WITHIN
        while asyncio.get_running_loop().time() < deadline:
            found = await pages(self.caller, path)
            if any(each["state"] in states for each in found):
                return
            await self.clock.pause(LOOK)
        raise AssertionError(f"none became {' or '.join(states)}: {[(each['state'], each['story']) for each in found]}")

    async def until_reminded(self, number: str) -> None:
        """Wait until the provider took a reminder for a number."""
        async with asyncio.timeout(REMINDED_WITHIN):
            while not await self.reminders(number):
                await self.clock.pause(LOOK)

    async def database_serves(self) -> None:
        """Wait until PostgreSQL takes and keeps what it is given."""
        async with asyncio.timeout(REMINDED_WITHIN):
            while True:
                try:
                    await self.sql("CREATE TABLE IF NOT EXISTS public.room AS SELECT 1")
                except (SQLAlchemyError, OSError):
                    await self.clock.pause(LOOK)
                else:
                    return

    async def sql(self, statement: str, **values: Any) -> None:
        """Run a statement as the database's owner."""
        engine = create_async_engine(self.deployment.database.url, poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.execute(text(statement), values)
        await engine.dispose()

    async def settled(self) -> None:
        """Wait until nothing is on its way, and hold that nothing died."""
        assert await quiet(self.deployment, self.caller) == []
        assert await letters(self.deployment) == []

    async def had_time(self) -> None:
        """Wait until nothing is on its way, or for as long as that would have taken many times over."""
        await quiet(self.deployment, self.caller, within=30)

    async def reminders(self, number: str) -> int:
        """Return how many reminders the provider took for a number."""
        reader = Reader.load()
        ledger = await read_ledger(self.deployment, self.caller)
        return sum(each.to == number and reader.text(each.body).said is Said.REMINDER for each in ledger.messages)


@asynccontextmanager
async def staged(**more: Any) -> AsyncIterator[Stage]:
    """Start one; `more` goes to `deployed`."""
    async with (
        deployed(
            profile="calm", notifiers=1, launcher=ARMED, loaded=True, KEEPWELL_NOTIFIER__SETTLE_AFTER="1", **more
        ) as there,
        aiohttp.ClientSession() as http,
    ):
        record = Record()
        yield Stage(there, Caller(there, http, record), record, http)
