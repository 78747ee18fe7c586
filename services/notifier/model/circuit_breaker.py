"""How much to ask of a provider that may be away.

A call that nobody answers leaves a text in doubt for minutes: it may not be sent again before the provider's list has
been seen several times. A provider that answers nobody is therefore tried with one message at a time, and the others
keep their place.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from services.notifier.model.call_outcomes import CallOutcome, Later, Unknown

IN_A_ROW: Final = 5
"""Calls without an answer after which the provider counts as away: where one in twenty is lost by chance, five in a
row are so once in three million."""
SHORTEST: Final = timedelta(seconds=0.5)
LONGEST: Final = timedelta(seconds=4)
"""Between two tries. Texts come late by this much at most once the provider is back, so it stays short."""


def answered(outcome: CallOutcome) -> bool:
    """Tell whether the provider was there to say what becomes of the message."""
    match outcome:
        case Unknown():
            return False
        case Later():
            return outcome.reached
        case _:
            return True


@dataclass(frozen=True)
class CircuitBreaker:
    """What the calls to a provider so far let expect of the next.

    Attributes:
        most: messages that may be claimed and not answered for while all is well.
        width: how many may be now: one while the provider is away, and one more for each answer, so that twice as many
            go with every round trip once it is back.
        lost: calls in a row without an answer.
        turn: how often it was given up so far. What was claimed in an earlier turn is not called any more, and a call
            from there that ends says nothing new.
        pause: until the next try where it was given up just now; zero else.
    """

    most: int
    width: int
    lost: int = 0
    turn: int = 0
    pause: timedelta = timedelta()

    @classmethod
    def closed(cls, most: int) -> "CircuitBreaker":
        """Return the breaker of a provider of which nothing bad is known: all goes through."""
        return cls(most, most)

    @property
    def well(self) -> bool:
        """Tell whether as many may be claimed as ever."""
        return self.width == self.most

    @property
    def worth(self) -> int:
        """Return how many must fit in before a claim is worth its statements."""
        return max(1, self.width // 2)

    def after(self, outcome: CallOutcome, *, turn: int) -> "CircuitBreaker":
        """Return the breaker after one more call, which was begun in the given turn."""
        if turn != self.turn:
            return self
        if answered(outcome):
            if self.well and not self.lost:
                return self
            return replace(self, width=min(self.most, self.width + 1), lost=0, pause=timedelta())
        if self.width > 1 and self.lost + 1 < IN_A_ROW:
            return replace(self, lost=self.lost + 1)
        pause = min(LONGEST, max(SHORTEST, self.pause * 2))
        return CircuitBreaker(self.most, 1, turn=self.turn + 1, pause=pause)
