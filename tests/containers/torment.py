"""What can happen to a container: killed, stopped, paused, cut off from the network; and that it works again."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from shared.clock import RealClock
from tests.containers.engine import IMAGES, docker, inspect
from tests.containers.stack import SERVICES, Stack, until
from tests.faults.record import Fault, Record

HELD: Final = 4.0
"""Seconds that a container stays paused, cut off or down."""


class Torment:
    """Does something to one container at a time and returns once it works again.

    Args:
        stack: whose containers.
        record: what was done is written there.
    """

    def __init__(self, stack: Stack, record: Record) -> None:
        self._stack = stack
        self._record = record
        self._clock = RealClock()
        self.kinds: Final[dict[str, Callable[[str, str], Awaitable[None]]]] = {
            "kill": self._kill,
            "stop": self._stop,
            "pause": self._pause,
            "cut": self._cut,
        }

    async def do(self, kind: str, service: str, copy: int = 0) -> None:
        """Do one thing to a copy of a service."""
        containers = await self._stack.containers(service)
        container = containers[copy % len(containers)]
        async with self._noted(kind, service):
            await self.kinds[kind](service, container)
            await self._works(service, container)

    async def crash(self, service: str) -> int:
        """Kill a service's process behind the engine's back; return how often the engine has started it again."""
        (container, *_) = await self._stack.containers(service)
        before = await inspect(container)
        end = f"import os; os.kill({before['State']['Pid']}, 9)"
        root = ("--pid", "host", "--user", "0", "--entrypoint", "python", "--network", "none")
        async with self._noted("crash", service):
            await docker("run", "--rm", *root, IMAGES.keepwell, "-c", end)

            async def started_again() -> int:
                return int((await inspect(container))["RestartCount"]) - int(before["RestartCount"])

            times: int = await until(started_again, seconds=30)
            await self._works(service, container)
        return times

    @asynccontextmanager
    async def down(self, service: str) -> AsyncIterator[None]:
        """Stop every copy of a service while the block runs; at its end all work again."""
        containers = await self._stack.containers(service)
        async with self._noted("stop", service):
            await docker("stop", *containers)
            try:
                yield
            finally:
                await docker("start", *containers)
            for container in containers:
                await self._works(service, container)

    @asynccontextmanager
    async def killed(self, service: str) -> AsyncIterator[None]:
        """Kill a service's container and keep it down while the block runs; at its end it works again."""
        (container,) = await self._stack.containers(service)
        async with self._noted("kill", service):
            await docker("kill", container)
            try:
                yield
            finally:
                await docker("start", container)
            await self._works(service, container)

    @asynccontextmanager
    async def paused(self, service: str) -> AsyncIterator[None]:
        """Pause every copy of a service while the block runs."""
        containers = await self._stack.containers(service)
        async with self._noted("pause", service):
            await docker("pause", *containers)
            try:
                yield
            finally:
                await docker("unpause", *containers)
            for container in containers:
                await self._works(service, container)

    @asynccontextmanager
    async def _noted(self, kind: str, service: str) -> AsyncIterator[None]:
        began = self._clock.now()
        yield
        self._record.faults.append(Fault(kind, service, began, self._clock.now()))

    async def _works(self, service: str, container: str) -> None:
        if service in SERVICES:
            await self._stack.ready(container)
        else:
            await self._stack.healthy(container)

    async def _kill(self, service: str, container: str) -> None:
        del service
        await docker("kill", container)
        await docker("start", container)

    async def _stop(self, service: str, container: str) -> None:
        await docker("stop", container)
        code = (await inspect(container))["State"]["ExitCode"]
        if service in SERVICES:
            assert code == 0, f"{service} ended with {code} after it was asked to stop"
        await self._clock.pause(HELD)
        await docker("start", container)

    async def _pause(self, service: str, container: str) -> None:
        del service
        await docker("pause", container)
        try:
            await self._clock.pause(HELD)
        finally:
            await docker("unpause", container)

    async def _cut(self, service: str, container: str) -> None:
        """Take a container off every network, and put it back under the names that it had, at another address."""
        del service
        known: dict[str, Any] = (await inspect(container))["NetworkSettings"]["Networks"]
        others: list[str] = []
        try:
            for network in known:
                await docker("network", "disconnect", "--force", network, container)
                # Takes the address that is free now, so that the container gets another, as it may anywhere.
                sleeper = ("--rm", "--entrypoint", "sleep", IMAGES.keepwell, "300")
                others.append((await docker("run", "--detach", "--network", network, *sleeper)).strip())
            await self._clock.pause(HELD)
        finally:
            for network, endpoint in known.items():
                names = [name for name in endpoint["Aliases"] or () if not container.startswith(name)]
                aliases = [part for name in names for part in ("--alias", name)]
                await docker("network", "connect", *aliases, network, container)
            await asyncio.gather(*(docker("rm", "--force", other) for other in others))


async def letters(stack: Stack) -> list[Any]:
    """Return the dead letters: nothing here is poison, so there must be none."""
    told = await stack.keepwell("clinic", "dead-letters", "list", "--json")
    assert told.code == 0, told.errors
    found: list[Any] = json.loads(told.output)
    return found
