"""What the made-up staff choose. Every choice is a hash of the seed, the patient's index and a count of such choices.

No choice draws from a stream or looks at an id or the order in which things happened, so the same seed makes the same
clinic, however its services interleave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from services.sandbox.model.chance import happens, pick, roll

FIRST_HOUR: Final = 9
LAST_HOUR: Final = 16
SESSION_MINUTES: Final = 60
LEAVES: Final = 0.47
"""Share of patients who stop around the end of induction (a hospital's count: 47.1 %, pubmed 32871698)."""
_SATURDAY: Final = 5


class Ending(StrEnum):
    """How a booked session ends."""

    ATTEND = "attend"
    MISS = "miss"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Care:
    """When a patient comes and goes, in days from the first day of the clinic.

    Attributes:
        enrols_on: day on which the patient is enrolled.
        starts_on: day from which the plan counts.
        leaves_on: day of the discharge, or None.
    """

    enrols_on: int
    starts_on: int
    leaves_on: int | None


@dataclass(frozen=True)
class Shift:
    """One change of a booked session.

    Attributes:
        lead: days before the session, as it then stands, on whose morning staff change it.
        days: by how many days it moves.
        hour: the whole hour at which it then begins.
    """

    lead: int
    days: int
    hour: int


@dataclass(frozen=True)
class Fate:
    """What becomes of a booking.

    Attributes:
        hour: the whole hour, on the clinic's clock, at which it begins.
        shifts: its changes, in order.
        ending: how it ends.
        cancel_lead: for a cancelled one, days before the session on whose morning that happens.
    """

    hour: int
    shifts: tuple[Shift, ...]
    ending: Ending
    cancel_lead: int


@dataclass(frozen=True)
class Decision:
    """What a clinician decides about a proposal.

    Attributes:
        decision: `approve`, `change` or `refuse`.
        interval_days: of a change.
        reason: of a change or a refusal.
        override_reason: of a change by more than one step.
    """

    decision: str
    interval_days: int | None = None
    reason: str | None = None
    override_reason: str | None = None


def care(seed: int, index: int, days: int, *, leaving: float = LEAVES) -> Care:
    """Return when a patient comes and goes; a clinic that lives `days` days takes new ones until its last weeks."""
    who = (seed, "care", index)
    enrols = 0 if happens(0.15, *who, "at once") else int(roll(*who, "enrols") * max(days * 4 // 5 - 5, 1))
    starts = enrols + 1 + int(roll(*who, "starts") * 9)
    leaves = starts + 14 + int(roll(*who, "stays") * 28) if happens(leaving, *who, "leaves") else None
    return Care(enrols_on=enrols, starts_on=starts, leaves_on=leaves)


def fate(seed: int, index: int, booking: int) -> Fate:
    """Return what becomes of a patient's booking number `booking`, counted from 0."""
    what = (seed, "booking", index, booking)
    hour = _hour(*what, "hour")
    shifts: tuple[Shift, ...] = ()
    if happens(0.18, *what, "moves"):
        lead, days = int(roll(*what, "lead") * 5), pick((0, 1, 1, 2, 3, 7), *what, "days")
        shifts = (Shift(lead, days, _hour(*what, "new hour")),)
        if happens(0.2, *what, "moves back"):
            # Back to where it was: the old reminders must not come back with it, nor the new ones be left out.
            shifts += (Shift(int(roll(*what, "second lead") * (lead + days + 1)), -days, hour),)
    ending = pick((Ending.CANCEL, Ending.MISS), *what, "fails") if happens(0.14, *what, "fails?") else Ending.ATTEND
    return Fate(hour, shifts, ending, cancel_lead=int(roll(*what, "cancel lead") * 4))


def books_ahead(seed: int, index: int, booking: int) -> int:
    """Return how many days before a session is due staff book it: mostly at once, else only when it is close."""
    what = (seed, "books", index, booking)
    return 366 if happens(0.7, *what, "at once") else int(roll(*what, "days") * 5)


def slot(due_on: date, today: date, hour: int) -> datetime:
    """Return the wall time to book: the first weekday from the day it is due that is not today or past."""
    return weekday(max(due_on, today + timedelta(days=1)), hour)


def shifted(starts_at: datetime, shift: Shift, today: date) -> datetime | None:
    """Return where a session moves to, or None where that is the same time or no day to come."""
    moved = weekday(starts_at.date() + timedelta(days=shift.days), shift.hour, back=shift.days < 0)
    return None if moved == starts_at or moved.date() <= today else moved


def weekday(day: date, hour: int, *, back: bool = False) -> datetime:
    """Return a wall time on a day, or on the nearest weekday after it (`back`: before it)."""
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=-1 if back else 1)
    return datetime.combine(day, time(hour))


def fits_again(seed: int, index: int, plan_version: int) -> bool:
    """Tell whether staff move a booked session to the date that a decision has given the plan."""
    return happens(0.6, seed, "fits again", index, plan_version)


def decide(seed: int, index: int, proposal: int, *, from_days: int, to_days: int, ladder: Sequence[int]) -> Decision:
    """Return what a clinician decides about a patient's proposal number `proposal`, counted from 0.

    `ladder` holds the intervals that the protocol allows, in days, as the proposal says them.
    """
    what = (seed, "decision", index, proposal)
    drawn = roll(*what)
    if drawn < 0.76:  # noqa: PLR2004 - mostly approved
        return Decision("approve")
    if drawn < 0.88:  # noqa: PLR2004 - as many changed as refused
        near = _near(from_days, ladder)
        far = [days for days in ladder if days not in near]
        if far and happens(0.2, *what, "bold"):
            why = "Seen together today; the risk was explained."
            return Decision("change", pick(far, *what, "far"), "Agreed with the patient on another interval.", why)
        other = pick([days for days in near if days != to_days], *what, "days")
        return Decision("change", other, "Agreed with the patient on another interval.")
    return Decision("refuse", None, "The patient prefers to stay with the present interval.")


def _near(days: int, ladder: Sequence[int]) -> list[int]:
    """Return an interval with its neighbours on the ladder."""
    below = [max((rung for rung in ladder if rung < days), default=days)]
    above = [min((rung for rung in ladder if rung > days), default=days)]
    return sorted({*below, days, *above})


def waits(seed: int, index: int, proposal: int) -> int:
    """Return how many evenings a proposal waits before it is decided."""
    return pick((0, 0, 0, 1, 2), seed, "waits", index, proposal)


def looks_on(index: int, day: date) -> bool:
    """Tell whether a clinician looks at a patient's proposals on this day: each patient's come up twice a week."""
    return (day.toordinal() + index) % 7 in {0, 3}


def _hour(*what: str | int) -> int:
    return FIRST_HOUR + int(roll(*what) * (LAST_HOUR - FIRST_HOUR + 1))
