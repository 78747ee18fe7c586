"""What the script itself knows of a round: what it asked for, when, and when it was answered.

The verdict is reckoned from this and from the provider's ledger. Instants are of the machine's clock, which the
provider shares.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Occurrence = Literal["1d", "3d"]


@dataclass
class Order:
    """An order to Keepwell: when it was first given, and when the caller had its answer."""

    asked: datetime
    answered: datetime | None = None


@dataclass
class Placement:
    """A time that a session had, from one order to another.

    Attributes:
        starts_at: wall time.
        due: the instant of the reminder that falls into the round; None where none does.
        placed: the booking, or the move to this time.
        ended: the cancellation, or the move away; None where this time stands.
    """

    starts_at: datetime
    due: datetime | None
    placed: Order
    ended: Order | None = None


@dataclass
class SessionRecord:
    """A session with every time it had."""

    number: str
    patient: str
    language: str
    id: str = ""
    placements: list[Placement] = field(default_factory=list)
    cancelled: bool = False


@dataclass
class StopRecord:
    """A time in which a number wanted no texts.

    Attributes:
        stop: sent from the handset; answered once Keepwell had answered the provider's webhook.
        start: the START that ended it, if one did.
        clean: whether the provider handed both over at the first try, so that no older copy can follow.
    """

    number: str
    stop: Order
    start: Order | None = None
    clean: bool = True


@dataclass(frozen=True)
class Fault:
    """What the tormentor did.

    Attributes:
        kind: such as `kill` or `broker-stall`.
        target: which process.
        began: when it was done.
        healed: when the target could work again.
    """

    kind: str
    target: str
    began: datetime
    healed: datetime


@dataclass
class Record:
    """All that the script knows; `stocked` sessions were there before the first wave."""

    sessions: list[SessionRecord] = field(default_factory=list)
    stops: list[StopRecord] = field(default_factory=list)
    patients: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    stocked: int = 0
    orders: int = 0
    repeats: int = 0
    unanswered: list[str] = field(default_factory=list)
