"""Which of two texts from one number came first, as far as that can be known.

The provider hands each text over on a connection of its own, so that two which were sent milliseconds apart are handled
in any order. Within one process they are told apart by the instant at its door; between processes only by more than
what a busy one may let them wait before it looks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

APART: Final = timedelta(seconds=2)
"""How far apart two texts must have come to be told apart by two processes, or by the provider's dates, which are whole
seconds. Engineering default: longer than a busy process keeps a request waiting, shorter than a person types."""


@dataclass(frozen=True)
class Arrival:
    """When a text came.

    Attributes:
        at: by the service's clock, or the provider's list.
        stamp: by the machine's clock, at the door, before anything waited; None where the list told of it.
        door: the process that it came to.
        turn: by the machine's clock, when that process began to act on it.
    """

    at: datetime
    stamp: datetime | None = None
    door: str | None = None
    turn: datetime | None = None


def surely_before(first: Arrival, then: Arrival) -> bool:
    """Tell whether `first` came before `then` beyond doubt."""
    if first.stamp is None or then.stamp is None:
        return then.at - first.at >= APART
    if first.door != then.door:
        return then.stamp - first.stamp >= APART
    # Two that were in the house together may have changed places before they were stamped.
    return first.turn is not None and first.turn < then.stamp


def start_holds(start: Arrival, stops: Iterable[Arrival]) -> bool:
    """Tell whether a START is the last word: every STOP of the number surely came before it."""
    return all(surely_before(stop, start) for stop in stops)


def stop_holds(stop: Arrival, starts: Iterable[Arrival]) -> bool:
    """Tell whether a STOP is, or may be, the last word: no START of the number surely came after it."""
    return not any(surely_before(stop, start) for start in starts)
