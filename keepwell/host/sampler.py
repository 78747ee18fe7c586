"""Takes the figures that stand in databases and in Kafka and keeps them for Prometheus.

A scrape itself asks nobody: however many scrape, and however often, the databases are asked once in `EVERY` seconds, by
index alone. What has not answered within `BOUND` keeps its last figure, whose age tells how old that is, and is not
asked again before it has: a question that is cancelled would leave a connection that hangs to the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from time import monotonic
from typing import Any, Final

from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from shared.bus import gaps
from shared.bus.consumer import group_of
from shared.bus.dead_letter_backlog import DeadLetterBacklog
from shared.bus.outbox_backlog import outbox_backlog
from shared.bus.quiet import Watch
from shared.clock import Clock
from shared.service import Service
from shared.telemetry.log import get_logger
from shared.telemetry.metrics import Tells, gauge

log = get_logger(__name__)

EVERY: Final = 5.0
"""Real seconds between two rounds."""
BOUND: Final = 3.0
"""Real seconds for which a database, or Kafka, is waited for; its own client's time-out ends the question."""
RENEW_AFTER: Final = 30.0
"""Real seconds without an answer of Kafka after which its clients are made anew: one that has died inside answers never
again, and says so in no way."""
KAFKA: Final = "kafka"

_HOSTED: Final = gauge("hosted", "1 for each service that this process hosts.", "service")
_PROBLEMS: Final = gauge(
    "problems", "Things that keep this process from being ready; /readyz says which.", tells=Tells.EACH
)
_AGE: Final = gauge(
    "figures_age_seconds",
    "Real seconds since figures were last taken, by what was asked.",
    "source",
    tells=Tells.EACH,
)
_OUTBOX_AGE: Final = gauge(
    "outbox_age_seconds", "Age of the oldest event in the outbox that is no timer.", "service", tells=Tells.WHOLE
)
_OUTBOX_DUE: Final = gauge(
    "outbox_due_rows", "Outbox rows that are due, counted up to 10000.", "service", tells=Tells.WHOLE
)
_TIMER_OVERDUE: Final = gauge(
    "timer_overdue_seconds", "Time since the oldest due timer fell due.", "service", tells=Tells.WHOLE
)
_LETTERS: Final = gauge(
    "dead_letters_waiting", "Dead letters that nobody has replayed yet.", "service", tells=Tells.WHOLE
)

_LOST: Final = gauge(
    "records_lost",
    "Records that were gone before a service had read them, and were not told anew.",
    "service",
    tells=Tells.WHOLE,
)

_FAILURES: Final = (SQLAlchemyError, KafkaError, OSError, TimeoutError)


class Sampler:
    """Takes the figures of the hosted services.

    Args:
        services: the hosted services.
        watch: the groups' offsets.
        backlog: the dead letters that wait.
        clock: waits between rounds.
        problems: what keeps the process from being ready.

    Attributes:
        failing: why a source could not be asked the last time, by source.
    """

    def __init__(
        self,
        services: Sequence[Service],
        watch: Watch,
        backlog: DeadLetterBacklog,
        clock: Clock,
        problems: Callable[[], Awaitable[Sequence[str]]],
    ) -> None:
        self._services = services
        self._watch = watch
        self._backlog = backlog
        self._clock = clock
        self._problems = problems
        self._open = False
        self._renewed_at = monotonic()
        self._remembered: dict[str, dict[tuple[str, int], int]] = {}
        self._one_at_a_time = asyncio.Lock()
        self.failing: dict[str, str] = {}
        self._taken_at: dict[str, float] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._begin()
        for source in self._taken_at:
            _AGE.labels(source).set_function(partial(self.age, source))
        for service in services:
            _HOSTED.labels(service.name).set(1)
            _LETTERS.labels(service.name).set(0)

    async def run(self) -> None:
        self._begin()
        try:
            while True:
                await self.round()
                await self._clock.pause(EVERY)
        finally:
            await self._let_go()
            self._open = False
            await self._backlog.close()

    async def _let_go(self) -> None:
        """Wait a moment for what was asked: cancelled while it connects, Kafka's client leaves a connection behind."""
        asked = list(self._asked.values())
        if asked:
            await asyncio.wait(asked, timeout=BOUND)
        for question in asked:
            question.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    async def round(self) -> None:
        """Ask every source once, side by side: one that is away holds up no other."""
        async with self._one_at_a_time:
            await self._ask_all()

    async def _ask_all(self) -> None:
        taking = [self._take(KAFKA, self._of_kafka)]
        taking += [self._take(service.name, partial(self._of_service, service)) for service in self._services]
        await asyncio.gather(*taking)
        _PROBLEMS.set(len(await self._problems()))

    def age(self, source: str) -> float:
        """Return the real seconds since a source's figures were taken."""
        return monotonic() - self._taken_at[source]

    def _begin(self) -> None:
        """Count ages from now: nothing could be asked before."""
        self._taken_at = dict.fromkeys([KAFKA, *(service.name for service in self._services)], monotonic())

    async def _take(self, source: str, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        question = self._asked[source] = self._asked.get(source) or asyncio.create_task(ask())
        try:
            async with asyncio.timeout(BOUND):
                await asyncio.shield(question)
        except _FAILURES as error:
            self.failing[source] = type(error).__name__
            log.warning("figures.kept", source=source, age=round(self.age(source)), error=type(error).__name__)
        else:
            self.failing.pop(source, None)
            self._taken_at[source] = monotonic()
        finally:
            if question.done():
                del self._asked[source]

    async def _renew(self) -> None:
        """Connect to Kafka anew where nothing was answered for long; whether that helps is seen by the next answer."""
        silent_since = max(self._taken_at[KAFKA], self._renewed_at)
        if KAFKA not in self.failing or monotonic() - silent_since < RENEW_AFTER:
            return
        self._renewed_at = monotonic()
        log.warning("figures.clients_renewed", source=KAFKA, age=round(self.age(KAFKA)))
        await self._watch.start()
        await self._backlog.close()
        self._open = False

    async def _of_kafka(self) -> None:
        await self._renew()
        await self._watch.lag()
        await self._remember()
        if not self._open:
            await self._backlog.start()
            self._open = True
        waiting = await self._backlog.waiting()
        for service in self._services:
            _LETTERS.labels(service.name).set(waiting[service.name])

    async def _remember(self) -> None:
        """Note in each service's schema how far it has read: Kafka forgets a group that was away for long."""
        read_positions = await self._watch.read_positions()
        for service in self._services:
            groups = [group_of(service.name, topic) for topic in service.handlers.topics]
            read = {
                (part.topic, part.partition): committed
                for group in groups
                for part, (committed, _) in read_positions[group].items()
                if committed is not None
            }
            if read != self._remembered.get(service.name):
                async with service.database.transaction() as tx:
                    await gaps.remember(tx, read)
                self._remembered[service.name] = read

    async def _of_service(self, service: Service) -> None:
        async with service.database.reading() as reader:
            found = await outbox_backlog(reader)
            _TIMER_OVERDUE.labels(service.name).set(found.timer_overdue)
            _OUTBOX_AGE.labels(service.name).set(found.event_age)
            _OUTBOX_DUE.labels(service.name).set(found.rows)
            _LOST.labels(service.name).set(sum(one.records for one in await gaps.lost(reader)))
            await service.measure(reader)
