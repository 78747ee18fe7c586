"""Tells open pages to fetch a part of themselves again.

A topic is announced in the process that handled the event. Where several processes host the console, a page of another
one learns of it by what every page fetches anyway, now and then (`BEAT`).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from shared.clock import Clock
from shared.database import Transaction
from shared.ids import ClinicId

BEAT: Final = 20.0
"""Real seconds after which a page fetches everything again."""


class LiveUpdates:
    """One for each process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: dict[ClinicId, set[asyncio.Queue[str | None]]] = defaultdict(set)
        self._announcements: dict[tuple[ClinicId, str], Callable[[], None]] = {}
        self._closed = False

    def after(self, tx: Transaction, clinic: ClinicId, *topics: str) -> None:
        """Announce each topic once the transaction has committed."""
        for topic in topics:
            tx.after_commit(self._announcement(clinic, topic))

    def close(self) -> None:
        """End every stream: the process stops."""
        self._closed = True
        for queues in self._listeners.values():
            for queue in queues:
                queue.put_nowait(None)

    async def listen(self, clinic: ClinicId) -> AsyncIterator[str]:
        """Yield topics as they are announced, and `all` at each beat, until the process stops."""
        with self._listening(clinic) as queue:
            while not self._closed:
                topic = await self._next(queue)
                if topic is None:
                    return
                yield topic

    async def _next(self, queue: "asyncio.Queue[str | None]") -> str | None:
        getting = asyncio.ensure_future(queue.get())
        beat = asyncio.ensure_future(self._clock.pause(BEAT))
        try:
            await asyncio.wait({getting, beat}, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else "all"
        finally:
            getting.cancel()
            beat.cancel()

    @contextmanager
    def _listening(self, clinic: ClinicId) -> Iterator["asyncio.Queue[str | None]"]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners[clinic].add(queue)
        try:
            yield queue
        finally:
            self._listeners[clinic].discard(queue)

    def _announcement(self, clinic: ClinicId, topic: str) -> Callable[[], None]:
        def announce() -> None:
            for queue in self._listeners[clinic]:
                queue.put_nowait(topic)

        return self._announcements.setdefault((clinic, topic), announce)
