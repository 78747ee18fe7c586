"""Chance that can be repeated: every draw is a hash of the seed and of what it is about.

No generator holds a state, so a draw does not depend on how many were made before it: the same seed gives the same
outcome whatever the order in which things happen.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import exp
from statistics import NormalDist
from typing import Final, TypeVar

Thing = TypeVar("Thing")
Part = str | int

_STANDARD: Final = NormalDist()
_EDGE: Final = 1e-9


def digest(*parts: Part, size: int = 16) -> str:
    """Return `2 * size` hex digits that stand for these parts."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=size).hexdigest()


def roll(*parts: Part) -> float:
    """Draw from the uniform distribution over [0, 1)."""
    return int(digest(*parts, size=6), 16) / 2**48


def happens(chance: float, *parts: Part) -> bool:
    """Draw whether something of this chance, 0 to 1, happens."""
    return roll(*parts) < chance


def pick(options: Sequence[Thing], *parts: Part) -> Thing:
    """Draw one of the options, each as likely as the others."""
    return options[int(roll(*parts) * len(options))]


def normal(*parts: Part) -> float:
    """Draw from the standard normal distribution, cut at six standard deviations."""
    return _STANDARD.inv_cdf(min(max(roll(*parts), _EDGE), 1 - _EDGE))


def lognormal(median: float, sd_log: float, *parts: Part) -> float:
    """Draw from a lognormal distribution given by its median and the standard deviation of its logarithm."""
    return median * exp(sd_log * normal(*parts))


def beta(successes: int, failures: int, *parts: Part) -> float:
    """Draw from Beta(successes, failures): an order statistic of uniform draws has exactly that distribution."""
    draws = sorted(roll(*parts, number) for number in range(successes + failures - 1))
    return draws[successes - 1]
