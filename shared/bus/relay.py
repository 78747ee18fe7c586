"""The relay: due outbox rows to Kafka, in order, in full batches.

Claim, publish and delete are one transaction: a crash rolls back and the same ids are sent again, which inboxes know.
Rows are deleted, never passed by a cursor, for a cursor loses the row of a transaction that commits late. A shard has
one relay at a time (an advisory lock of the claiming connection, gone with it), and a relay sends from one sequential
loop: concurrent sends lose the order of a key under back-pressure.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.address import Address
from shared.bus.claim import BATCH, claim
from shared.bus.producer import NotSent, Producer
from shared.bus.producer_spans import record_spans
from shared.bus.tables import SHARDS
from shared.database import Database
from shared.telemetry.log import get_logger
from shared.telemetry.metrics import counter, gauge

log = get_logger(__name__)

TICK: Final = 0.010
"""Real seconds between two claims: batches are kept full on purpose (decision 0004)."""
IDLE: Final = 1.0
"""Real seconds after which a relay looks again though nobody woke it: another process may have written."""
BACKOFF: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Real seconds to wait after the first, second, ... failure in a row."""
STALE_AFTER: Final = 30.0
"""Real seconds without a finished round after which readiness says that a relay hangs."""

FAILURES: Final = (NotSent, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a relay waits out: Kafka or the database is away."""

# Each a single statement by the driver itself: SQLAlchemy with a transaction around each cost three times as much.
_PRESENT: Final = "SELECT pg_try_advisory_lock_shared($1::integer, $2::integer)"
_LOOK: Final = (
    "SELECT (SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND classid = $1::integer::oid AND objid = $2::integer::oid"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS relays,"
    " (SELECT min(due_at) FROM outbox) <= $3 AS is_due, (SELECT min(due_at) FROM outbox WHERE due_at > $3) AS next_due"
)
"""All that an idle relay asks, once a second: how many relays there are, and whether anything is due or will be."""
_GIVE_BACK: Final = "SELECT pg_advisory_unlock($1::integer, $2::integer)"
_TAKE: Final = "SELECT pg_try_advisory_lock($1::integer, $2::integer)"
_NEXT_DUE: Final = "SELECT min(due_at) FROM outbox WHERE due_at > $1"

_FIRED = counter("relay_records", "Outbox rows that Kafka acknowledged.", "service")
_FAILED = counter("relay_failures", "Rounds of a relay that were rolled back.", "service")
_SHARDS = gauge("relay_shards", "Outbox shards that this process relays.", "service")


class Relay:
    """Relays one service's outbox.

    Args:
        database: the service's database.
        bootstrap_servers: Kafka's address.

    Attributes:
        fired: rows that Kafka acknowledged since the start; `sent` has them by topic.
        resting: whether it waits for something to do.
        error: why it fails just now, or None.
    """

    def __init__(self, database: Database, bootstrap_servers: Address) -> None:
        self.database = database
        self.service = database.schema
        self._producer = Producer(bootstrap_servers)
        self._owned: frozenset[int] = frozenset()
        self._finished_at: float | None = None
        self.first_round = asyncio.Event()
        self.fired = 0
        self.sent: Counter[str] = Counter()
        self.resting = False
        self.error: str | None = None
        for metric in (_FIRED, _FAILED, _SHARDS):
            metric.labels(self.service)

    async def run(self) -> None:
        """Relay until cancelled; every failure is waited out, said, and tried again."""
        failures = 0
        try:
            while True:
                try:
                    await self._connected()
                except FAILURES as error:
                    self._owned = frozenset()
                    _SHARDS.labels(self.service).set(0)
                    _FAILED.labels(self.service).inc()
                    recovered = self.error is None
                    failures = 0 if recovered else min(failures + 1, len(BACKOFF) - 1)
                    self.error = f"{type(error).__name__}: {error}"
                    log.warning("relay.failed", service=self.service, error=self.error, failures=failures + 1)
                    await self.database.clock.pause(BACKOFF[failures])
        finally:
            await self._producer.discard()

    async def _connected(self) -> None:
        async with self.database.engine.connect() as connection:
            try:
                await self._rounds(connection)
            finally:
                # A pooled connection would keep the locks of shards that nobody relays any more.
                await connection.invalidate()

    def stale_for(self) -> float:
        """Return the real seconds since the last finished round; infinite before the first."""
        if self._finished_at is None:
            return float("inf")
        return asyncio.get_running_loop().time() - self._finished_at

    async def _rounds(self, connection: AsyncConnection) -> None:
        loop = asyncio.get_running_loop()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        looked_at, woken = float("-inf"), True
        while True:
            self.database.outbox_written.clear()
            moved, next_due = 0, None
            if not woken or loop.time() - looked_at >= IDLE:
                is_due, next_due = await self._look(driver)
                looked_at = loop.time()
                woken = woken or is_due
            if woken:
                moved, next_due = await self._round(driver), None
            self._finished_at = loop.time()
            self.first_round.set()
            self.error = None
            if moved:
                await self.database.clock.pause(0 if moved == BATCH else TICK)
            else:
                if woken:
                    next_due = await driver.fetchval(_NEXT_DUE, self.database.clock.now())
                woken = await self._wait(next_due)

    async def _round(self, driver: asyncpg.Connection) -> int:
        with record_spans(self.service) as carry:
            async with driver.transaction():
                now = self.database.clock.now()
                records = await claim(driver, service=self.service, now=now, shards=self._owned, carry=carry)
                if records:
                    await self._producer.send(records)
        self.fired += len(records)
        self.sent.update(record.topic for record in records)
        _FIRED.labels(self.service).inc(len(records))
        return len(records)

    async def _look(self, driver: asyncpg.Connection) -> tuple[bool, datetime | None]:
        """Share the shards anew; return whether a row of the outbox is due, and when the next one will be."""
        space = _lock_space(self.service)
        if not self._owned:
            await driver.execute(_PRESENT, space, SHARDS)
        seen = await driver.fetchrow(_LOOK, space, SHARDS, self.database.clock.now())
        await self._share_shards(driver, space, relays=seen["relays"])
        return bool(seen["is_due"]), seen["next_due"]

    async def _share_shards(self, driver: asyncpg.Connection, space: int, *, relays: int) -> None:
        """Take the free shards up to a fair share among the relays of this outbox; give back what is above it."""
        share = -(-SHARDS // max(1, relays))
        owned = set(self._owned)
        for shard in range(SHARDS):
            if shard in owned and len(owned) > share:
                await driver.execute(_GIVE_BACK, space, shard)
                owned.discard(shard)
            elif shard not in owned and len(owned) < share and await driver.fetchval(_TAKE, space, shard):
                owned.add(shard)
        self._owned = frozenset(owned)
        _SHARDS.labels(self.service).set(len(owned))

    async def _wait(self, next_due: datetime | None) -> bool:
        """Wait until something was written here or the next timer is due (then True), or it is time to look again."""
        look = asyncio.ensure_future(self.database.clock.pause(IDLE))
        waits = [look, asyncio.ensure_future(self.database.outbox_written.wait())]
        if next_due is not None:
            waits.append(asyncio.ensure_future(self.database.clock.sleep_until(next_due)))
        try:
            self.resting = True
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.resting = False
            for wait in waits:
                wait.cancel()
            for wait in waits:
                with suppress(asyncio.CancelledError):
                    await wait
        return done != {look}


def _lock_space(service: str) -> int:
    """Return the first half of the advisory lock's key: one space for each outbox, below 2**31."""
    return 0x4B570000 + sum((index + 1) * byte for index, byte in enumerate(service.encode())) % 0xFFFF
