"""Programs that start loaded: forked from a process that has loaded every module of Keepwell once.

To load them takes a process 2.5 s of processor, most of what its start takes, and a run of the tests starts hundreds.
What is forked has arguments, variables, output, signals and an end of its own, and says the same; only the loading was
done before. What is asked of a start itself is asked of one that loads (`loaded=False`, and the containers).

`python -m tests.support.loaded FD` is that process: each message on the socket asks for one start.
"""

import array
import asyncio
import atexit
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, Protocol

from shared.settings import SERVICES

Sink = IO[bytes] | int
"""A file, or PIPE, DEVNULL or STDOUT of `subprocess`."""
MODULES: Final = (
    *("keepwell.cli.main", "keepwell.cli.commands.up", "keepwell.host.stand_ins", "shared.database.migrate"),
    *("shared.embedded.kafka", "shared.embedded.postgres"),
)
LONGEST: Final = 1 << 17
"""Bytes of a message: arguments and variables."""
SINKS: Final = 3
_DIFFERENT: Final = ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONHASHSEED")
"""Variables that decide what is loaded, or how."""


class Process(Protocol):
    """What a test needs of a process that it started."""

    stdout: asyncio.StreamReader | None
    stderr: asyncio.StreamReader | None

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    async def communicate(self) -> tuple[bytes, bytes]: ...
    def send_signal(self, signal: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


async def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    stdout: Sink = subprocess.DEVNULL,
    stderr: Sink = subprocess.DEVNULL,
    loaded: bool = True,
) -> Process:
    """Start a program in a session of its own.

    Args:
        command: what to run; `python -m MODULE ...` may start loaded.
        env: its variables; other modules than ours are never loaded before.
        stdout: where its output goes.
        stderr: where its errors go.
        loaded: whether all that Keepwell loads may be loaded already.
    """
    same = all(env.get(name) == os.environ.get(name) for name in _DIFFERENT)
    if loaded and same and tuple(command[:2]) == (sys.executable, "-m"):
        return await _forked(command[2:], env, stdout, stderr)
    return await asyncio.create_subprocess_exec(
        *command, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
    )


class _Forked:
    """A process that was forked; its parent says which one it is and how it ended."""

    def __init__(self, pid: int, told: asyncio.StreamReader, close: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._ended = asyncio.create_task(self._until_it_ended(told, close))

    async def _until_it_ended(self, told: asyncio.StreamReader, close: asyncio.StreamWriter) -> int:
        line = await told.readline()
        close.close()
        self.returncode = int(line) if line else -signal.SIGKILL
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        output, errors = await asyncio.gather(*(pipe.read() if pipe else _nothing() for pipe in self._pipes()))
        await self.wait()
        return output, errors

    def _pipes(self) -> tuple[asyncio.StreamReader | None, asyncio.StreamReader | None]:
        return self.stdout, self.stderr

    def send_signal(self, signal: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def _nothing() -> bytes:
    return b""


async def _forked(arguments: Sequence[str], env: Mapping[str, str], stdout: Sink, stderr: Sink) -> Process:
    ours, theirs = socket.socketpair()
    output, read_output = _sink(stdout)
    errors, read_errors = (output, None) if stderr == subprocess.STDOUT else _sink(stderr)
    try:
        asked = json.dumps({"arguments": list(arguments), "env": dict(env)}).encode()
        _parent().sendmsg([asked], [_rights(output, errors, theirs.fileno())])
    finally:
        theirs.close()
        for each in {output, errors}:
            os.close(each)
    told, close = await asyncio.open_unix_connection(sock=ours)
    process = _Forked(int(await told.readline()), told, close)
    process.stdout, process.stderr = await _reader(read_output), await _reader(read_errors)
    return process


def _sink(where: Sink) -> tuple[int, int | None]:
    """Return the end of a process's output, and what to read it from where that is a pipe."""
    if where == subprocess.PIPE:
        reading, writing = os.pipe()
        return writing, reading
    if where == subprocess.DEVNULL:
        return os.open(os.devnull, os.O_WRONLY), None
    assert not isinstance(where, int)
    return os.dup(where.fileno()), None


async def _reader(pipe: int | None) -> asyncio.StreamReader | None:
    if pipe is None:
        return None
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", buffering=0)
    )
    return reader


def _rights(*files: int) -> tuple[int, int, Any]:
    return socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files)


@cache
def _parent() -> socket.socket:
    """Return the way to this run's process that forks; it ends with the run."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # What it loads is not asked here: it may still be at it when the first start is asked for.
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.loaded", str(theirs.fileno())],
        cwd=Path(__file__).parents[2],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# --- the process that forks


@dataclass(frozen=True)
class Asked:
    """A start that was asked for."""

    arguments: list[str]
    env: dict[str, str]


def serve(asking: socket.socket) -> Asked | None:
    """Fork for each start that is asked for; return None at the end, and in a new process what it was asked to be."""
    children: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    for each in (woken, wake):
        each.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(asking, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if woken in ready:
            woken.recv(4096)
            _bury(children)
        if asking not in ready:
            continue
        asked, files, _, _ = socket.recv_fds(asking, LONGEST, SINKS)
        if not asked:
            return None
        output, errors, telling = files
        reply = socket.socket(fileno=telling)
        pid = os.fork()
        if pid == 0:
            selector.close()
            for each in (asking, woken, wake, reply, *children.values()):
                each.close()
            return _become(Asked(**json.loads(asked)), output, errors)
        for file in (output, errors):
            os.close(file)
        children[pid] = reply
        reply.sendall(b"%d\n" % pid)


def _bury(children: dict[int, socket.socket]) -> None:
    """Tell of each process that has ended how it did."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with children.pop(pid) as reply, suppress(OSError):
            reply.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(asked: Asked, output: int, errors: int) -> Asked:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for file, number in ((output, 1), (errors, 2)):
        os.dup2(file, number)
    for file in {output, errors}:
        os.close(file)
    os.environ.clear()
    os.environ.update(asked.env)
    return asked


def load() -> None:
    """Load all that a start loads, and keep the collector from ever looking at it."""
    from keepwell.host.collecting import while_loading  # noqa: PLC0415 - before anything else is loaded

    while_loading()
    for name in (*MODULES, *(f"services.{service}.service" for service in (*SERVICES, "sandbox"))):
        import_module(name)
    gc.freeze()


def main() -> None:
    """Load, then fork whenever asked; what was forked goes on below as if it had just been loaded."""
    load()
    with socket.socket(fileno=int(sys.argv[1])) as asking:
        asked = serve(asking)
    if asked is not None:
        module, *arguments = asked.arguments
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
