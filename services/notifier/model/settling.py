"""How an unknown outcome is settled: by looking, more than once, and never by guessing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notifier.model.call_outcomes import Blind, Found, Nothing, Sight

SELDOM: Final = 8
"""Units of the pause between looks at a list that cannot show what was sent."""


@dataclass(frozen=True)
class Patience:
    """How long to wait before believing that the provider has nothing.

    Attributes:
        margin: from the attempt's loss to the first look, and the unit of the pauses between looks; longer than a
            request can still be on its way.
        looks: how many looks in a row must find nothing; the list at the provider may lag.
    """

    margin: timedelta = timedelta(seconds=60)
    looks: int = 3


@dataclass(frozen=True)
class Settled:
    """The provider has the message."""

    found: Found


@dataclass(frozen=True)
class Free:
    """The provider provably has nothing: the message may be sent again."""


@dataclass(frozen=True)
class LookAgain:
    """Not settled yet; `asks` says why a person is asked meanwhile."""

    at: datetime
    empty_looks: int
    asks: str | None = None


def settle(sight: Sight, *, empty_looks: int, now: datetime, patience: Patience) -> Settled | Free | LookAgain:
    """Return what one look says about an unknown attempt.

    Args:
        sight: what the look found.
        empty_looks: how many looks have found nothing so far.
        now: the instant of the look.
        patience: the rule.
    """
    match sight:
        case Found():
            return Settled(sight)
        case Blind(for_good=True):
            # The status report may still come, and the account's owner may have it show more one day.
            return LookAgain(now + patience.margin * SELDOM, empty_looks, asks=sight.reason)
        case Blind():
            return LookAgain(now + patience.margin, empty_looks)
        case Nothing():
            empty = empty_looks + 1
            return Free() if empty >= patience.looks else LookAgain(now + patience.margin * (2**empty), empty)
