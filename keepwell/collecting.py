"""Python's cyclic collector, set for a process that has started."""

import gc
from typing import Final

YOUNG: Final = 10_000
"""New objects between two looks at the young; 700 by default, which a batch of events passes many times."""


def settle_in() -> None:
    """Leave what the start has made out of every later collection: modules and tables live as long as the process.

    A batch of events makes thousands of objects, and each full collection looked at all that never go: a quarter of the
    notifier's processor time at its full rate (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
