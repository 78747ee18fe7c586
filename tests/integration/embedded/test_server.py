import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from signal import Signals

import pytest

from shared.embedded.errors import StartError
from shared.embedded.leftovers import RECORD, StopStep, recorded
from shared.embedded.pause import until
from shared.embedded.server import Program, Server

UP = "import pathlib, sys; pathlib.Path('up').write_text(''); sys.stdout.write('hello'); import signal; signal.pause()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {UP}"
SECRET = "KEEPWELL_SECRET"

Make = Callable[..., Server]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def server(code: str, *, start_seconds: float = 10) -> Server:
        async def answers() -> bool:
            return (tmp_path / "up").exists()

        program = Program(
            name="Sample",
            command=(sys.executable, "-c", code),
            folder=tmp_path,
            output=tmp_path / "out.log",
            log=tmp_path / "sample.log",
            stopping=(StopStep(Signals.SIGTERM, 0.2), StopStep(Signals.SIGKILL, 5)),
            start_seconds=start_seconds,
            environment={},
        )
        return Server(program, answers)

    return server


async def test_one_that_ends_while_starting_is_reported_with_what_it_said(make: Make) -> None:
    with pytest.raises(StartError, match="ended with code 3") as failed:
        await make("import sys; sys.stderr.write('no room left'); sys.exit(3)").start()
    assert failed.value.tail == "no room left"


async def test_one_that_never_answers_is_given_up_and_ended(make: Make) -> None:
    server = make("import signal; signal.pause()", start_seconds=0.2)
    with pytest.raises(StartError, match="did not answer within"):
        await server.start()
    assert server.pid is None


async def test_a_cancelled_start_leaves_nothing_running(make: Make) -> None:
    server = make("import signal; signal.pause()")
    start = asyncio.create_task(server.start())
    assert await until(lambda: server.pid is not None, seconds=5)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert server.pid is None


async def test_one_that_is_deaf_to_the_mild_signal_is_ended_by_force(make: Make, tmp_path: Path) -> None:
    server = make(DEAF)
    await server.start()
    assert recorded(tmp_path) is not None
    await server.stop()
    assert server.pid is None
    assert not (tmp_path / RECORD).exists()


async def test_a_frozen_one_can_be_stopped(make: Make) -> None:
    server = make(UP)
    await server.start()
    server.suspend()
    await server.stop()
    assert server.pid is None


async def test_one_that_was_killed_on_purpose_stays_down_while_watched(make: Make, tmp_path: Path) -> None:
    server = make(UP)
    await server.start()
    async with server.watched():
        await server.kill()
        assert not await until(lambda: server.pid is not None, seconds=0.8)
        await server.start()
    await server.stop()


async def test_one_that_ends_unasked_is_started_again(make: Make) -> None:
    server = make(UP)
    await server.start()
    first = server.pid
    async with server.watched():
        os.kill(first or 0, Signals.SIGKILL)
        assert await until(lambda: server.pid not in {None, first}, seconds=5)
    await server.stop()


async def test_our_own_environment_is_not_handed_on(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET, "secret")
    server = make(f"import os; print(os.environ.get('{SECRET}'), flush=True); {UP}")
    await server.start()
    await server.stop()
    assert (tmp_path / "out.log").read_text().startswith("None")
