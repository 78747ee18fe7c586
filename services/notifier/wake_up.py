"""Wakes the sender when a transaction that planned something has committed."""

import asyncio
from datetime import datetime
from typing import Final

from shared.clock import Clock

IDLE: Final = 2.0
"""Real seconds after which a sleeper looks at the database again: another process may have planned something."""


class WakeUp:
    """Called after a commit; ends the sleep of one loop of this process."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Wake the sleeper now, or keep it from falling asleep."""
        self._woken.set()

    async def sleep(self, clock: Clock, until: datetime | None) -> None:
        """Return when somebody wakes it, when `until` has come, or after the idle time."""
        tasks: list[asyncio.Future[object]] = [
            asyncio.ensure_future(self._woken.wait()),
            asyncio.ensure_future(clock.pause(IDLE)),
        ]
        if until is not None:
            tasks.append(asyncio.ensure_future(clock.sleep_until(until)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._woken.clear()
