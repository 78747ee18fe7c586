"""What another service made just now, and of which word has not come yet: a call waits for it a moment."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from shared.database import Database, Reader

KNOWN_WITHIN: Final = 2.0
"""Real seconds that a call waits. Longer than events take on a busy machine, shorter than a caller's own patience."""
_LOOK_AGAIN: Final = 0.05

T = TypeVar("T")


async def awaited(database: Database, look: Callable[[Reader], Awaitable[T | None]]) -> T | None:
    """Return what is looked for; None where it has not come within `KNOWN_WITHIN`."""
    looks = round(KNOWN_WITHIN / _LOOK_AGAIN)
    for left in reversed(range(looks + 1)):
        async with database.reading() as reader:
            found = await look(reader)
        if found is not None:
            return found
        if left:
            await database.clock.pause(_LOOK_AGAIN)
    return None
