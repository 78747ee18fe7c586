"""The tormentor: with a seed, ends, freezes and restarts whatever runs, at random instants."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM
from typing import Final

import asyncpg

from shared.clock import RealClock
from shared.embedded.kafka_probe import ask
from tests.faults.deployment import Deployment
from tests.faults.member import Member
from tests.faults.proxy import Proxy
from tests.faults.record import Fault, Record

LOOK: Final = 0.1
DECK: Final[Mapping[str, int]] = {
    "kill": 52,
    "kill-at": 12,
    "term": 8,
    "stall": 5,
    "broker-kill": 4,
    "broker-stall": 1,
    "database-kill": 4,
    "database-backend-kill": 1,
    "database-stall": 1,
    "rebalance": 8,
    "net-cut": 1,
    "net-slow": 1,
    "net-hang": 1,
    "net-half-open": 1,
}
"""A hundred cards, shuffled by the seed and dealt one by one: so many faults of each kind in every hundred."""
POINTS_OF: Final[Mapping[str, Sequence[str]]] = {
    "notifier": (
        "before-provider-call",
        "after-provider-accepted",
        "between-handler-and-commit",
        "between-commit-and-offset",
        "between-commit-and-answer",
    ),
    "scheduler": ("between-claim-and-publish", "between-publish-and-delete", "between-commit-and-answer"),
}
"""Named places at which a process of each service can be made to kill itself."""
POINT_WITHIN: Final = 75.0
"""Real seconds for a process to come by its place: reminders are due at every whole minute."""
WEIGHTS: Final = {"clinic": 2, "scheduler": 3, "notifier-1": 5, "notifier-2": 5, "assessments": 1, "provider": 2}
MOST_ADDED: Final = 3
"""Notifiers beyond the two that are always there: one, and further ones where those are hurt just now."""


TARGETS: Final[Mapping[str, str]] = {
    "broker-kill": "kafka",
    "broker-stall": "kafka",
    "database-kill": "postgres",
    "database-backend-kill": "postgres",
    "database-stall": "postgres",
    "rebalance": "rebalance",
}
"""What a fault that has but one target hurts."""


class Tormentor:
    """Does one fault after the other, and some while others last.

    Args:
        deployment: whom.
        record: what was done is written there.
        seed: of its choices; which instant meets which work is the machine's.
        pause: seconds between two faults, at least and at most.
        at_once: faults that last at the same time. On a slow machine a process takes long to start again, and with no
            limit all would be down for ever: a system that never works breaks no promise.

    Attributes:
        missed: how often a process did not come by the place at which it was to kill itself.
    """

    def __init__(
        self,
        deployment: Deployment,
        record: Record,
        *,
        seed: int,
        pause: tuple[float, float],
        at_once: int,
    ) -> None:
        self._deployment = deployment
        self._record = record
        self._random = Random(seed)  # noqa: S311 - a seed is the point
        self._pause = pause
        self._at_once = at_once
        self._clock = RealClock()
        self._busy: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._waits = 0
        self.failures: list[str] = []
        self.missed = 0
        self._faults: dict[str, Callable[[], Awaitable[None]]] = {
            "kill": self._kill,
            "term": self._term,
            "stall": self._stall,
            "broker-kill": self._broker_kill,
            "broker-stall": self._broker_stall,
            "database-kill": self._database_kill,
            "database-backend-kill": self._backend_kill,
            "database-stall": self._database_stall,
            "rebalance": self._rebalance,
            "kill-at": self._kill_at,
            "net-cut": partial(self._net, "cut", self._cut),
            "net-slow": partial(self._net, "slow", self._slow),
            "net-hang": partial(self._net, "hang", self._hang),
            "net-half-open": partial(self._net, "half-open", self._half_open),
        }
        self._deck: list[str] = []

    async def torment(self, until: datetime, *, enough: Callable[[], bool] = lambda: True) -> None:
        """Torment until an instant, and on until it was enough; return once everything that was hurt is well again."""
        while (left := (until - self._clock.now()).total_seconds()) > 0 or not enough():
            pause = self._random.uniform(*self._pause)
            await self._clock.pause(min(left, pause) if left > 0 else pause)
            if len(self._under_way) - self._waits >= self._at_once:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._one(self._deal()))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        await asyncio.gather(*self._under_way)

    def _deal(self) -> str:
        """Return the next card whose target is free; one that must wait is dealt later."""
        if not self._deck:
            self._deck = [kind for kind, many in DECK.items() for _ in range(many)]
            if not self._deployment.wires:
                self._deck = [kind for kind in self._deck if not kind.startswith("net-")]
            self._random.shuffle(self._deck)
        busy = {TARGETS.get(kind) for kind in DECK} & self._busy
        chosen = next((kind for kind in self._deck if TARGETS.get(kind) not in busy), self._deck[0])
        self._deck.remove(chosen)
        return chosen

    def counts(self) -> dict[str, int]:
        return dict(sorted(Counter(fault.kind for fault in self._record.faults).items()))

    async def _one(self, kind: str) -> None:
        try:
            await self._faults[kind]()
        except Exception as error:  # noqa: BLE001 - told in the report, which fails by it
            self.failures.append(f"{kind}: {type(error).__name__}: {error}")

    def _choose(self, fit: Callable[[str], bool] = lambda _: True) -> Member | None:
        """Choose a member that is well, of those whose names fit; None where all are hurt already."""
        members = self._deployment.members.items()
        well = {name: each for name, each in members if name not in self._busy and fit(name)}
        if not well:
            return None
        names = list(well)
        return well[self._random.choices(names, [WEIGHTS.get(name, 3) for name in names])[0]]

    async def _end(self, kind: str, number: signal.Signals) -> None:
        member = self._choose()
        down = self._random.choice((0.0, 0.0, 0.0, 0.5, 3.0))
        if member is None:
            return
        async with self._hurting(kind, member.name):
            code = await member.end(number)
            if number == SIGTERM and member.name != "provider" and code not in {0, -SIGTERM}:
                self.failures.append(f"{member.name} ended with {code} after SIGTERM")
            await self._clock.pause(down)
            await member.start()

    async def _kill(self) -> None:
        await self._end("kill", SIGKILL)

    async def _term(self) -> None:
        await self._end("term", SIGTERM)

    async def _kill_at(self) -> None:
        """Have a process kill itself at a named place; kill it there and then, should it never come by."""
        # Not one that was added: it would be waiting for its death while it is to be taken away.
        member = self._choose(lambda name: name.startswith(tuple(POINTS_OF)) and not _is_added(name))
        if member is None:
            return
        place = self._random.choice(POINTS_OF[member.name.rpartition("-")[0] or member.name])
        self._busy.add(member.name)
        try:
            async with self._noted("kill", member.name):
                await member.end(SIGKILL)
                await member.spawn(FAULTS_KILL_AT=place)
                while member.pid is not None and not await member.serves():
                    await self._clock.pause(LOOK)
            # Until it dies it works: others may be hurt meanwhile.
            self._waits += 1
            try:
                came = await member.killed(POINT_WITHIN)
            finally:
                self._waits -= 1
            self.missed += not came
            async with self._noted(f"kill-at {place}" if came else "kill", member.name):
                if not came:
                    await member.end(SIGKILL)
                await member.start()
        finally:
            self._busy.discard(member.name)

    async def _net(self, name: str, fault: Callable[[Proxy], Awaitable[None]]) -> None:
        wires = [wire for wire in sorted(self._deployment.wires) if f"net {wire}" not in self._busy]
        if not wires:
            return
        wire = self._random.choice(wires)
        async with self._hurting(f"net-{name}", f"net {wire}"):
            await fault(self._deployment.wires[wire])

    async def _cut(self, wire: Proxy) -> None:
        await wire.cut(self._random.uniform(0, 4))

    async def _slow(self, wire: Proxy) -> None:
        await wire.slow(self._random.uniform(3, 8), by=self._random.choice((0.1, 0.4, 1.0)))

    async def _hang(self, wire: Proxy) -> None:
        await wire.hang(self._random.uniform(1, 8))

    async def _half_open(self, wire: Proxy) -> None:
        await wire.half_open(self._random.uniform(1, 8))

    async def _stall(self) -> None:
        member, seconds = self._choose(), self._random.choice((0.5, 1.5, 3.0, 8.0))
        if member is None:
            return
        async with self._hurting("stall", member.name):
            member.freeze()
            await self._clock.pause(seconds)
            member.thaw()
            await member.ready()

    async def _broker_kill(self) -> None:
        broker, down = self._random.choice(self._deployment.kafka.brokers), self._random.uniform(0, 3)
        if "kafka" in self._busy:
            return
        async with self._hurting("broker-kill", "kafka"):
            await broker.kill()
            await self._clock.pause(down)
            await broker.restart()

    async def _broker_stall(self) -> None:
        broker, seconds = self._random.choice(self._deployment.kafka.brokers), self._random.uniform(0.5, 6)
        if "kafka" in self._busy:
            return
        async with self._hurting("broker-stall", "kafka"):
            broker.suspend()
            await self._clock.pause(seconds)
            broker.resume()
            while await ask(broker.port) is None:
                await self._clock.pause(LOOK)

    async def _database_kill(self) -> None:
        if "postgres" in self._busy:
            return
        async with self._hurting("database-kill", "postgres"):
            server = self._deployment.database.server
            if server.pid is not None:
                os.kill(server.pid, SIGKILL)
            await self._database_serves()

    async def _backend_kill(self) -> None:
        """Kill one session's process: PostgreSQL then ends every other session too, and recovers."""
        if "postgres" in self._busy:
            return
        async with self._hurting("database-backend-kill", "postgres"):
            children = await asyncio.to_thread(_children, self._deployment.database.server.pid)
            _signal_all(self._random.sample(children, min(1, len(children))), SIGKILL)
            await self._database_serves()

    async def _database_stall(self) -> None:
        """Freeze every session as they are; a server that swaps or a network that hangs looks like this."""
        if "postgres" in self._busy:
            return
        async with self._hurting("database-stall", "postgres"):
            parent, seconds = self._deployment.database.server.pid, self._random.uniform(0.5, 5)
            frozen = [] if parent is None else [parent, *await asyncio.to_thread(_children, parent)]
            _signal_all(frozen, signal.SIGSTOP)
            await self._clock.pause(seconds)
            _signal_all(frozen, signal.SIGCONT)
            await self._database_serves()

    async def _rebalance(self) -> None:
        """Add a notifier, or take away one that was added."""
        if "rebalance" in self._busy:
            return
        added = [member.name for member in self._deployment.notifiers if _is_added(member.name)]
        spare = [name for name in added if name not in self._busy]
        if not spare and len(added) < MOST_ADDED:
            async with self._hurting("rebalance-add", "rebalance"):
                await self._deployment.add_notifier()
        elif spare:
            name = self._random.choice(spare)
            self._busy.add(name)
            async with self._hurting("rebalance-remove", "rebalance"):
                code = await self._deployment.remove(name)
            self._busy.discard(name)
            if code != 0:
                self.failures.append(f"{name} ended with {code} when it was taken away")

    @asynccontextmanager
    async def _hurting(self, kind: str, target: str) -> AsyncIterator[None]:
        """Keep a target to one fault at a time, and note the fault once it is over."""
        self._busy.add(target)
        try:
            async with self._noted(kind, target):
                yield
        finally:
            self._busy.discard(target)

    @asynccontextmanager
    async def _noted(self, kind: str, target: str) -> AsyncIterator[None]:
        """Note a fault once it is over."""
        began = self._clock.now()
        yield
        self._record.faults.append(Fault(kind, target, began, self._clock.now()))

    async def _database_serves(self) -> None:
        address = self._deployment.database
        while True:
            try:
                connection = await asyncpg.connect(
                    host=address.host,
                    port=address.port,
                    user=address.user,
                    password=address.password,
                    database=address.database,
                    ssl=False,
                    timeout=3,
                )
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._clock.pause(LOOK)
            else:
                await connection.close()
                return


def _is_added(name: str) -> bool:
    """Tell whether a member is a notifier beyond the two that are always there."""
    service, _, number = name.rpartition("-")
    return service == "notifier" and int(number) > 2


def _children(parent: int | None) -> list[int]:
    if parent is None:
        return []
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def _signal_all(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue
