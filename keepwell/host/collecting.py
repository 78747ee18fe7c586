"""Python's cyclic collector, set for a process that starts, and for one that has started."""

import gc
from typing import Final

LOADING: Final = 400_000
"""New objects between two looks while modules load, more than the start of any service makes. What loads stays: a start
passed the usual 700 hundreds of times, and the looks took a sixth of its processor time; two at 100,000 still took a
thirteenth."""
YOUNG: Final = 10_000
"""New objects between two looks at the young; 700 by default, which a batch of events passes many times."""


def while_loading() -> None:
    """Look seldom from now on; it is bounded all the same, for a start may have to wait for a migration for hours."""
    gc.set_threshold(LOADING, 10, 10)


def settle_in() -> None:
    """Leave what the start has made out of every later collection: modules and tables live as long as the process.

    Nothing is collected before: a notifier's start leaves 281 objects behind, and a look at all that it has made takes
    0.13 s just when its first records come in.

    A batch of events makes thousands of objects, and each full collection looked at all that never go: a quarter of the
    notifier's processor time at its full rate (docs/performance.md).
    """
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
