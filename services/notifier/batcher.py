"""Many callers, one transaction: each waits until what it submitted is committed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from shared.clock import Clock

T = TypeVar("T")

GATHER: Final = 0.005
"""Real seconds for which the first caller waits for others."""
MOST: Final = 200


class Batcher(Generic[T]):
    """Hands what several callers submit at nearly the same time to one function.

    The first caller leads: it gathers, carries out, and tells the others. Where all together fail, each is carried out
    alone, so that one bad item fails its caller only.

    Args:
        carry_out: does the work for several, in the order they were submitted; all of it or nothing.
        clock: waits.
    """

    def __init__(self, carry_out: Callable[[Sequence[T]], Awaitable[None]], clock: Clock) -> None:
        self._carry_out = carry_out
        self._clock = clock
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._led = False

    async def submit(self, item: T) -> None:
        """Return once the item is carried out; raise what its carrying out raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if not self._led:
            self._led = True
            # A task of its own: a caller that goes away must not take the others' items with it.
            self._leader = asyncio.create_task(self._lead())
        await done

    async def _lead(self) -> None:
        try:
            while self._waiting:
                await self._clock.pause(GATHER)
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._finish(batch)
        finally:
            self._led = False

    async def _finish(self, batch: Sequence[tuple[T, "asyncio.Future[None]"]]) -> None:
        try:
            await self._carry_out([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - told to whoever submitted it
            if len(batch) > 1:
                for each in batch:
                    await self._finish([each])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for _, done in batch:
            if not done.done():
                done.set_result(None)
