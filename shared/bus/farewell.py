"""How long Kafka's clients may take to say goodbye: one that has died inside, or whose broker hangs, never ends."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from shared.telemetry.log import get_logger

log = get_logger(__name__)

FAREWELL: Final = 3.0
"""Real seconds that clients which only ask Kafka something get to say goodbye."""


async def at_most(seconds: float, stopping: Awaitable[object], what: str) -> None:
    """Wait for the end of something, and leave it behind where that takes longer.

    Args:
        seconds: real seconds.
        stopping: ends it.
        what: it is, in the log.
    """
    try:
        async with asyncio.timeout(seconds):
            await stopping
    except TimeoutError:
        log.warning("stop.cut", what=what, seconds=seconds)


async def let_go(what: str, *goodbyes: Awaitable[object]) -> None:
    """Wait for clients that only ask Kafka something, side by side: one that hangs keeps no other from its end."""
    await asyncio.gather(*(at_most(FAREWELL, each, what) for each in goodbyes))
