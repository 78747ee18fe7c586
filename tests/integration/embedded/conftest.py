"""Data directories for a server of our own, and a process that holds one until it is killed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[3]
HOLD = Path(__file__).with_name("hold_postgres.py")


@dataclass(frozen=True)
class Holder:
    """Another process that runs a PostgreSQL, its server's pid and its address."""

    process: subprocess.Popen[str]
    server: int
    url: str


@pytest.fixture
def data() -> Iterator[Path]:
    """Not pytest's own folder: as root, PostgreSQL runs under an account that must pass through the folders above."""
    with TemporaryDirectory(prefix="kw-embedded-", dir="/tmp") as place:
        yield Path(place) / "postgres"


@pytest.fixture
def hold() -> Iterator[Callable[[Path], Holder]]:
    with ExitStack() as stack:

        def start(folder: Path) -> Holder:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(HOLD), str(folder)],
                    cwd=ROOT,
                    env={"PYTHONPATH": str(ROOT)},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            answer = json.loads(process.stdout.readline())
            return Holder(process, answer["server"], answer["url"])

        yield start
