"""What may be asked of a calendar, and why it is refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.scheduler.model.plans import Plan
from services.scheduler.model.sessions import Session, Slot
from shared.walltime import to_wall

FARTHEST: Final = timedelta(days=731)
"""How far ahead a session may be booked."""
AFTERWARDS: Final = timedelta(days=30)
"""How far back a session may be entered. Older ones belong to the record of before Keepwell: a plan's dates and the
questions after a session have nothing left to follow from. Engineering default."""
USUAL_HOURS: Final = range(6, 22)
"""Hours, on the wall, at which a session begins without anybody being asked twice. Engineering default."""


@dataclass(frozen=True)
class Meant:
    """What staff say aloud about a time that looks like a slip.

    Attributes:
        afterwards: the session took place already.
        odd_hour: it is at night on purpose.
    """

    afterwards: bool = False
    odd_hour: bool = False


AS_USUAL: Final = Meant()


class RefusedError(Exception):
    """What was asked is not possible as things stand."""


class NotInCareError(RefusedError):
    """The patient was discharged: nothing can be planned or booked."""

    def __init__(self) -> None:
        super().__init__("The patient was discharged. Put them back in care or enrol them again, then plan or book.")


class PlanActiveError(RefusedError):
    """The patient already follows a plan."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"The patient already follows {plan.protocol.id!r}, begun on {plan.start_on:%Y-%m-%d}.")


class NothingToContinueError(RefusedError):
    """The patient never followed a plan."""

    def __init__(self) -> None:
        super().__init__("The patient has no plan that could go on. Start one.")


class OverlapError(RefusedError):
    """The patient has another session at that time."""

    def __init__(self, other: Session) -> None:
        super().__init__(
            f"The patient already has a session on {other.slot.starts_at:%Y-%m-%d at %H:%M} ({other.slot.zone}) "
            f"for {other.slot.minutes} minutes. Move or cancel that one, or choose another time."
        )


class InPastError(RefusedError):
    """A session cannot be booked into the distant past, nor moved into the past."""

    def __init__(self, slot: Slot, now: datetime) -> None:
        today = to_wall(now, slot.zone)
        super().__init__(
            f"{slot.starts_at:%Y-%m-%d at %H:%M} ({slot.zone}) has passed: it is {today:%Y-%m-%d, %H:%M} there. Give a "
            f"time to come, or one of the last {AFTERWARDS.days} days for a session that took place."
        )


class NotAfterwardsError(RefusedError):
    """A session that has begun is entered afterwards only where that is said."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(
            f"{slot.starts_at:%Y-%m-%d at %H:%M} ({slot.zone}) has passed. If the session took place then, say that it "
            "is entered afterwards: nobody is reminded of it."
        )


class OddHourError(RefusedError):
    """A session at night is a slip of the pen, unless it is said to be meant."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(
            f"{slot.starts_at:%H:%M} is an unusual hour for a session. Give another, or say that this one is meant."
        )


class TooFarError(RefusedError):
    """A session years ahead is a slip of the pen."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(f"{slot.starts_at:%Y-%m-%dT%H:%M} is more than two years from now. Check the year.")


def refuse(slot: Slot, others: Iterable[Session], now: datetime, meant: Meant = AS_USUAL) -> None:
    """Refuse a slot that cannot be given.

    Raises:
        InPastError: the time has passed, longer ago than a session is entered afterwards.
        NotAfterwardsError: the time has passed, and nobody said that the session took place.
        OddHourError: it is at night, and nobody said that this is meant.
        TooFarError: the time is years ahead.
        OverlapError: one of the others is then.
    """
    if slot.starts_at_utc < now - AFTERWARDS:
        raise InPastError(slot, now)
    if slot.starts_at_utc <= now and not meant.afterwards:
        raise NotAfterwardsError(slot)
    if slot.starts_at.hour not in USUAL_HOURS and not meant.odd_hour:
        raise OddHourError(slot)
    if slot.starts_at_utc - now > FARTHEST:
        raise TooFarError(slot)
    for other in others:
        if slot.overlaps(other.slot):
            raise OverlapError(other)
