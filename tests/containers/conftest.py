"""The stack that most of these tests share: two schedulers and three notifiers, as an operator scales them."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator

import pytest

from tests.containers.engine import IMAGES, ROOT, docker
from tests.containers.stack import Stack, stacked

START = 900
"""Real seconds that a test may take with the stack that it is the first to ask for."""

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test time for what it may be the first to start; a tighter bound of its own holds.

    Where several processes share the tests, one runs all that need the shared stack.
    """
    for item in items:
        if "tests/containers" not in item.path.as_posix():
            continue
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(START))
        shared = "stack" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("stack" if shared else item.path.name))


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
