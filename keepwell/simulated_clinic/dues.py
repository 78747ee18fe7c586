"""What had to be said, reckoned from the desk's own record and the promises of the product alone.

Reminders on the days before a session that the protocol names, on its wall time, where that was still ahead when it
was booked or moved; questions at ten in the patient's morning, as `questions` tells; a word to book at ten, seven days
before a session is due that nobody has booked; a page at once when an alert is raised and every quarter of an hour
until somebody has seen it, then every hour until it is closed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from keepwell.simulated_clinic.questions import questions_of
from keepwell.simulated_clinic.record import PROTOCOL, Chart, Placement
from services.scheduler.model.due import CHECK_IN_HOUR
from shared.walltime import at_wall, to_instant

REMINDER_DAYS: Final = PROTOCOL.cadence.reminder_days
BOOKING_DAYS: Final = PROTOCOL.cadence.booking_days
PAGE_EVERY: Final = timedelta(minutes=15)
PAGE_SEEN_EVERY: Final = timedelta(minutes=60)
NOT_PAGED: Final = "task"


class Kind(StrEnum):
    """Why something is said; the values are the interface's own."""

    REMINDER = "reminder"
    CHECKIN = "checkin"
    BOOKING = "booking"
    PAGE = "page"


@dataclass(frozen=True)
class Due:
    """A message that had to go out.

    Attributes:
        patient: index of the patient it is for or about.
        about: session, or alert; empty where the date says enough.
        occurrence: as the interface names it.
        at: when it fell due.
        placement: of a reminder: number of the session's time that it speaks of, counted from 0.
        must: false for a page that fell due in the very instant in which staff saw to its alert: it may go out or not.
    """

    kind: Kind
    patient: int
    about: str
    occurrence: str
    at: datetime
    placement: int = 0
    must: bool = True


@dataclass(frozen=True)
class Alarm:
    """A safety alert as the clinic's list shows it; `seen_at` is when staff acknowledged or closed it."""

    alert: str
    patient: int
    raised_at: datetime
    seen_at: datetime | None
    closed_at: datetime | None = None
    level: str = "high"


def dues_of(chart: Chart, until: datetime) -> list[Due]:
    """Return what had to be said to a patient until an instant."""
    every = [*_reminders(chart), *_questions(chart), *_bookings(chart)]
    left = chart.discharged_at or until
    return [due for due in every if due.at <= until and (due.at < left or left == until)]


def reminder_at(placement: Placement, days: int) -> datetime:
    """Return when the reminder so many days before a session's time is due."""
    return to_instant(placement.starts_at - timedelta(days=days), placement.zone)


def pages_of(alarms: Sequence[Alarm], until: datetime) -> list[Due]:
    """Return the pages that had to go out until an instant, and those that may have."""
    return [
        Due(Kind.PAGE, alarm.patient, alarm.alert, f"page-{number}", at, must=must)
        for alarm in alarms
        if alarm.level != NOT_PAGED
        for number, (at, must) in enumerate(_page_times(alarm, until), start=1)
    ]


def _page_times(alarm: Alarm, until: datetime) -> Iterator[tuple[datetime, bool]]:
    yield alarm.raised_at, True
    yield from _every(PAGE_EVERY, alarm.raised_at, alarm.seen_at, until)
    if alarm.seen_at is not None:
        yield from _every(PAGE_SEEN_EVERY, alarm.seen_at, alarm.closed_at, until)


def _every(
    gap: timedelta, since: datetime, ended_at: datetime | None, until: datetime
) -> Iterator[tuple[datetime, bool]]:
    at = since + gap
    while at <= until and (ended_at is None or at <= ended_at):
        yield at, at != ended_at
        at += gap


def _reminders(chart: Chart) -> Iterator[Due]:
    for visit in chart.visits:
        for number, placement in enumerate(visit.placements):
            for days in REMINDER_DAYS:
                at = reminder_at(placement, days)
                if at > placement.placed_at and placement.holds_at(at):
                    yield Due(Kind.REMINDER, chart.person.index, visit.session, f"{days}d", at, number)


def _questions(chart: Chart) -> Iterator[Due]:
    for asked in questions_of(chart):
        yield Due(Kind.CHECKIN, chart.person.index, asked.session, asked.occurrence, asked.at)


def _bookings(chart: Chart) -> Iterator[Due]:
    """Yield the words to book: at each order the pending one is written anew, or dropped where something is booked."""
    told: set[str] = set()
    ends = datetime.max.replace(tzinfo=chart.enrolled_at.tzinfo)
    turns = [*chart.seen, None]
    for seen, following in pairwise(turns):
        if seen is None or seen.booked:
            continue
        at = at_wall(seen.next_due_on - timedelta(days=BOOKING_DAYS), CHECK_IN_HOUR, chart.person.zone)
        occurrence = seen.next_due_on.isoformat()
        if seen.at < at < (following.at if following else ends) and occurrence not in told:
            told.add(occurrence)
            yield Due(Kind.BOOKING, chart.person.index, "", occurrence, at)
