"""How well the stand-in network behaves: three profiles, each a table of chances."""

from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    """How well the network behaves."""

    CALM = "calm"
    LIVELY = "lively"
    ROUGH = "rough"


class Fault(StrEnum):
    """What can happen to one call of the message interface."""

    TOO_MANY = "too-many"
    ERROR_BEFORE = "error-before-write"
    ERROR_AFTER = "error-after-write"
    RESET_BEFORE = "reset-before-write"
    RESET_AFTER = "reset-after-write"
    TIMEOUT_AFTER = "timeout-after-write"
    SLOW = "slow-answer"


class Mark(StrEnum):
    """What can happen to one text and its status callbacks."""

    UNREACHABLE = "unreachable"
    FAILED = "failed"
    REVERSED = "callbacks-reversed"
    TWICE = "callbacks-twice"
    LATE = "callbacks-late"
    VERY_LATE = "callbacks-very-late"
    LOST = "callbacks-lost"
    FORGED = "callbacks-forged"
    EVERY_STATE = "callbacks-for-every-state"


BEFORE_WRITE = frozenset({Fault.TOO_MANY, Fault.ERROR_BEFORE, Fault.RESET_BEFORE})
"""Faults after which the network has provably nothing."""


@dataclass(frozen=True, kw_only=True)
class Chances:
    """The chances of one profile.

    Attributes:
        sent_after: seconds from acceptance to `sent`, one of them.
        delivered_after: seconds from `sent` to the last state, one of them.
        callback_lag: seconds from a state to its callback, one of them.
        list_lag: seconds until a text shows in the message list, one of them.
        marks: chance of each mark, per text (`unreachable`: per number).
        faults: chance of each fault, per call.
        mail_deferred: chance that a mail is refused for now (451), per attempt.

    Spans come from short lists on purpose: in stepped time each distinct instant is a step.
    """

    sent_after: tuple[int, ...]
    delivered_after: tuple[int, ...]
    callback_lag: tuple[int, ...]
    list_lag: tuple[int, ...]
    marks: tuple[tuple[Mark, float], ...]
    faults: tuple[tuple[Fault, float], ...]
    mail_deferred: float


CHANCES = {
    Profile.CALM: Chances(
        sent_after=(0,),
        delivered_after=(0,),
        callback_lag=(0,),
        list_lag=(0,),
        marks=(),
        faults=(),
        mail_deferred=0.0,
    ),
    Profile.LIVELY: Chances(
        sent_after=(1,),
        delivered_after=(1, 4, 29),
        callback_lag=(0, 0, 0, 30),
        list_lag=(0,),
        marks=((Mark.REVERSED, 0.25), (Mark.TWICE, 0.25), (Mark.LATE, 0.15), (Mark.EVERY_STATE, 0.15)),
        faults=(),
        mail_deferred=0.0,
    ),
    Profile.ROUGH: Chances(
        sent_after=(1, 2),
        delivered_after=(1, 4, 28, 298),
        callback_lag=(0, 0, 0, 30),
        list_lag=(0, 0, 5, 30),
        marks=(
            (Mark.UNREACHABLE, 0.03),
            (Mark.FAILED, 0.01),
            (Mark.REVERSED, 0.25),
            (Mark.TWICE, 0.25),
            (Mark.LATE, 0.10),
            (Mark.VERY_LATE, 0.05),
            (Mark.LOST, 0.06),
            (Mark.FORGED, 0.06),
            (Mark.EVERY_STATE, 0.15),
        ),
        faults=(
            (Fault.TOO_MANY, 0.05),
            (Fault.ERROR_BEFORE, 0.03),
            (Fault.ERROR_AFTER, 0.03),
            (Fault.RESET_BEFORE, 0.02),
            (Fault.RESET_AFTER, 0.02),
            (Fault.TIMEOUT_AFTER, 0.01),
            (Fault.SLOW, 0.04),
        ),
        mail_deferred=0.05,
    ),
}
"""The table of each profile."""
