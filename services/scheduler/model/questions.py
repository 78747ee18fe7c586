"""Which check-ins a patient is asked, and for which day.

Two kinds, with two clocks. The short check of effects and mood follows a session: each attended one starts it anew. The
measure, the questionnaire that the interval follows, belongs to the plan: the induction's are counted from its first
session, so that no later one pushes them away; in maintenance they are counted from the latest session, with one more
shortly before the next.

All that lie ahead are written ahead: each is replaced with its cause in one transaction, and none hangs on the one
before it, which in a chain of timers would end the questions at the first dead letter.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from services.scheduler.model.due import CHECK_IN_HOUR
from services.scheduler.model.protocols import Cadence, Measures
from shared.instruments import MEASURE
from shared.walltime import at_wall, to_wall

CHECK: Final = "post-session"
BASELINE: Final = "baseline"
WEEK: Final = 7


@dataclass(frozen=True)
class CheckIn:
    """A question to the patient.

    Attributes:
        occurrence: `day-7` after the latest session, `week-2` of the induction, or `baseline`.
        asked_for: the day that it asks about.
        at: when it is asked.
        of_plan: whether it belongs to the plan, and not to a session.
    """

    occurrence: str
    asked_for: date
    instruments: tuple[str, ...]
    at: datetime
    of_plan: bool = False


@dataclass(frozen=True)
class Course:
    """What the questions to a patient follow from.

    Attributes:
        latest_on: the day of the patient's latest attended session, in a plan or not.
        held_on: the days of the plan's attended sessions; none without a plan.
        series_sessions: how many sessions the plan's series have before maintenance.
        next_on: the day of the next session, booked or else due; None where that has passed or is not known.
        from_on: the first day whose questions are still ahead; None where all of them are.
        before_on: the day of a measure that was asked before a session, though the session may have moved since.
        measured_on: the day of the last measure that was asked before the latest session was recorded, or before a
            session that has moved so far that another measure is set before it.
    """

    cadence: Cadence
    latest_on: date | None
    held_on: tuple[date, ...] = ()
    series_sessions: int = 0
    next_on: date | None = None
    from_on: date | None = None
    before_on: date | None = None
    measured_on: date | None = None


def questions(course: Course, zone: str) -> list[CheckIn]:
    """Return all that the patient is asked from the latest session on, in order, those included that lie in the past.

    Two for one day are one check-in with both questionnaires: one text, one page.
    """
    of_day: dict[date, CheckIn] = {}
    for asked in sorted([*_measures(course), *_checks(course)], key=lambda one: (one[1], not one[3])):
        occurrence, day, instrument, of_plan = asked
        known = of_day.get(day)
        if known is None:
            of_day[day] = CheckIn(occurrence, day, (instrument,), at_wall(day, CHECK_IN_HOUR, zone), of_plan)
        else:
            of_day[day] = replace(known, instruments=tuple(sorted({instrument, *known.instruments}, reverse=True)))
    return list(of_day.values())


_Asked = tuple[str, date, str, bool]


def _checks(course: Course) -> Iterable[_Asked]:
    if course.latest_on is not None:
        for days in course.cadence.post_session_days:
            yield f"day-{days}", course.latest_on + timedelta(days=days), CHECK, False


def _measures(course: Course) -> Iterable[_Asked]:
    if not course.held_on:
        return
    last = max(course.held_on)
    if course.cadence.measures is None:
        yield from ((f"day-{(day - last).days}", day, MEASURE, False) for day in _weekly(course, last))
        return
    yield from ((f"week-{number}", day, MEASURE, True) for number, day in enumerate(_weeks(course), 1))
    for day in _in_maintenance(course, course.cadence.measures):
        yield f"day-{(day - last).days}", day, MEASURE, False


def _in_maintenance(course: Course, rule: Measures) -> list[date]:
    """Return the weekly days, the one before the next session, and one more where sessions pushed all others away."""
    before = measure_before(course)
    days = _weekly_in_maintenance(course, rule)
    if before is not None:
        days = [before, *(day for day in days if not 0 <= (day - before).days < rule.apart_days)]
    return sorted([*days, *_owed(course, rule, days)])


def _owed(course: Course, rule: Measures, days: Sequence[date]) -> list[date]:
    """Return the day of one measure more, where those to come are too long after the last one that was asked."""
    if not days or course.measured_on is None:
        return []
    last = max([course.measured_on, *_weeks(course)])
    day = max(last + timedelta(days=WEEK), max(course.held_on) + timedelta(days=1))
    too_long = (min(days) - last).days > rule.most_days
    return [day] if too_long and (min(days) - day).days >= rule.apart_days else []


def _complete(course: Course) -> bool:
    return len(course.held_on) >= course.series_sessions


def _weekly(course: Course, last: date) -> list[date]:
    cadence = course.cadence
    return [last + timedelta(days=days) for days in range(cadence.first_weekly_day, cadence.last_weekly_day + 1, WEEK)]


def _weeks(course: Course) -> list[date]:
    """Return the induction's weekly days, through the first one after its last session."""
    held, cadence = sorted(course.held_on), course.cadence
    if _complete(course):
        span = (held[course.series_sessions - 1] - held[0]).days + WEEK
    else:
        span = (held[-1] - held[0]).days + cadence.last_weekly_day
    return [held[0] + timedelta(days=days) for days in range(cadence.first_weekly_day, span + 1, WEEK)]


def _weekly_in_maintenance(course: Course, rule: Measures) -> list[date]:
    """Return the weekly days after the latest session, without those too near to what was asked before them."""
    if not _complete(course):
        return []
    kept = [*_weeks(course), *_asked_before(course)]
    weekly = _weekly(course, max(course.held_on))
    return [day for day in weekly if not any(0 <= (day - other).days < rule.apart_days for other in kept)]


def _asked_before(course: Course) -> list[date]:
    return [day for day in (course.before_on, course.measured_on) if day is not None]


def measure_before(course: Course) -> date | None:
    """Return the day of the measure before the next session; None where that is over, or another one serves."""
    rule = course.cadence.measures
    if rule is None or not course.held_on or not _complete(course) or course.next_on is None:
        return None
    day = course.next_on - timedelta(days=rule.before_session_days)
    over = course.from_on is not None and day < course.from_on and day != course.before_on
    if over or (day - max(course.held_on)).days < rule.earliest_day:
        return None
    asked = [other for other in _asked_before(course) if other != day]
    known = [*_weeks(course), *_weekly_in_maintenance(course, rule), *asked]
    serves = any(day - timedelta(days=rule.apart_days) < other < course.next_on for other in known)
    return None if serves else day


def still_ahead(asked: Iterable[CheckIn], now: datetime) -> list[CheckIn]:
    """Return the check-ins that lie ahead."""
    return [check_in for check_in in asked if check_in.at > now]


def retimed(asked: Iterable[CheckIn], pending: Collection[str], now: datetime) -> list[CheckIn]:
    """Return the check-ins that a change of the patient's zone moves, from those of the new zone.

    Only those whose timers are `pending` move: asked is asked, and never twice. One that the new zone puts into the
    past was not asked yet, and is asked now.
    """
    return [replace(check_in, at=max(check_in.at, now)) for check_in in asked if check_in.occurrence in pending]


def baseline(first_on: date, zone: str, measures: Measures, now: datetime) -> CheckIn:
    """Return the measure before the first session: some days ahead of it at ten, or at once where that has passed.

    The text waits for the patient's waking hours by itself.
    """
    at = max(at_wall(first_on - timedelta(days=measures.baseline_days), CHECK_IN_HOUR, zone), now)
    return CheckIn(BASELINE, to_wall(at, zone).date(), (MEASURE,), at, of_plan=True)


@dataclass(frozen=True)
class Late:
    """What a session recorded late leaves of the questions after it.

    Attributes:
        ask: what is asked at once in the place of what was not asked; None where nothing is useful any more.
        lost: the occurrences that were not asked on their day.
    """

    ask: CheckIn | None
    lost: tuple[str, ...]

    def then(self, planned: Iterable[CheckIn], now: datetime) -> list[CheckIn]:
        """Return what is asked from now on: what is made up for, then what lies ahead."""
        return [*([] if self.ask is None else [self.ask]), *still_ahead(planned, now)]


def late(course: Course, before: Course, zone: str, now: datetime) -> Late:
    """Return what is lost, and what is still asked, as a session is recorded after questions about it were due.

    Nothing counts as lost for which the patient was asked all the same, by what was planned before the record.
    """
    rule = course.cadence.measures
    if rule is None or course.latest_on is None:
        return Late(None, ())
    planned = questions(course, zone)
    asked = [one for one in questions(before, zone) if one.at <= now]
    lost = [(one, what) for one in planned for what in one.instruments if one.at <= now and not _done(one, what, asked)]
    today = to_wall(now, zone).date()
    oldest = {CHECK: course.latest_on + timedelta(days=WEEK), MEASURE: today}
    useful: set[str] = set()
    for one, what in lost:
        near = 1 if what == CHECK else rule.apart_days - 1
        soon = any(
            what in other.instruments and (other.asked_for - today).days <= near for other in planned if other.at > now
        )
        recent = what == MEASURE and any(
            what in other.instruments and (today - other.asked_for).days < rule.apart_days for other in asked
        )
        fresh = (today - one.asked_for).days <= rule.useful_days and today <= oldest[what]
        if fresh and not soon and not recent:
            useful.add(what)
    ask = None
    if useful:
        occurrence = f"day-{(today - course.latest_on).days}"
        ask = CheckIn(occurrence, today, tuple(sorted(useful, reverse=True)), now)
    return Late(ask, tuple(dict.fromkeys(one.occurrence for one, _ in lost)))


def _done(one: CheckIn, instrument: str, asked: Sequence[CheckIn]) -> bool:
    """Tell whether a patient was asked the same about that day, or so near to it that it makes no difference."""
    near = 0 if instrument == CHECK else 3
    return any(
        instrument in other.instruments and abs((other.asked_for - one.asked_for).days) <= near for other in asked
    )
