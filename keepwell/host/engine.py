"""What runs behind the pages of this process: relays, consumers and each service's own loops."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from keepwell.host.sampler import KAFKA, Sampler
from shared.bus import gaps
from shared.bus.address import Address, each_server, security
from shared.bus.consumer import Consumer, group_of
from shared.bus.dead_letter_backlog import DeadLetterBacklog
from shared.bus.farewell import at_most, let_go
from shared.bus.outage import is_outage
from shared.bus.outbox_backlog import outbox_backlog
from shared.bus.producer import Producer
from shared.bus.quiet import Watch
from shared.bus.relay import STALE_AFTER, Relay
from shared.bus.tables import tables_of
from shared.clock import Clock
from shared.service import Loop, Service
from shared.telemetry.log import get_logger
from shared.telemetry.metrics import Tells, gauge

log = get_logger(__name__)

BACKOFF: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Real seconds before a loop that failed is started again."""
LOOK: Final = 1.0
"""Real seconds between two looks for consumers that have to begin anew."""
KAFKA_STALE: Final = 15.0
"""Real seconds without an answer after which readiness says that Kafka is away."""
OLDEST_OUTBOX: Final = 60.0
"""Seconds that a due row may wait before readiness says that the relay does not keep up."""

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a due time without beginning, which Python's datetime cannot hold."""

_LOOP_DOWN = gauge("loop_down", "1 while a background loop waits to be started again.", "loop", tells=Tells.EACH)


class Engine:
    """Runs the background work of the hosted services.

    Args:
        services: the hosted services.
        kafka: with the way in.
        clock: the process's clock.
        instance: a name that the process keeps over restarts, where it has one.
        stop_seconds: how long a batch that is being handled may take to finish at a stop, and its consumer to leave.

    Attributes:
        next_due: the earliest instant at which a timer or a service's own loop has something to do, as of the last time
            that `idle` found no work.
    """

    def __init__(
        self, services: Sequence[Service], *, kafka: Address, clock: Clock, instance: str | None, stop_seconds: int
    ) -> None:
        self.services = services
        self._clock = clock
        self._stop_seconds = stop_seconds
        self._dead_letters = Producer(kafka)
        self._broker = KafkaBroker(
            each_server(kafka),
            security=security(kafka),
            logger=None,
            apply_types=False,
            graceful_timeout=stop_seconds,
            allow_auto_create_topics=False,
        )
        self.relays = [Relay(service.database, kafka) for service in services]
        self.consumers: list[Consumer] = []
        interests: dict[str, list[str]] = {}
        for service in services:
            for topic in service.handlers.topics:
                consumer = Consumer(
                    database=service.database, handlers=service.handlers, topic=topic, dead_letters=self._dead_letters
                )
                consumer.subscribe(self._broker, instance=instance)
                self.consumers.append(consumer)
                interests[consumer.group] = [str(topic)]
        self.watch = Watch(kafka, interests)
        self._tasks: list[asyncio.Task[None]] = []
        self.down: dict[str, str] = {}
        self.sampler = Sampler(services, self.watch, DeadLetterBacklog(kafka), clock, self.problems)
        self.next_due: datetime | None = None
        self._settled: dict[Consumer, int] = {}
        self._looks: dict[str, _Look] = {}

    async def start(self) -> None:
        """Connect and start everything; a Kafka that is not there yet is waited for."""
        await self._patiently(self.watch.start)
        # Before anything is sent: what a service cannot have heard may be what it must not do.
        await self._patiently(self._find_gaps)
        await self._patiently(self._broker.start)
        loops = [Loop(f"relay.{relay.service}", relay.run) for relay in self.relays]
        loops += [Loop(f"{service.name}.{loop.name}", loop.run) for service in self.services for loop in service.loops]
        loops.append(Loop("figures", self.sampler.run))
        loops.append(Loop("consumers", self._renew))
        for loop in loops:
            _LOOP_DOWN.labels(loop.name).set(0)
        self._tasks = [asyncio.create_task(self._supervise(loop), name=loop.name) for loop in loops]
        await asyncio.gather(*(relay.first_round.wait() for relay in self.relays))

    async def _patiently(self, begin: Callable[[], Awaitable[object]]) -> None:
        """Begin something, however long Kafka or a database is away."""
        while True:
            try:
                await begin()
            except (KafkaError, SQLAlchemyError, OSError, TimeoutError) as error:
                if not isinstance(error, KafkaError) and not is_outage(error):
                    raise
                log.warning("infrastructure.awaited", error=type(error).__name__)
                await self._clock.pause(0.5)
            else:
                return

    async def _find_gaps(self) -> None:
        """Write down what is gone of the log that a service was still to read."""
        read_positions = await self.watch.read_positions()
        for service in self.services:
            async with service.database.transaction() as tx:
                noted = await gaps.remembered(tx)
                found: list[gaps.Gap] = []
                for topic in service.handlers.topics:
                    for part, (committed, oldest) in read_positions[group_of(service.name, topic)].items():
                        position = gaps.ReadPosition(committed, noted.get((part.topic, part.partition)), oldest)
                        if (missing := position.gap()) is not None:
                            found.append(gaps.Gap(part.topic, part.partition, *missing))
                await gaps.note(tx, found)

    async def stop(self) -> None:
        """Let what is in flight finish, then stop; a Kafka that is away is not waited for."""
        # Kafka's client looks for its group's coordinator before it leaves, for as long as there is none.
        await at_most(self._stop_seconds, self._broker.stop(), "consumers")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.watch.close()
        await let_go("dead letters", self._dead_letters.close())

    async def _renew(self) -> None:
        """Have each consumer begin anew whose client fails again and again, which it would do for ever."""
        while True:
            await self._clock.pause(LOOK)
            for consumer in self.consumers:
                if consumer.worn_out:
                    async with asyncio.timeout(self._stop_seconds):
                        await consumer.renew()

    async def _supervise(self, loop: Loop) -> None:
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await loop.run()
                self.down[loop.name] = "it ended by itself"
            except Exception as error:
                self.down[loop.name] = f"{type(error).__name__}: {error}"
                log.exception("loop.failed", loop=loop.name)
            _LOOP_DOWN.labels(loop.name).set(1)
            ran = asyncio.get_running_loop().time() - began
            failures = 0 if ran > BACKOFF[-1] else min(failures + 1, len(BACKOFF) - 1)
            await self._clock.pause(BACKOFF[failures])
            self.down.pop(loop.name, None)
            _LOOP_DOWN.labels(loop.name).set(0)

    async def outbox_age(self, service: Service) -> float:
        """Return the age in seconds of the oldest row that is due, by the clock; zero when there is none."""
        async with service.database.reading() as reader:
            return (await outbox_backlog(reader)).age

    async def idle(self, *, alone: bool = False) -> bool:
        """Tell whether no outbox holds a due row and no service has work in flight; if so, `next_due` is new too.

        Args:
            alone: whether no other process writes to these databases, as in a trial: what a service was found to have
                to do then holds while this process has committed nothing and nothing has fallen due.
        """
        if not alone:
            self._looks.clear()
        looks = await asyncio.gather(*map(self._look, self.relays, self.services))
        if any(look is None for look in looks):
            return False
        self.next_due = min((look.next_due for look in looks if look and look.next_due is not None), default=None)
        return True

    async def _look(self, relay: Relay, service: Service) -> "_Look | None":
        """Return when a service has something to do next, or None where it is at work now."""
        changes = (service.database.commits, relay.fired)
        known = self._looks.get(service.name)
        now = self._clock.now()
        if known is not None and known.changes == changes and (known.next_due is None or known.next_due > now):
            return known
        found = await _look(service, changes)
        if found is not None:
            self._looks[service.name] = found
        return found

    def stirring(self) -> bool:
        """Tell whether this process itself knows of work under way; a cheap question before the exact ones.

        It may miss work (another process's, or that of a service's own loops), and never invents any for long: what
        Kafka brought twice only makes it miss more, until `settled` is told that all was quiet.
        """
        return (
            any(not relay.resting or relay.database.outbox_written.is_set() for relay in self.relays)
            or any(consumer.handling for consumer in self.consumers)
            or any(self._behind(consumer) > self._settled.get(consumer, 0) for consumer in self.consumers)
        )

    def settled(self) -> None:
        """Remember what was sent and seen at an instant at which all was quiet."""
        self._settled = {consumer: self._behind(consumer) for consumer in self.consumers}

    def _behind(self, consumer: Consumer) -> int:
        return sum(relay.sent[str(consumer.topic)] for relay in self.relays) - consumer.seen

    async def notes(self) -> list[str]:
        """Return what an operator should know though this process does its work."""
        said: list[str] = []
        for service in self.services:
            try:
                async with service.database.reading() as reader:
                    said += [
                        f"{one.records} records of {one.topic} were gone before {service.name} had read them, first "
                        f"seen {one.since:%Y-%m-%d %H:%M} UTC: what it knows may be out of date. `keepwell retell` has "
                        "all owners tell how things stand"
                        for one in await gaps.lost(reader)
                    ]
                    said += await service.notes(reader)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                said.append(f"database of {service.name} does not answer: {type(error).__name__}")
        return said

    async def problems(self) -> list[str]:
        """Return what keeps this process from being ready, in plain words; nothing when all is well."""
        found: list[str] = [f"{name} is down: {reason}" for name, reason in sorted(self.down.items())]
        for relay in self.relays:
            if relay.error is not None:
                found.append(f"relay of {relay.service} fails: {relay.error}")
            elif relay.stale_for() > STALE_AFTER:
                found.append(f"relay of {relay.service} has not finished a round for {relay.stale_for():.0f} s")
        found += [
            f"consumer of {consumer.topic} for {consumer.service} is blocked: {consumer.blocked}"
            for consumer in self.consumers
            if consumer.blocked is not None
        ]
        found += [
            f"consumer of {consumer.topic} for {consumer.service} reads nothing: {consumer.failing}"
            for consumer in self.consumers
            if consumer.failing is not None
        ]
        if self._tasks and self.sampler.age(KAFKA) > KAFKA_STALE:
            found.append(f"Kafka has not answered for {self.sampler.age(KAFKA):.0f} s")
        for service in self.services:
            try:
                age = await self.outbox_age(service)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                found.append(f"database of {service.name} does not answer: {type(error).__name__}")
                continue
            if age > OLDEST_OUTBOX:
                found.append(f"outbox of {service.name} is {age:.0f} s behind")
        return found


@dataclass(frozen=True)
class _Look:
    """When a service that has nothing to do now has something to do next, as of so many changes."""

    changes: tuple[int, int]
    next_due: datetime | None


async def _look(service: Service, changes: tuple[int, int]) -> _Look | None:
    """Ask the database when a service's next timer and its own loops' next work are due; None where it is at work."""
    outbox = tables_of(service.name).outbox
    async with service.database.reading() as reader:
        # Events to be sent at once have a due time before every other.
        first = select(func.greatest(outbox.c.due_at, LONG_AGO)).order_by(outbox.c.due_at).limit(1)
        timer: datetime | None = await reader.scalar(first)
        if (timer is not None and timer <= reader.now) or await service.busy(reader):
            return None
        instants = (timer, await service.next_due(reader))
        return _Look(changes, min((instant for instant in instants if instant is not None), default=None))
