"""Trial time: live all that falls due until an instant, in order, and answer once all is quiet."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from fastapi import APIRouter

from keepwell.host.engine import Engine
from shared.clock import SteppedClock
from shared.web.api import Body, Moment, Reads, View, WriteCommand
from shared.web.problems import Conflict, Forbidden, Invalid
from shared.web.tokens import Scope

LOOK_AGAIN: Final = 0.002
"""Real seconds between two cheap looks whether something is under way in this process."""
ASK_AGAIN: Final = 0.008
"""Real seconds before the databases and Kafka are asked again whether all is quiet: asking takes work from the work."""
PATIENCE: Final = 120.0
"""Real seconds after which a step that does not become quiet is reported rather than waited for."""


class Bystander(Protocol):
    """Somebody outside the services whose acts belong to the trial: the sandbox's network and its patients."""

    def next_due(self) -> datetime | None:
        """Return when it next does something by itself."""

    def busy(self) -> bool:
        """Tell whether something of it is due or under way."""


class TrialTime:
    """Moves a stepped clock from one due instant to the next, each time once all is quiet."""

    def __init__(
        self, clock: SteppedClock, engine: Engine, *, bystander: Bystander | None, keep: Callable[[], None]
    ) -> None:
        self.clock = clock
        self._engine = engine
        self._bystander = bystander
        self._keep = keep
        self._one_at_a_time = asyncio.Lock()
        self.steps = 0

    def events(self) -> int:
        """Return how many events Kafka has accepted so far."""
        return sum(relay.fired for relay in self._engine.relays)

    async def live_until(self, instant: datetime) -> int:
        """Live until an instant; return how many events there were on the way.

        Raises:
            Conflict: the system did not become quiet; the message says what is in the way.
        """
        async with self._one_at_a_time:
            before = self.events()
            while True:
                await self.settle()
                due = self._next_due()
                if due is None or due > instant:
                    break
                await self._move(due)
            await self._move(max(instant, self.clock.now()))
            await self.settle()
            return self.events() - before

    async def settle(self) -> None:
        """Return once nothing is on its way."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            stirring = self._stirring()
            if not stirring and await self.quiet():
                self._engine.settled()
                return
            if asyncio.get_running_loop().time() > deadline:
                why = "; ".join(await self._engine.problems()) or "work is still in flight"
                raise Conflict(f"Trial time stands at {self.clock.now().isoformat()}: {why}.")
            await self.clock.pause(LOOK_AGAIN if stirring else ASK_AGAIN)

    async def quiet(self) -> bool:
        """Tell whether nothing is on its way, in services, Kafka and sandbox."""
        return await self._engine.watch.quiet(self._idle)

    def _stirring(self) -> bool:
        return self._engine.stirring() or (self._bystander is not None and self._bystander.busy())

    async def _idle(self) -> bool:
        if self._bystander is not None and self._bystander.busy():
            return False
        return await self._engine.idle(alone=True)

    def _next_due(self) -> datetime | None:
        theirs = self._bystander.next_due() if self._bystander is not None else None
        ours = self._engine.next_due
        return min((instant for instant in (theirs, ours) if instant is not None), default=None)

    async def _move(self, instant: datetime) -> None:
        await self.clock.move_to(instant)
        await self.clock.pause(LOOK_AGAIN)
        self.steps += 1
        self._keep()


class Target(Body):
    """Until when to live."""

    to: Moment


class Time(View):
    """Trial time, and how many events there were on the way to it."""

    now: datetime
    events: int


def router(trial: TrialTime | None) -> APIRouter:
    """Return the routes of trial time; without a trial they say how to begin one."""
    routes = APIRouter(prefix="/api/v1/trial", tags=["trial"])

    def begun() -> TrialTime:
        if trial is None:
            raise Forbidden("Trial time is off; start with KEEPWELL_CLOCK=steps and KEEPWELL_TRIAL=true.")
        return trial

    @routes.get("/clock")
    async def tell(_principal: Reads) -> Time:
        """Tell the trial's time."""
        return Time(now=begun().clock.now(), events=begun().events())

    @routes.post("/clock")
    async def move(target: Target, command: WriteCommand) -> Time:
        """Live all that falls due until an instant, in order."""
        if Scope.TRIAL not in command.principal.scopes:
            raise Forbidden("This needs a token with the scope 'trial'.")
        now = begun().clock.now()
        if target.to < now:
            raise Invalid.at("/to", f"Trial time is {now.isoformat()} already; it only moves forward.")
        events = await begun().live_until(target.to)
        return Time(now=begun().clock.now(), events=events)

    return routes
