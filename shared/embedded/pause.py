"""The one place of this package that waits by the clock on the wall."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

TICK: Final = 0.02
"""Seconds between two looks at a process or a port: neither can wake us."""


async def pause(seconds: float) -> None:
    """Wait for real seconds: servers live in real time, whatever the product's clock says."""
    await asyncio.sleep(seconds)  # noqa: TID251 - a child process and a port can only be looked at again


async def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Look at a condition until it holds; return whether it held within so many seconds."""
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() >= deadline:
            return False
        await pause(TICK)
    return True
