"""What became of one call to a provider."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

OPTED_OUT: Final = "21610"
"""The recipient told the provider to stop. Permanent: recorded as an opt-out, never tried again."""


@dataclass(frozen=True)
class Accepted:
    """The provider has the message and answers for it."""

    sid: str
    status: str


@dataclass(frozen=True)
class Refused:
    """The provider will never take this message; trying again would change nothing."""

    code: str


@dataclass(frozen=True)
class Later:
    """The provider provably did not take the message, and may do so later.

    Attributes:
        after: when to ask again; None where nobody was asked, so that the message keeps its place.
        reached: whether the provider itself said so. If not, no call got as far.
    """

    after: timedelta | None
    reason: str
    reached: bool = True


@dataclass(frozen=True)
class Unknown:
    """Nobody here can say whether the provider took the message: it may not be sent again until that is settled."""

    reason: str


CallOutcome = Accepted | Refused | Later | Unknown


@dataclass(frozen=True)
class Found:
    """A look-up found the message at the provider."""

    sid: str
    status: str
    error: str | None


@dataclass(frozen=True)
class Nothing:
    """A look-up saw the provider's whole list, and the message was not in it."""


@dataclass(frozen=True)
class Blind:
    """A look-up could not see: it says nothing about the message.

    Attributes:
        for_good: whether looking again will show no more, so that a person has to say.
    """

    reason: str
    for_good: bool = False


CANNOT_SHOW: Final = Blind("the provider's list does not show what was sent", for_good=True)
"""An account that keeps words or numbers to itself: a list without the text is no sign that it did not go out."""

Sight = Found | Nothing | Blind
