"""What stands against an interval that somebody is about to decide, whatever the rule proposed."""

from services.assessments.model.interval.cycles import first_reading, responded, rung_above, rung_below
from services.assessments.model.interval.history import History, Parameters, Plan
from services.assessments.model.interval.reasons import no_response


def objections(history: History, plan: Plan, parameters: Parameters, days: int) -> tuple[str, ...]:
    """Return why an interval should not be decided now, a sentence each; none where it stays as it is.

    A clinician may decide it all the same, and says why.
    """
    if days == plan.interval_days:
        return ()
    found: list[str] = []
    if not plan.maintenance or plan.induction_completed_on is None:
        found.append("Induction is not complete: until then the series of the protocol sets the interval.")
    elif not responded(history, plan):
        first = first_reading(history, plan)
        found.append(no_response(None if first is None else first.total).text)
    found += _steps(plan, days)
    if plan.needs_opt_in(days) and not parameters.beyond_28_days:
        found.append(f"{days} days is above {plan.opt_in_above}, and the clinic has not signed for that.")
    return tuple(found)


def _steps(plan: Plan, days: int) -> list[str]:
    """Say where an interval is more than one step of the ladder away, or beyond its ends."""
    ladder, now = plan.ladder, plan.interval_days
    if ladder is None:
        return ["Which intervals the protocol allows is not known here: the plan has not said it."]
    if not ladder:
        return []
    lowest, highest = rung_below(ladder, now), rung_above(ladder, now)
    least = min(now, ladder[0]) if lowest is None else lowest
    most = max(now, ladder[-1]) if highest is None else highest
    if least <= days <= most:
        return []
    steps = ", ".join(str(rung) for rung in ladder)
    return [f"From {now} to {days} days is more than one step; the steps are {steps} days."]
