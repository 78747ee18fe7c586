"""The stack that most of these tests share: two schedulers and three notifiers, as an operator scales them."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.containers.engine import IMAGES, ROOT, docker
from tests.containers.stack import Stack, stacked

START = 900
"""Real seconds that a test may take with the stack that it is the first to ask for."""

SHARING = ("test_life.py", "test_prometheus.py", "test_proxy.py", "test_torment.py")
"""Whose tests ask for the shared stack; another that does so brings up one of its own."""

SCALE = {"notifier": 3, "scheduler": 2}
FOR_TESTS = {
    "KEEPWELL_SANDBOX_PROFILE": "calm",
    "KEEPWELL_SANDBOX_PATIENTS": "false",
    "KEEPWELL_SANDBOX_VISITORS": "3",
    # What is tormented is looked up soon, and nobody gets too many texts.
    "KEEPWELL_TEXTS_PER_DAY": "1000",
    "KEEPWELL_PROVIDER_TIMEOUT": "4",
    "KEEPWELL_SETTLE_AFTER": "6",
    "KEEPWELL_STOP_SECONDS": "8",
    # The way to the sandbox's mailbox is our own.
    "KEEPWELL_SMTP_TLS": "none",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test time for what it may be the first to start; a tighter bound of its own holds."""
    for item in items:
        if "tests/containers" in item.path.as_posix() and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(START))


class ByStack(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Has one process run all files that share the stack, so that it is brought up once; the others go by file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "stack" if Path(file).name in SHARING else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Share the tests among processes."""
    return ByStack(config, log)


@pytest.fixture(scope="session")
async def image() -> str:
    """The image of this tree, built unless one was named; by one process, whose layers the others find."""
    if "KEEPWELL_IMAGE" not in os.environ:
        argument = f"PYTHON_IMAGE={IMAGES.python}"
        with (ROOT / ".pytest_cache" / "image.lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            await docker("build", "--quiet", "--build-arg", argument, "--tag", IMAGES.keepwell, ".", within=START)
    return IMAGES.keepwell


@pytest.fixture(scope="session")
async def stack(image: str) -> AsyncIterator[Stack]:
    """One stack a run."""
    async with stacked(scale=SCALE, more=FOR_TESTS) as running:
        print(f"healthy after {running.seconds:.0f} s")
        yield running
