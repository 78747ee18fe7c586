"""What falls due around a session and a plan, and at which instant.

Everything counts in days on the wall: a reminder comes at the session's own wall time, a question at ten in the morning
where the patient lives, also in the week in which the clocks change.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from services.scheduler.model.protocols import Cadence
from services.scheduler.model.sessions import Slot
from shared.walltime import at_wall, to_instant

ASK_AT: Final = time(10, 0)
"""The patient's wall time at which a check-in or a booking is asked for: awake, with the day before them."""

POST_SESSION: Final = "post-session"
WEEKLY: Final = "phq-9"


@dataclass(frozen=True)
class Reminder:
    """A reminder of a session."""

    occurrence: str
    at: datetime


@dataclass(frozen=True)
class CheckIn:
    """A question to the patient: the day that it asks about, and with which instruments."""

    occurrence: str
    asked_for: date
    instruments: tuple[str, ...]
    at: datetime


def reminders(slot: Slot, cadence: Cadence, now: datetime) -> list[Reminder]:
    """Return the reminders of a session that are still ahead when it is booked, moved or confirmed.

    An offset that has passed is left out for good: whoever books for tomorrow gets no "in three days".
    """
    days = sorted(cadence.reminder_days, reverse=True)
    planned = (Reminder(f"{n}d", to_instant(slot.starts_at - timedelta(days=n), slot.zone)) for n in days)
    return [reminder for reminder in planned if reminder.at > now]


def check_ins(attended_on: date, zone: str, cadence: Cadence) -> list[CheckIn]:
    """Return every check-in after an attended session, in order, until the next one is attended.

    All are written ahead: each is replaced with its cause in one transaction, and none hangs on the one before it,
    which in a chain of timers would end the questions at the first dead letter.
    """
    weekly = range(cadence.first_weekly_day, cadence.last_weekly_day + 1, 7)
    asked = [(n, POST_SESSION) for n in cadence.post_session_days] + [(n, WEEKLY) for n in weekly]
    return [_check_in(attended_on, n, instrument, zone) for n, instrument in sorted(asked)]


def _check_in(attended_on: date, days: int, instrument: str, zone: str) -> CheckIn:
    day = attended_on + timedelta(days=days)
    return CheckIn(f"day-{days}", day, (instrument,), at_wall(day, ASK_AT, zone))


def still_ahead(asked: list[CheckIn], now: datetime) -> list[CheckIn]:
    """Return the check-ins that lie ahead: a session recorded days later does not ask for days that are over."""
    return [check_in for check_in in asked if check_in.at > now]


def retimed(asked: list[CheckIn], pending: Collection[str], now: datetime) -> list[CheckIn]:
    """Return the check-ins that a change of the patient's zone moves, from those of the new zone.

    Only those whose timers are `pending` move: asked is asked, and never twice. One that the new zone puts into the
    past was not asked yet, and is asked now.
    """
    return [replace(check_in, at=max(check_in.at, now)) for check_in in asked if check_in.occurrence in pending]


def booking_due(next_due_on: date, zone: str, cadence: Cadence, now: datetime, *, booked: bool) -> datetime | None:
    """Return when to ask the patient to book, or None: something is booked, or that instant has passed."""
    at = booking_at(next_due_on, zone, cadence)
    return None if booked or at <= now else at


def booking_at(next_due_on: date, zone: str, cadence: Cadence) -> datetime:
    """Return the instant at which a patient with nothing booked is asked to book."""
    return at_wall(next_due_on - timedelta(days=cadence.booking_days), ASK_AT, zone)
