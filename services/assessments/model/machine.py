"""One form for every lifecycle: the moves that are allowed, and a named refusal of the others."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

State = TypeVar("State", bound=StrEnum)


class IllegalTransitionError(Exception):
    """A thing was to move from a state to one that cannot follow it.

    Args:
        thing: what it is, for the person who reads the refusal (`check-in`).
        now: the state that it is in.
        to: the state that it was to reach.
    """

    def __init__(self, thing: str, now: str, to: str) -> None:
        self.thing, self.now, self.to = thing, now, to
        super().__init__(f"This {thing} is {now} and cannot become {to}.")


class Lifecycle(Generic[State]):
    """The states of a thing and the moves between them.

    Args:
        thing: what lives this life.
        moves: for each state, the states that may follow; a state that is missing is an end.
    """

    def __init__(self, thing: str, moves: Mapping[State, frozenset[State]]) -> None:
        self._thing = thing
        self._moves = moves

    def allows(self, now: State, to: State) -> bool:
        """Say whether `to` may follow `now`."""
        return to in self._moves.get(now, frozenset())

    def move(self, now: State, to: State) -> State:
        """Return the new state.

        Raises:
            IllegalTransitionError: `to` may not follow `now`.
        """
        if not self.allows(now, to):
            raise IllegalTransitionError(self._thing, now, to)
        return to

    def ended(self, now: State) -> bool:
        """Say whether nothing follows this state any more."""
        return not self._moves.get(now)
