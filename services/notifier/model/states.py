"""The life of a message: one state machine, which only moves forward."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a message stands."""

    PLANNED = "planned"
    HELD = "held"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    WITHHELD = "withheld"
    EXPIRED = "expired"


FINAL: Final = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED, State.WITHHELD, State.EXPIRED})
"""States that nothing leaves."""

ON_ITS_WAY: Final = frozenset({State.SENDING, State.UNKNOWN, State.ACCEPTED, State.SENT, State.DELIVERED})
"""States in which the recipient has the message, or may have it."""

_REPORTS: Final = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED})

NEXT: Final[dict[State, frozenset[State]]] = {
    # The provider's report on a message that is planned again: the look-ups were wrong, and it is not sent again.
    State.PLANNED: _REPORTS | {State.SENDING, State.HELD, State.WITHHELD, State.EXPIRED},
    # After a restore: until the provider, or a person, has said whether it went out before.
    State.HELD: _REPORTS | {State.PLANNED, State.WITHHELD},
    # Back to planned only where the provider provably has nothing: it refused to take it, or a look-up found nothing.
    State.SENDING: _REPORTS | {State.UNKNOWN, State.PLANNED},
    State.UNKNOWN: _REPORTS | {State.PLANNED},
    State.ACCEPTED: frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED}),
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED}),
    State.DELIVERED: frozenset(),
    State.UNDELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.WITHHELD: frozenset(),
    State.EXPIRED: frozenset(),
}


class IllegalTransitionError(Exception):
    """A message cannot go from this state to that one."""

    def __init__(self, before: State, after: State) -> None:
        super().__init__(
            f"A message that is {before} cannot become {after}; from there it may become "
            f"{', '.join(sorted(NEXT[before])) or 'nothing else'}."
        )


def move(before: State, after: State) -> State:
    """Return `after` where that is a step forward, or no step at all.

    Raises:
        IllegalTransitionError: the machine has no such step.
    """
    if after != before and after not in NEXT[before]:
        raise IllegalTransitionError(before, after)
    return after


PROVIDER_STATUS: Final[dict[str, State]] = {
    "queued": State.ACCEPTED,
    "accepted": State.ACCEPTED,
    "scheduled": State.ACCEPTED,
    "sending": State.ACCEPTED,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.UNDELIVERED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
"""What the provider's words mean here. A word that is not among them is kept on record and moves nothing."""


@dataclass(frozen=True)
class Standing:
    """A message's state with the error that belongs to it, so that no success ever stands beside an error code."""

    state: State
    error: str | None = None


def report(standing: Standing, status: str, error: str | None) -> Standing:
    """Return where a message stands after the provider's report.

    Reports come in any order, late and twice. One that is no step forward changes nothing: neither the state nor the
    error that a failure left.

    Args:
        standing: where the message stands.
        status: the provider's word for its state.
        error: the provider's error code, if it gave one.
    """
    after = PROVIDER_STATUS.get(status)
    if after is None or after not in NEXT[standing.state]:
        return standing
    failed = after in {State.UNDELIVERED, State.FAILED}
    return Standing(after, (error or status) if failed else None)
