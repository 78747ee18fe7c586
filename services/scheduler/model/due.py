"""Reminders of a session and the question to book: what falls due, and at which instant; the hour of check-ins too.

Everything counts in days on the wall: a reminder comes at the session's own wall time, a question at ten in the morning
where the patient lives, also in the week in which the clocks change.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from services.scheduler.model.protocols import Cadence
from services.scheduler.model.sessions import Slot
from shared.walltime import at_wall, to_instant

CHECK_IN_HOUR: Final = time(10, 0)
"""The patient's wall time at which a check-in is asked, or to book: awake, with the day before them."""


@dataclass(frozen=True)
class Reminder:
    """A reminder of a session, so many whole days before it."""

    days: int
    at: datetime

    @property
    def occurrence(self) -> str:
        """Return what names it among the reminders of its session, for good."""
        return f"{self.days}d"


def reminders(slot: Slot, cadence: Cadence, now: datetime) -> list[Reminder]:
    """Return the reminders of a session that are still ahead when it is booked, moved or confirmed.

    An offset that has passed is left out for good: whoever books for tomorrow gets no "in three days".
    """
    days = sorted(cadence.reminder_days, reverse=True)
    planned = (Reminder(n, to_instant(slot.starts_at - timedelta(days=n), slot.zone)) for n in days)
    return [reminder for reminder in planned if reminder.at > now]


def booking_due(next_due_on: date, zone: str, cadence: Cadence, now: datetime, *, booked: bool) -> datetime | None:
    """Return when to ask the patient to book, or None: something is booked, or that instant has passed."""
    at = booking_at(next_due_on, zone, cadence)
    return None if booked or at <= now else at


def booking_at(next_due_on: date, zone: str, cadence: Cadence) -> datetime:
    """Return the instant at which a patient with nothing booked is asked to book."""
    return at_wall(next_due_on - timedelta(days=cadence.booking_days), CHECK_IN_HOUR, zone)
