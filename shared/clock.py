"""The one place that tells the time.

Four clocks through the same code: `RealClock`; `FastClock`, which runs faster by a factor from a fixed origin; and
`SteppedClock`, which stands still until it is moved; and `LivedClock`, which is moved through a past and then runs.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

LONGEST_NAP: Final = 60.0
"""Seconds after which a sleeper looks at the clock again, so that a clock that was set forward is noticed."""


class Clock(Protocol):
    """What the rest of the code knows of time."""

    @property
    def speed(self) -> float:
        """How many of its seconds pass in a real one; 0 where it stands still until it is moved."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` has reached `instant`."""

    async def pause(self, seconds: float) -> None:
        """Wait for real seconds, whatever the clock says: for ticks and for backoff."""


async def _nap(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - the clock is where waiting is allowed


class RealClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the clock is where the time is told

    async def sleep_until(self, instant: datetime) -> None:
        while (left := (instant - self.now()).total_seconds()) > 0:
            await _nap(min(left, LONGEST_NAP))

    async def pause(self, seconds: float) -> None:
        await _nap(seconds)


class FastClock:
    """A clock that runs `factor` times as fast as the machine's, from an origin where both agreed.

    Args:
        factor: simulated seconds in a real second, above zero.
        real_origin: an instant of the machine's clock.
        origin: what this clock showed at `real_origin`.
    """

    def __init__(self, factor: float, *, real_origin: datetime, origin: datetime) -> None:
        if factor <= 0:
            raise ValueError(f"A clock's factor must be above zero, not {factor}.")
        self.factor = factor
        self._real = RealClock()
        self._real_origin = real_origin
        self._origin = origin

    @property
    def speed(self) -> float:
        return self.factor

    def now(self) -> datetime:
        return self._origin + (self._real.now() - self._real_origin) * self.factor

    def run_at(self, factor: float) -> None:
        """Run at another pace from now on; a sleeper notices a faster one only after the nap that it has begun."""
        real = self._real.now()
        self._origin += (real - self._real_origin) * self.factor
        self._real_origin = real
        self.factor = factor

    async def sleep_until(self, instant: datetime) -> None:
        while (left := (instant - self.now()).total_seconds()) > 0:
            await _nap(min(left / self.factor, LONGEST_NAP))

    async def pause(self, seconds: float) -> None:
        await _nap(seconds)


class SteppedClock:
    """A clock that stands still until `move_to` is called: trial time, simulation and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._moved = asyncio.Condition()

    @property
    def speed(self) -> float:
        return 0.0

    def now(self) -> datetime:
        """Return the instant that the clock was last moved to."""
        return self._now

    async def move_to(self, instant: datetime) -> None:
        """Move the clock forward and wake every sleeper whose instant has come.

        Raises:
            ValueError: if `instant` lies before the present; trial time only moves forward.
        """
        if instant < self._now:
            raise ValueError(f"Trial time is {self._now.isoformat()} and cannot move back to {instant.isoformat()}.")
        async with self._moved:
            self._now = instant.astimezone(UTC)
            self._moved.notify_all()

    async def move_by(self, span: timedelta) -> None:
        await self.move_to(self._now + span)

    async def sleep_until(self, instant: datetime) -> None:
        """Return once the clock has been moved to `instant` or past it."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._now >= instant)

    async def pause(self, seconds: float) -> None:
        await _nap(seconds)


class LivedClock(SteppedClock):
    """A clock that stands still until it is moved, as its past is lived, and runs from the first `run_at` on."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._running: FastClock | None = None
        self._changed = asyncio.Event()

    @property
    def runs(self) -> bool:
        """Tell whether it runs by itself."""
        return self._running is not None

    @property
    def speed(self) -> float:
        """Return the pace at which it runs, 0 before it does."""
        return 0.0 if self._running is None else self._running.factor

    def now(self) -> datetime:
        """Return the present instant of the past or of the run."""
        return super().now() if self._running is None else self._running.now()

    def run_at(self, factor: float) -> None:
        """Run at this pace from now on; every sleeper notices at once."""
        if self._running is None:
            self._running = FastClock(factor, real_origin=RealClock().now(), origin=super().now())
        else:
            self._running.run_at(factor)
        self._wake()

    async def move_to(self, instant: datetime) -> None:
        """Move the clock forward, as long as it does not run.

        Raises:
            ValueError: it runs, or `instant` lies before the present.
        """
        if self._running is not None:
            raise ValueError("This clock runs by itself now and cannot be moved.")
        await super().move_to(instant)
        self._wake()

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` has reached `instant`, by moves or by itself."""
        while (left := (instant - self.now()).total_seconds()) > 0:
            changed = self._changed
            nap = None if self._running is None else min(left / self._running.factor, LONGEST_NAP)
            try:
                async with asyncio.timeout(nap):
                    await changed.wait()
            except TimeoutError:
                continue

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
