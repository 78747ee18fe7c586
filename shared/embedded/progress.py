"""How a long first start tells what it is doing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a start.

    Attributes:
        doing: a short sentence for a person.
        done: how many of `of` are done; both 0 where there is nothing to count.
        of: how many there are.
    """

    doing: str
    done: int = 0
    of: int = 0


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report to nobody."""


def from_thread(report: Report) -> Report:
    """Return a report that may be called from a worker thread; `report` itself runs in the present event loop."""
    loop = asyncio.get_running_loop()

    def relay(progress: Progress) -> None:
        loop.call_soon_threadsafe(report, progress)

    return relay
