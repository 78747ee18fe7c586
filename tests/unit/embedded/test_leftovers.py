import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from signal import Signals

import pytest

from shared.embedded.identity import identify
from shared.embedded.leftovers import RECORD, StopStep, record, recorded, stop_leftovers

STUBBORN = (
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); sys.stdin.read()"
)
MARKER = "-Dtest.folder=/none"
STEPS = (StopStep(Signals.SIGTERM, 0.1), StopStep(Signals.SIGKILL, 5))


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", STUBBORN, f"{MARKER}{tmp_path}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


async def test_a_recorded_process_is_stopped_by_force_if_it_must_be(
    tmp_path: Path, child: subprocess.Popen[bytes]
) -> None:
    record(tmp_path, child.pid)
    assert await stop_leftovers(tmp_path, marker="-Dnobody", steps=STEPS) == 1
    assert child.wait() == -Signals.SIGKILL
    assert recorded(tmp_path) is None


async def test_a_frozen_one_is_stopped_too(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    record(tmp_path, child.pid)
    child.send_signal(Signals.SIGSTOP)
    assert await stop_leftovers(tmp_path, marker="-Dnobody", steps=STEPS) == 1


async def test_one_that_was_not_recorded_in_time_is_found_by_its_argument(
    tmp_path: Path, child: subprocess.Popen[bytes]
) -> None:
    assert await stop_leftovers(tmp_path, marker=f"{MARKER}{tmp_path}", steps=STEPS) == 1
    assert child.wait() == -Signals.SIGKILL


async def test_a_foreign_process_under_a_recycled_pid_is_left_alone(
    tmp_path: Path, child: subprocess.Popen[bytes]
) -> None:
    who = identify(child.pid)
    assert who is not None
    (tmp_path / RECORD).write_text(json.dumps({**asdict(who), "born": "long ago"}))
    assert await stop_leftovers(tmp_path, marker="-Dnobody", steps=STEPS) == 0
    assert child.poll() is None
