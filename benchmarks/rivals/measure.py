"""Measures the rivals, one after the other, on the stand and with the provider that Keepwell has."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import which

import aiohttp
import asyncpg
import psycopg

from benchmarks import tell
from benchmarks.figures import Report
from benchmarks.processor import spent
from benchmarks.rivals import rows
from benchmarks.scale import Scale
from benchmarks.stand import CLOCK, Stand, child, first_line, program, stand

CELERY = "benchmarks.rivals.celery_run"
PROCRASTINATE = "benchmarks.rivals.procrastinate_side"
WORKERS = 2
"""Procrastinate's processes: one for each core."""
STALLED = 120.0
_SENT = "SELECT count(*) FROM rival.messages WHERE due_at = $1 AND sent_at IS NOT NULL"


@dataclass
class Ring:
    """Where the rivals work."""

    here: Stand
    sql: asyncpg.Connection
    http: aiohttp.ClientSession
    provider: str
    redis: str
    told: int = 0

    @property
    def environment(self) -> dict[str, str]:
        database = self.here.database.set(drivername="postgresql").render_as_string(hide_password=False)
        own = {"BENCH_PROVIDER": self.provider, "BENCH_DATABASE": database, "BENCH_REDIS": self.redis}
        return self.here.environment() | own

    @property
    def log(self) -> Path:
        return self.here.folder / "rivals.log"

    async def plan(self, number: int, *, deferred: bool) -> datetime:
        """Plan messages that fall due at one instant; return it. A busy machine may need more time for it."""
        lead = timedelta(seconds=6 + number / 500)
        while True:
            at = CLOCK.now() + lead
            await self._plan(number, at, deferred=deferred)
            if CLOCK.now() < at:
                return at
            await self._all_sent(await self._calls(), at, number)
            lead *= 2

    async def _plan(self, number: int, at: datetime, *, deferred: bool) -> None:
        zone = tell.zone_at_noon()
        patients = [tell.patient(self.here, self.told + i, zone) for i in range(number)]
        sessions = [tell.booked(each) for each in patients]
        self.told += number
        await tell.enrol(self.here, self.sql, patients)
        await tell.keep(self.sql, sessions)
        await rows.plan(self.sql, sessions, at)
        if deferred:
            async with child(PROCRASTINATE, "defer", environment=self.environment, log=self.log) as running:
                if await running.wait():
                    raise RuntimeError(self.log.read_text())

    async def run(self, number: int, *, deferred: bool) -> tuple[float, int, float]:
        """Return messages a second, calls beyond one for each, and microseconds of processor for each."""
        at = await self.plan(number, deferred=deferred)
        before = await self._calls()
        await CLOCK.sleep_until(at)
        began = spent()
        await self._all_sent(before + number, at, number)
        used = spent() - began
        last: datetime = await self.sql.fetchval("SELECT max(sent_at) FROM rival.messages WHERE sent_at >= $1", at)
        twice = await self._calls() - before - number
        return number / (last - at).total_seconds(), twice, 1e6 * used.total() / number

    async def _all_sent(self, calls: int, at: datetime, number: int) -> None:
        """Wait for the provider, which is cheap to ask, then for the table."""
        there, since = -1, CLOCK.now()
        while there < calls:
            await CLOCK.pause(0.1)
            now = await self._calls()
            if now > there:
                there, since = now, CLOCK.now()
            if (CLOCK.now() - since).total_seconds() > STALLED:
                raise RuntimeError(f"{calls - there} calls are missing.\n{self.log.read_text()[-3000:]}")
        while await self.sql.fetchval(_SENT, at) < number:
            await CLOCK.pause(0.02)

    async def _calls(self) -> int:
        async with self.http.get(self.provider) as answer:
            found: dict[str, int] = await answer.json()
            return found["calls"]


async def run(report: Report, scale: Scale) -> None:
    """Measure both; each warms up first."""
    if which("redis-server") is None:
        print("Celery is left out: there is no redis-server here (Debian: apt install redis-server).", file=sys.stderr)
    async with ring() as here:
        if here.redis:
            words = "Celery with Redis, a feeder and 8 worker processes"
            await _one(report, scale, here, words, [(CELERY, "worker"), (CELERY, "feeder")], deferred=False)
        async with child(PROCRASTINATE, "schema", environment=here.environment, log=here.log) as running:
            if await running.wait():
                raise RuntimeError(here.log.read_text())
        words = f"procrastinate, {WORKERS} workers of 50 tasks at a time"
        await _one(report, scale, here, words, [(PROCRASTINATE, "work")] * WORKERS, deferred=True)


async def _one(
    report: Report, scale: Scale, here: Ring, words: str, parts: Sequence[tuple[str, str]], *, deferred: bool
) -> None:
    async with AsyncExitStack() as stack:
        for part in parts:
            running = await stack.enter_async_context(child(*part, environment=here.environment, log=here.log))
            await first_line(running, here.log)
        await here.run(200, deferred=deferred)
        number = scale.messages // 4
        done = [await here.run(number, deferred=deferred) for _ in range(scale.runs)]
        twice = sum(each[1] for each in done)
        remark = f"{number * scale.runs} messages, {twice} sent twice; psycopg: {psycopg.pq.__impl__}"
        report.add(words, "1/s", [each[0] for each in done], remark=remark)
        report.add("processor for a message, all parts of it", "µs", [each[2] for each in done])


@asynccontextmanager
async def ring() -> AsyncIterator[Ring]:
    """Start what the rivals stand on; Redis where this machine has one."""
    async with (
        stand() as here,
        here.sql() as sql,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as stack,
    ):
        log = here.folder / "rivals.log"
        provider = await stack.enter_async_context(
            child("benchmarks.provider", environment=here.environment(), log=log)
        )
        address = f"http://127.0.0.1:{int(await first_line(provider, log))}"
        made = Ring(here, sql, http, address, await _redis(stack, here, log))
        await sql.execute(rows.TABLES)
        await tell.open_clinic(sql, tell.zone_at_noon())
        yield made


async def _redis(stack: AsyncExitStack, here: Stand, log: Path) -> str:
    """Start a Redis that writes its log to disk once a second, as its manual advises where data matters."""
    if which("redis-server") is None:
        return ""
    socket = here.folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(here.folder), "--save", ""]
    kept = ["--appendonly", "yes", "--appendfsync", "everysec", "--logfile", str(log)]
    await stack.enter_async_context(program("redis-server", *options, *kept, log=log))
    while not socket.exists():
        await CLOCK.pause(0.05)
    return f"redis+socket://{socket}"
