"""A child process that serves: started, awaited, kept, stopped in order."""

import asyncio
import logging
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from time import monotonic
from typing import Final

from shared.embedded.account import Account
from shared.embedded.errors import StartError
from shared.embedded.leftovers import RECORD, StopStep, record
from shared.embedded.pause import TICK, pause, until

WATCH: Final = 0.5
"""Seconds between two looks at whether a child still runs."""

LONGEST_BACKOFF: Final = 10.0

_TAIL: Final = 20
_PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """How to run a server.

    Attributes:
        name: what to call it in a message.
        command: program and arguments; one of them names the data directory (see `leftovers`).
        folder: its working directory; the record of the process goes there.
        output: a file for what it says on stdout and stderr, begun anew at each start.
        log: its real log, or the folder of its logs.
        stopping: the signals to stop it with, mildest first.
        start_seconds: how long it may take until it answers.
        environment: variables beyond the few that are passed on; our own, with their secrets, are not.
        account: whom to run it as, or None for the account we have.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    output: Path
    log: Path
    stopping: tuple[StopStep, ...]
    start_seconds: float
    environment: Mapping[str, str]
    account: Account | None = None

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it, in a session of its own: a Ctrl-C in the terminal is the owner's to handle, not the child's."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        with self.output.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - a program of ours
                self.command,
                cwd=self.folder,
                env={**passed_on, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=() if self.account else None,
            )

    def tail(self) -> str:
        """Return the last lines it wrote, for a message."""
        logs = sorted(self.log.iterdir(), key=lambda file: file.stat().st_mtime) if self.log.is_dir() else [self.log]
        files = [file for file in (self.output, *logs[-1:]) if file.is_file()]
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()[-_TAIL:]]
        return "\n".join(lines)


class Server:
    """One program and the process that runs it now.

    Args:
        program: how to run it.
        answers: returns whether it really serves.
    """

    def __init__(self, program: Program, answers: Callable[[], Awaitable[bool]]) -> None:
        self.program = program
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = False
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self) -> None:
        """Start it and return once it serves.

        Raises:
            StartError: if it ended meanwhile, or did not serve in time; nothing is left running then.
        """
        async with self._turn:
            self._wanted = True
            await self._start()

    async def stop(self) -> None:
        """Stop it in order; by force after the bounded times of its program, or at once when cancelled."""
        async with self._turn:
            self._wanted = False
            await self._stop()

    async def kill(self) -> None:
        """Take its life this instant, as a power cut would; it stays down until `start`."""
        async with self._turn:
            self._wanted = False
            self._signal(Signals.SIGKILL)
            await self._gone(seconds=self.program.stopping[-1].seconds)

    def suspend(self) -> None:
        self._signal(Signals.SIGSTOP)

    def resume(self) -> None:
        self._signal(Signals.SIGCONT)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Start it again whenever it ends unasked, while the context is open."""
        watch = asyncio.create_task(self._watch(), name=f"watch {self.program.name}")
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self) -> None:
        backoff = WATCH
        while True:
            await pause(backoff)
            async with self._turn:
                if not self._wanted or self.pid is not None:
                    backoff = WATCH
                    continue
                _log.warning("%s ended unasked; starting it again", self.program.name)
                try:
                    await self._start()
                except (StartError, OSError):
                    backoff = min(2 * backoff, LONGEST_BACKOFF)
                    _log.exception("%s does not start; trying again in %.0f s", self.program.name, backoff)

    async def _start(self) -> None:
        if self.pid is not None:
            return
        self._process = self.program.spawn()
        try:
            record(self.program.folder, self._process.pid)
            await self._serves(self._process)
        except BaseException:
            self._signal(Signals.SIGKILL)
            await self._gone(seconds=self.program.stopping[-1].seconds)
            raise

    async def _serves(self, process: subprocess.Popen[bytes]) -> None:
        deadline = monotonic() + self.program.start_seconds
        while not await self._answers():
            if (code := process.poll()) is not None:
                raise self._failed(f"ended with code {code} while it was starting")
            if monotonic() >= deadline:
                raise self._failed(f"did not answer within {self.program.start_seconds:.0f} s")
            await pause(TICK)

    async def _stop(self) -> None:
        self._signal(Signals.SIGCONT)
        try:
            for step in self.program.stopping:
                self._signal(step.signal)
                if await self._gone(seconds=step.seconds):
                    (self.program.folder / RECORD).unlink(missing_ok=True)
                    return
                _log.warning("%s did not stop on %s within %.0f s", self.program.name, step.signal.name, step.seconds)
        except asyncio.CancelledError:
            self._signal(Signals.SIGKILL)
            raise

    def _signal(self, signal: Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal)  # looks whether it still runs, so that no other process is meant

    async def _gone(self, *, seconds: float) -> bool:
        return await until(lambda: self.pid is None, seconds=seconds)

    def _failed(self, why: str) -> StartError:
        return StartError(self.program.name, why, log=self.program.log, tail=self.program.tail())
