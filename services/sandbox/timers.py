"""Does things when their instant has come: callbacks, and the acts of virtual patients."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from heapq import heappop, heappush
from typing import Final

from shared.clock import Clock
from shared.telemetry.log import get_logger

log = get_logger(__name__)

WIDTH: Final = 64
"""Lanes that run at the same time."""

Job = Callable[[], Awaitable[None]]


class Timers:
    """Jobs with a due instant, each in a lane: one after the other within a lane, side by side across lanes.

    Jobs of one instant are taken in the order of their names, never in the order in which they were added.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[datetime, str, int]] = []
        self._jobs: dict[int, tuple[str, Job]] = {}
        self._added = 0
        self._lanes: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._width = asyncio.Semaphore(WIDTH)
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop: asyncio.Task[None] | None = None

    def add(self, due: datetime, name: str, lane: str, job: Job) -> None:
        """Have a job done at its instant.

        Args:
            due: not before this instant.
            name: gives the order among jobs of one instant.
            lane: jobs of one lane never run at the same time.
            job: what is done; it handles its own expected errors.
        """
        self._added += 1
        heappush(self._waiting, (due, name, self._added))
        self._jobs[self._added] = (lane, job)
        self._changed.set()

    def next_due(self) -> datetime | None:
        """Return the earliest instant at which a job waits to be begun."""
        return self._waiting[0][0] if self._waiting else None

    def busy(self) -> bool:
        """Tell whether a job is due or running."""
        due = self.next_due()
        return bool(self._lanes) or (due is not None and due <= self._clock.now())

    async def run_due(self) -> None:
        """Do all that is due, and what becomes due by it, and return when it is done."""
        while self.busy():
            self._release()
            await self._idle.wait()

    async def start(self) -> None:
        """Begin to watch the clock."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._watch(), name="sandbox pump")

    async def stop(self) -> None:
        """Stop; jobs that run are cancelled, and the ledger has them still to do at the next start."""
        tasks = [*self._tasks, *([self._loop] if self._loop else [])]
        self._loop = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def clear(self) -> None:
        """Forget what waits. What runs already comes to its end."""
        self._waiting.clear()
        self._jobs.clear()
        for lane in self._lanes.values():
            lane.clear()
        self._changed.set()

    async def _watch(self) -> None:
        while True:
            self._changed.clear()
            self._release()
            waits: list[asyncio.Task[object]] = [asyncio.create_task(self._changed.wait())]
            due = self.next_due()
            if due is not None:
                waits.append(asyncio.ensure_future(self._clock.sleep_until(due)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    def _release(self) -> None:
        now = self._clock.now()
        while self._waiting and self._waiting[0][0] <= now:
            lane, job = self._jobs.pop(heappop(self._waiting)[2])
            if lane in self._lanes:
                self._lanes[lane].append(job)
                continue
            self._lanes[lane] = deque([job])
            self._idle.clear()
            task = asyncio.create_task(self._run(lane), name="sandbox lane")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, lane: str) -> None:
        jobs = self._lanes[lane]
        try:
            async with self._width:
                while jobs:
                    try:
                        await jobs.popleft()()
                    except Exception:
                        # One failing job must not hold up the others; the ledger shows it as not done.
                        log.exception("sandbox.job_failed")
        finally:
            del self._lanes[lane]
            if not self._lanes:
                self._idle.set()
