"""Which check-ins a patient had to be asked, told from the desk's record by walking through its days.

The short check on days 1 and 3 after a session. The PHQ-9: before the first session, from three days ahead of it; then
every seven days from the first session until the end of the week in which the induction ends; from then on every seven
days after the latest session, and two days before the next; never within four days of one before, and never later than
ten days after the last because sessions came in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Final

from keepwell.simulated_clinic.record import INDUCTION, PROTOCOL, Chart, PlanSeen
from services.scheduler.model.due import CHECK_IN_HOUR
from shared.walltime import at_wall, to_wall

CHECK_DAYS: Final = PROTOCOL.cadence.post_session_days
WEEK: Final = 7
HALF_A_YEAR: Final = PROTOCOL.cadence.last_weekly_day
_FIGURES: Final = attrgetter("before_session_days", "earliest_day", "apart_days", "most_days", "baseline_days")
AHEAD, SOONEST, APART, LONGEST, BASELINE_AHEAD = _FIGURES(PROTOCOL.cadence.measures)


@dataclass(frozen=True)
class Question:
    """A check-in that had to be asked; `session` is the one that it follows, empty for one of the plan."""

    occurrence: str
    at: datetime
    session: str = ""


@dataclass
class _Walk:
    """What was asked so far, while the record is walked through."""

    zone: str
    has_plan: bool
    asked: set[tuple[str, str]] = field(default_factory=set)
    measured: list[date] = field(default_factory=list)
    measured_at_record: date | None = None
    held: list[date] = field(default_factory=list)


def questions_of(chart: Chart) -> Iterator[Question]:
    """Yield what a patient had to be asked, in order, as if nothing ended."""
    walk = _Walk(chart.person.zone, chart.plan is not None)
    ends = datetime.max.replace(tzinfo=chart.enrolled_at.tzinfo)
    baseline = ends if chart.plan else None
    for turn, following in pairwise([*chart.seen, None]):
        if turn is None:
            return
        until = following.at if following else ends
        held = [
            (visit.attended_on, visit.session)
            for visit in chart.visits
            if visit.attended_on is not None and visit.attended_at is not None and visit.attended_at <= turn.at
        ]
        days = sorted(day for day, _ in held)
        if days != walk.held:
            walk.held, walk.measured_at_record = days, max(walk.measured, default=None)
        if baseline is not None and (not days or len(days) == 1):
            first_on = min(chart.seen[0].next_due_on, turn.next_on) if not days else to_wall(turn.at, walk.zone).date()
            baseline = max(at_wall(first_on - timedelta(days=BASELINE_AHEAD), CHECK_IN_HOUR, walk.zone), turn.at)
            if baseline <= until:
                yield Question("baseline", baseline)
                baseline = None
        yield from _between(walk, turn, until, dict(sorted(held)) if held else {})


def _between(walk: _Walk, turn: PlanSeen, until: datetime, sessions: dict[date, str]) -> Iterator[Question]:
    """Yield what falls due after one order and before the next."""
    if not walk.held:
        return
    last = walk.held[-1]
    planned: dict[date, tuple[str, str]] = {
        last + timedelta(days=days): (f"day-{days}", sessions[last]) for days in CHECK_DAYS
    }
    measures = _measures(walk, turn) if walk.has_plan else {}
    # A measure and a check of one day are one check-in; it goes by the measure's name.
    planned |= {day: (name, "" if name.startswith("week") else sessions[last]) for day, name in measures.items()}
    for day in sorted(planned):
        at = at_wall(day, CHECK_IN_HOUR, walk.zone)
        if turn.at < at <= until and planned[day] not in walk.asked:
            walk.asked.add(planned[day])
            if day in measures:
                walk.measured.append(day)
            yield Question(planned[day][0], at, planned[day][1])


def _measures(walk: _Walk, turn: PlanSeen) -> dict[date, str]:
    first, last = walk.held[0], walk.held[-1]
    complete = len(walk.held) >= INDUCTION
    end = walk.held[INDUCTION - 1] + timedelta(days=WEEK) if complete else last + timedelta(days=HALF_A_YEAR)
    weeks = {
        first + timedelta(days=WEEK * number): f"week-{number}" for number in range(1, (end - first).days // WEEK + 1)
    }
    if not complete:
        return weeks
    found = sorted(_maintenance(walk, turn, last, list(weeks)))
    latest = max([*weeks, *([walk.measured_at_record] if walk.measured_at_record else [])])
    if walk.measured_at_record and (found[0] - latest).days > LONGEST:
        owed = max(latest + timedelta(days=WEEK), last + timedelta(days=1))
        if (found[0] - owed).days >= APART:
            found.insert(0, owed)
    return {day: f"day-{(day - last).days}" for day in found} | weeks


def _maintenance(walk: _Walk, turn: PlanSeen, last: date, weeks: list[date]) -> list[date]:
    before = [day for day in walk.measured if day > last]
    weekly = [last + timedelta(days=days) for days in range(WEEK, HALF_A_YEAR + 1, WEEK)]
    known = [*weeks, *(day for day in before if day not in weekly)]
    weekly = [day for day in weekly if not any(0 <= (day - other).days < APART for other in known)]
    wanted = turn.next_on - timedelta(days=AHEAD)
    today = to_wall(turn.at, walk.zone).date()
    near = [other for other in [*known, *weekly] if other != wanted and -APART < (other - wanted).days < AHEAD]
    over = wanted not in walk.measured and at_wall(wanted, CHECK_IN_HOUR, walk.zone) <= turn.at
    if over or turn.next_on < today or (wanted - last).days < SOONEST or near:
        return weekly
    return [wanted, *(day for day in weekly if not 0 <= (day - wanted).days < APART)]
