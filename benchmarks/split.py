"""A split deployment: a relay of the scheduler, notifiers of the product, and a provider that answers at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import aiohttp
import asyncpg

from benchmarks import tell
from benchmarks.processor import spent
from benchmarks.stand import CLOCK, Stand, child, first_line, stand
from shared.events import SessionBooked

STALLED = 60.0
"""Seconds without a new acceptance after which a run is given up."""
PATIENCE = aiohttp.ClientTimeout(total=10)
LEAD = timedelta(seconds=3)
_ACCEPTED = "SELECT count(*) FROM notifier.messages WHERE sent_at >= $1"


@dataclass(frozen=True)
class Accepted:
    """One run.

    Attributes:
        waits: seconds from due to stored as accepted, of each message.
        seconds: from the first due instant to the last acceptance.
        twice: calls to the provider beyond one for each message.
        processor: seconds of it, by part.
    """

    waits: list[float]
    seconds: float
    twice: int
    processor: Counter[str]


@dataclass
class Split:
    """The deployment."""

    here: Stand
    sql: asyncpg.Connection
    http: aiohttp.ClientSession
    provider: str
    zone: str = field(default_factory=tell.zone_at_noon)
    numbers: Any = field(default_factory=count)

    @asynccontextmanager
    async def notifier(self, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a notifier that keeps its name over restarts; it works once the block begins."""
        environment = self.here.environment(
            KEEPWELL_DATA_DIR=str(self.here.folder / name),
            KEEPWELL_INSTANCE=name,
            KEEPWELL_TWILIO_BASE_URL=self.provider,
            KEEPWELL_TWILIO_ACCOUNT_SID="AC" + "0" * 32,
            KEEPWELL_TWILIO_AUTH_TOKEN="benchmark",  # noqa: S106 - of our own stand-in
            KEEPWELL_TWILIO_FROM="+15550100000",
        )
        log = self.here.folder / "children.log"
        async with child("keepwell", "up", "notifier", "--json", environment=environment, log=log) as running:
            await first_line(running, log)
            yield running

    async def sessions(self, number: int) -> list[SessionBooked]:
        """Let the notifier know of patients with a session each."""
        patients = [tell.patient(self.here, next(self.numbers), self.zone) for _ in range(number)]
        sessions = [tell.booked(each) for each in patients]
        await tell.enrol(self.here, self.sql, patients)
        await tell.keep(self.sql, sessions)
        await self.sql.execute("VACUUM (ANALYZE) notifier.messages, notifier.attempts, notifier.patients")
        return sessions

    async def ledger(self) -> dict[str, int]:
        """Return the provider's counts."""
        async with self.http.get(self.provider) as answer:
            found: dict[str, int] = await answer.json()
            return found

    async def remind(self, number: int, *, rate: float | None = None) -> Accepted:
        """Let reminders fall due at once, or evenly at `rate` a second, and wait until all are accepted."""
        sessions = await self.sessions(number)
        before = await self.ledger()
        start = CLOCK.now() + LEAD + timedelta(seconds=number / 5000)
        instants = [start + timedelta(seconds=0 if rate is None else i / rate) for i in range(number)]
        await tell.set_timers(self.sql, sessions, instants)
        await CLOCK.sleep_until(start)
        began = spent()
        await CLOCK.sleep_until(instants[-1])
        await self._all_called(before["calls"] + number)
        await self._all_accepted(start, number)
        used = spent() - began
        after = await self.ledger()
        return await self._result(sessions, instants, after["calls"] - before["calls"] - number, used)

    async def _all_called(self, number: int) -> None:
        """Wait for the provider, which is cheap to ask."""
        there, since = 0, CLOCK.now()
        while there < number:
            await CLOCK.pause(0.05)
            now = (await self.ledger())["calls"]
            if now > there:
                there, since = now, CLOCK.now()
            if (CLOCK.now() - since).total_seconds() > STALLED:
                states = await self.sql.fetch("SELECT state, reason, count(*) FROM notifier.messages GROUP BY 1, 2")
                raise RuntimeError(f"{there} of {number} calls were made; the messages stand at {states}.")

    async def _all_accepted(self, start: datetime, number: int) -> None:
        since = CLOCK.now()
        while (there := await self.sql.fetchval(_ACCEPTED, start)) < number:
            await CLOCK.pause(0.02)
            if (CLOCK.now() - since).total_seconds() > STALLED:
                raise RuntimeError(f"All was called, but {there} of {number} messages are on record as accepted.")

    async def _result(
        self, sessions: Sequence[SessionBooked], instants: Sequence[datetime], twice: int, used: Counter[str]
    ) -> Accepted:
        due = dict(zip((each.session for each in sessions), instants, strict=True))
        rows = await self.sql.fetch(
            "SELECT about, sent_at FROM notifier.messages WHERE about = ANY($1::uuid[])", list(due)
        )
        waits = [(row["sent_at"] - due[row["about"]]).total_seconds() for row in rows]
        seconds = (max(row["sent_at"] for row in rows) - instants[0]).total_seconds()
        return Accepted(waits, seconds, twice, used)


@asynccontextmanager
async def split(notifiers: int) -> AsyncIterator[Split]:
    """Start everything."""
    async with (
        stand() as here,
        here.sql() as sql,
        aiohttp.ClientSession(timeout=PATIENCE) as http,
        AsyncExitStack() as stack,
    ):
        log = here.folder / "children.log"
        provider = await stack.enter_async_context(
            child("benchmarks.provider", environment=here.environment(), log=log)
        )
        address = f"http://127.0.0.1:{int(await first_line(provider, log))}"
        relay = await stack.enter_async_context(child("benchmarks.relay", environment=here.environment(), log=log))
        await first_line(relay, log)
        made = Split(here, sql, http, address)
        await tell.open_clinic(sql, made.zone)
        for number in range(notifiers):
            await stack.enter_async_context(made.notifier(f"notifier-{number}"))
        yield made
