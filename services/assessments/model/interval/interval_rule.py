"""Algorithm A: a ladder of intervals, one rung at a time, in the style of STABLE.

It combines level, drift from the personal best and slope, as STABLE does for continuation ECT
(https://pmc.ncbi.nlm.nih.gov/articles/PMC7130448/table/T1); its thresholds are our own, an engineering default that a
clinic signs before it runs. The guards stand in the order G1 to G7 and each ends the question.

Version 1 looked at one cycle, and so was short of data wherever a cycle is shorter than the two weeks that a PHQ-9 asks
about. Version 2 looks at two weeks at least. An old proposal is replayed by the version that made it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.assessments.model.interval.cycles import (
    RECALL,
    Cycle,
    blocked_rung,
    cycle,
    cycle_number,
    first_reading,
    in_order,
    personal_best,
    post_induction,
    responded,
    rung_above,
    rung_below,
    window,
)
from services.assessments.model.interval.history import (
    Code,
    Direction,
    History,
    Parameters,
    Plan,
    Reading,
    Reason,
    Verdict,
)
from services.assessments.model.interval.reasons import no_response, reason, spoken

RULE: Final = "interval-ladder-a"
RULE_VERSION: Final = 2
BY_CYCLE: Final = 1
"""The version that looked at one cycle, however short."""

HIGH_AT_LEAST: Final = 10
HIGH_ABOVE_BEST: Final = 5
MARKED_RISE: Final = 6
STABLE_AT_MOST: Final = 9
STABLE_ABOVE_BEST: Final = 4
CONFIRM_WITHIN: Final = timedelta(hours=72)
SHORTENINGS_WITHIN: Final = timedelta(days=60)
MOST_SHORTENINGS: Final = 2
WINDOW_DAYS: Final = 7
"""A PHQ-9 sooner after a session speaks of the time before it; one within so many days of the next session is late."""


@dataclass(frozen=True)
class _Case:
    """The question that one reading puts; `current` and `previous` are cycles, or windows of two weeks at least."""

    version: int
    history: History
    plan: Plan
    parameters: Parameters
    newest: Reading
    current: Cycle
    previous: Cycle

    @property
    def ladder(self) -> tuple[int, ...]:
        return self.plan.ladder or ()

    @property
    def best(self) -> float:
        return personal_best(post_induction(self.history, self.plan))

    @property
    def threshold(self) -> float:
        return max(HIGH_AT_LEAST, self.best + HIGH_ABOVE_BEST)

    @property
    def limit(self) -> float:
        return max(STABLE_AT_MOST, self.best + STABLE_ABOVE_BEST)

    @property
    def day(self) -> int:
        """The day of the cycle that the newest reading is for, counted from the session that began it."""
        last = sorted(self.history.sessions)[self.number - 1] if self.number else None
        return WINDOW_DAYS if last is None else (self.newest.asked_for - last).days

    @property
    def number(self) -> int:
        """The number of the cycle that the newest reading is in: of the attended sessions before it."""
        return cycle_number(self.history, self.newest.asked_for)

    def say(self, direction: Direction, why: Reason, *more: Reason, to: int | None = None, review: bool) -> Verdict:
        now = self.plan.interval_days
        return Verdict(
            direction=direction,
            review=review,
            from_days=now,
            to_days=now if to is None else to,
            reasons=(why, *more),
            evidence=self.current.readings,
            newest=self.newest,
            rule=RULE,
            rule_version=self.version,
        )

    def hold(self, why: Reason, *more: Reason) -> Verdict:
        return self.say(Direction.HOLD, why, *more, review=False)

    def review(self, why: Reason, *more: Reason) -> Verdict:
        return self.say(Direction.HOLD, why, *more, review=True)


def evaluate(history: History, plan: Plan, parameters: Parameters, *, version: int = RULE_VERSION) -> Verdict:
    """Return what the rule proposes after the newest reading of a history.

    Args:
        history: the patient's course.
        plan: as it now stands.
        parameters: what the clinic has set.
        version: of the rule, 1 or 2.

    Raises:
        ValueError: the history holds no reading; the rule answers to one.
    """
    if not history.readings:
        raise ValueError("The interval rule needs a completed PHQ-9.")
    newest = in_order(history.readings)[-1]
    current, previous = _looked_at(history, newest, version)
    case = _Case(version, history, plan, parameters, newest, current, previous)
    for guard in GUARDS:
        if (verdict := guard(case)) is not None:
            return verdict
    return _climb(case)


def _looked_at(history: History, newest: Reading, version: int) -> tuple[Cycle, Cycle]:
    """Return what the newest reading closes, and what lies before that."""
    if version == BY_CYCLE:
        number = cycle_number(history, newest.asked_for)
        return cycle(history, number, newest.asked_for), cycle(history, number - 1, newest.asked_for)
    current = window(history, newest.asked_for)
    return current, window(history, current.begins or newest.asked_for)


def _g1_safety(case: _Case) -> Verdict | None:
    if case.history.open_alerts:
        return case.review(reason(Code.SAFETY_ALERT_OPEN, alerts=case.history.open_alerts))
    return None


def _g2_maintenance(case: _Case) -> Verdict | None:
    done = case.plan.induction_completed_on
    if not case.plan.maintenance or done is None or case.newest.asked_for <= done:
        return case.review(reason(Code.INDUCTION_NOT_COMPLETE))
    if not responded(case.history, case.plan):
        first = first_reading(case.history, case.plan)
        return case.review(no_response(None if first is None else first.total))
    return None


def _g3_data(case: _Case) -> Verdict | None:
    current = case.current
    if current.sufficient:
        return None
    answered = len(current.readings)
    since = "of this cycle" if case.version == BY_CYCLE or current.begins is None else f"since {spoken(current.begins)}"
    by = spoken(case.newest.asked_for + RECALL)
    return case.hold(
        reason(Code.INSUFFICIENT_DATA, {"of": since}, answered=answered, asked=max(current.asked, answered)),
        reason(Code.SCORES_NEEDED, {"by": by}, more=current.missing),
    )


def _g5_ladder(case: _Case) -> Verdict | None:
    """G4, one rung a decision, is how `_climb` moves: there is nothing to check before it."""
    if case.plan.ladder is None:
        return case.review(reason(Code.LADDER_NOT_KNOWN))
    return None if case.ladder else case.review(reason(Code.NO_LADDER))


def _g6_regimen(case: _Case) -> Verdict | None:
    """Two shortenings in 60 days, or scores that ask for less than the shortest rung: not a question of interval."""
    since = case.newest.asked_for - SHORTENINGS_WITHIN
    times = sum(1 for change in case.history.changes if change.to_days < change.from_days and change.on >= since)
    if times >= MOST_SHORTENINGS:
        return case.review(reason(Code.SHORTENED_TWICE, times=times))
    now = case.plan.interval_days
    if rung_below(case.ladder, now) is None and (why := _wants_shorter(case)) is not None:
        return case.review(reason(Code.AT_SHORTEST_RUNG, days=now), why)
    return None


def _g7_outside(case: _Case) -> Verdict | None:
    if any(case.current.holds(change.on) for change in case.history.outside):
        return case.hold(reason(Code.OUTSIDE_CHANGE))
    return None


GUARDS: Final[tuple[Callable[[_Case], Verdict | None], ...]] = (
    _g1_safety,
    _g2_maintenance,
    _g3_data,
    _g5_ladder,
    _g6_regimen,
    _g7_outside,
)


def _wants_shorter(case: _Case) -> Reason | None:
    """Both late scores at the threshold, or a marked rise that another within 72 hours confirms."""
    first, last = case.current.late
    best, threshold = case.best, case.threshold
    if first.total >= threshold and last.total >= threshold:
        return reason(Code.LATE_SCORES_HIGH, first=first.total, last=last.total, threshold=threshold, best=best)
    rise = last.total - best
    confirmed = first.total - best >= MARKED_RISE and abs(last.completed_at - first.completed_at) <= CONFIRM_WITHIN
    if last.total >= threshold and rise >= MARKED_RISE and confirmed:
        return reason(Code.RISE_CONFIRMED, last=last.total, rise=rise, best=best)
    return None


def _climb(case: _Case) -> Verdict:
    if (why := _wants_shorter(case)) is not None:
        return _shorten(case, why)
    first, last = (reading.total for reading in case.current.late)
    best = case.best
    if max(first, last) <= case.limit:
        return _lengthen(case, reason(Code.LATE_SCORES_STABLE, first=first, last=last, limit=case.limit, best=best))
    if last >= case.threshold:
        return case.hold(reason(Code.RISE_UNCONFIRMED, last=last, threshold=case.threshold))
    return case.hold(reason(Code.BETWEEN, first=first, last=last, best=best))


def _shorten(case: _Case, why: Reason) -> Verdict:
    if case.day < WINDOW_DAYS:
        return case.review(reason(Code.RISE_RIGHT_AFTER_SESSION, day=case.day), why)
    if case.version != BY_CYCLE and any(change.on >= case.current.late[0].asked_for for change in case.history.changes):
        return case.hold(reason(Code.CHANGED_SINCE), why)
    # G6 has seen to it that there is a shorter rung.
    to = rung_below(case.ladder, case.plan.interval_days)
    return case.say(Direction.SHORTEN, why, to=to, review=False)


def _lengthen(case: _Case, why: Reason) -> Verdict:
    """Go up one rung, where the cycle before was stable too and nothing stands against the rung.

    The rule is asked after each PHQ-9, so "late" has to be looked at: early scores of a long cycle, or scores from
    before this cycle's own change, say nothing yet about how long the effect lasts.
    """
    now, parameters = case.plan.interval_days, case.parameters
    to = rung_above(case.ladder, now)
    blocked = blocked_rung(case.history, case.number, parameters.memory_cycles)
    against: Reason | None = None
    if case.day < now - WINDOW_DAYS:
        against = reason(Code.CYCLE_NOT_OVER, day=case.day, days=now)
    elif any(case.current.holds(change.on) for change in case.history.changes):
        against = reason(Code.CHANGED_THIS_CYCLE)
    elif (before := _unstable_before(case)) is not None:
        against = before
    elif to is None:
        against = reason(Code.AT_LONGEST_RUNG, days=now)
    elif blocked is not None and to >= blocked:
        against = reason(Code.RUNG_BLOCKED, days=to, cycles=parameters.memory_cycles)
    elif case.plan.needs_opt_in(to) and not parameters.beyond_28_days:
        against = reason(Code.OPT_IN_NEEDED, days=to, limit=case.plan.opt_in_above or 0)
    if against is not None:
        return case.hold(against, why)
    return case.say(Direction.LENGTHEN, why, to=to, review=False)


def _unstable_before(case: _Case) -> Reason | None:
    """Say what keeps the cycle before from counting: it was induction's, too little came, or it was not stable."""
    done, previous = case.plan.induction_completed_on, case.previous
    if done is None or previous.begins is None or previous.begins < done:
        return reason(Code.FIRST_CYCLE)
    if not previous.sufficient:
        answered = len(previous.readings)
        return reason(Code.PREVIOUS_CYCLE_INSUFFICIENT, answered=answered, asked=max(previous.asked, answered))
    highest = max(reading.total for reading in previous.late)
    if highest > case.limit:
        return reason(Code.PREVIOUS_CYCLE_NOT_STABLE, highest=highest, limit=case.limit)
    return None
