"""One process of the deployment, with the handles by which it is tormented."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from shared.clock import RealClock
from tests.support.loaded import Process, start

LOOK = 0.05
"""Seconds between two looks at a process that is starting."""
START_WITHIN = 300.0
FALL = 0.5
"""Seconds after which a supervisor starts a process again."""
STOP_WITHIN = 40.0
TELLS_WITHIN = 2.0
"""Seconds for a process that hangs to write what its tasks wait for (`launch.py`)."""

_CLOCK = RealClock()


@dataclass
class Member:
    """A process that is started again by whoever ended it.

    Attributes:
        ready_path: answered with 200 once it can do its work.
        exits: how each of its processes ended, in order: exit codes, negative for signals.
        fell: how often a process ended by itself while it was starting, and was started again as a supervisor would.
        loaded: whether it starts with all loaded that it loads (see `tests.support.loaded`).
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int
    ready_path: str
    log: Path
    exits: list[int] = field(default_factory=list)
    fell: int = 0
    loaded: bool = False
    _process: Process | None = None

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Return the number of the process that runs now, if one does."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def spawn(self, **extra: str) -> None:
        """Start a process and return at once; `extra` are variables for this process alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as sink:
            self._process = await start(
                self.command, env={**self.environment, **extra}, stdout=sink, stderr=sink, loaded=self.loaded
            )

    async def start(self, **extra: str) -> None:
        """Start a process and return once it is ready."""
        await self.spawn(**extra)
        await self.ready()

    async def serves(self) -> bool:
        """Tell whether the process can do its work now."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
                http.get(self.url + self.ready_path) as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def killed(self, seconds: float = 90) -> bool:
        """Wait for the process to die by SIGKILL and tell whether it did."""
        try:
            async with asyncio.timeout(seconds):
                return await self.ended() == -signal.SIGKILL
        except TimeoutError:
            return False

    async def ready(self) -> None:
        """Return once the process can do its work; one that ends by itself is started again.

        Raises:
            RuntimeError: it was not ready in time; the message has the end of its log.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_WITHIN
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                said = "it ended"
                if self.pid is None:
                    self.fell += 1
                    await _CLOCK.pause(FALL)
                    await self.spawn()
                try:
                    async with http.get(self.url + self.ready_path) as answer:
                        if answer.status == 200:
                            return
                        said = await answer.text()
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    said = type(error).__name__
                if loop.time() > deadline:
                    raise RuntimeError(f"{self.name} is not ready: {said}\n{self.tail()}")
                await _CLOCK.pause(LOOK)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal that ends it and return its exit code; one that hangs at a stop is killed, and that shows."""
        process = self._process
        if process is None or process.returncode is not None:
            return await self.ended()
        process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_WITHIN):
                return await self.ended()
        except TimeoutError:
            process.send_signal(signal.SIGUSR1)
            await _CLOCK.pause(TELLS_WITHIN)
            sys.stderr.write(f"{self.name} hung at its stop:\n{self.tail(12_000)}\n")
            process.kill()
            return await self.ended()

    async def ended(self) -> int:
        """Wait until the process has ended by itself and return its exit code."""
        process = self._process
        if process is None:
            raise RuntimeError(f"{self.name} was never started.")
        code = await process.wait()
        self.exits.append(code)
        return code

    def freeze(self) -> None:
        """Stop it in its tracks: it keeps its connections and answers nothing."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.pid is not None:
            os.kill(self.pid, signal.SIGCONT)

    def tail(self, size: int = 3000) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""
