"""What the desk itself wrote down: whom it enrolled, and when each session was booked, moved, cancelled or held.

This is the other side of the account: the verdict holds the sandbox's ledger against it, and nothing in it was read
from the services that are judged, except a plan's dates, which are theirs to set. The protocol's figures come from its
catalogue; what follows from them is walked through here anew.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from keepwell.simulated_clinic.choices import Care, Fate
from keepwell.simulated_clinic.people import Person
from services.scheduler.model.catalogue import IV_KETAMINE_2, newest
from shared.walltime import to_instant

WEEK: Final = 7
PROTOCOL: Final = newest(IV_KETAMINE_2.id)
"""The only protocol that the desk uses."""
INDUCTION: Final = PROTOCOL.series_sessions


@dataclass
class Placement:
    """A time that a session had, from when it was given until it was taken back or the session was over.

    Attributes:
        starts_at: wall time at the clinic.
        placed_at: instant of the booking or move.
        ended_at: instant of the next move, or of the session's end; None while it holds.
    """

    starts_at: datetime
    zone: str
    placed_at: datetime
    ended_at: datetime | None = None

    @property
    def starts_at_utc(self) -> datetime:
        return to_instant(self.starts_at, self.zone)

    def holds_at(self, instant: datetime) -> bool:
        """Tell whether this was the session's time at an instant."""
        return self.placed_at <= instant and (self.ended_at is None or instant < self.ended_at)


@dataclass
class Visit:
    """A session as the desk knows it.

    Attributes:
        booking: which booking of the patient it is, counted from 0.
        attended_on: the day on which it took place.
        attended_at: the instant at which that was recorded.
    """

    session: str
    booking: int
    fate: Fate
    placements: list[Placement]
    shifts_done: int = 0
    attended_on: date | None = None
    attended_at: datetime | None = None

    @property
    def present(self) -> Placement:
        """Return the time that it has, or last had."""
        return self.placements[-1]

    @property
    def open(self) -> bool:
        """Tell whether it is still to come or waits for its outcome."""
        return self.present.ended_at is None

    def move(self, starts_at: datetime, now: datetime) -> None:
        zone = self.present.zone
        self.end(now)
        self.placements.append(Placement(starts_at, zone, now))

    def end(self, now: datetime) -> None:
        """Note that its present time holds no more."""
        self.present.ended_at = now


@dataclass(frozen=True)
class PlanSeen:
    """A plan as it stood after an order of the desk.

    Attributes:
        at: instant of the order.
        booked: whether a session was ahead then.
        next_on: the day of the session ahead, or else the one on which the next is due.
    """

    at: datetime
    version: int
    next_due_on: date
    booked: bool
    next_on: date


@dataclass
class Chart:
    """One patient, as the desk knows them."""

    person: Person
    care: Care
    patient: str
    enrolled_at: datetime
    discharged_at: datetime | None = None
    plan: str | None = None
    visits: list[Visit] = field(default_factory=list)
    seen: list[PlanSeen] = field(default_factory=list)
    decided_version: int | None = None

    @property
    def open_visit(self) -> Visit | None:
        """Return the session that is to come or waits for its outcome."""
        return next((visit for visit in reversed(self.visits) if visit.open), None)

    @property
    def bookings(self) -> int:
        """Return how many sessions were ever booked."""
        return len(self.visits)

    def induced(self, until: date) -> bool:
        """Tell whether the induction was complete a week before a day, and the patient still here: all was asked."""
        held = [visit.attended_on for visit in self.visits if visit.attended_on is not None]
        end = until if self.discharged_at is None else min(until, self.discharged_at.date())
        return len(held) >= INDUCTION and (end - held[INDUCTION - 1]).days > WEEK

    def was_asked_weekly(self, today: date) -> bool:
        """Tell whether a weekly questionnaire, from which proposals follow, was ever due."""
        held = [visit.attended_on for visit in self.visits if visit.attended_on is not None]
        return bool(held) and (today - held[0]).days >= WEEK

    def saw_plan(self, now: datetime, *, version: int, next_due_on: date) -> None:
        """Note how the plan stands after an order."""
        ahead = [
            visit.present.starts_at.date() for visit in self.visits if visit.open and visit.present.starts_at_utc >= now
        ]
        self.seen.append(PlanSeen(now, version, next_due_on, bool(ahead), min(ahead, default=next_due_on)))

    def discharge(self, now: datetime) -> None:
        """Note that the patient left: what was booked is void."""
        self.discharged_at = now
        for visit in self.visits:
            if visit.open:
                visit.end(now)
