"""A patient's plan: the phase, the interval, when the next session is due, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.scheduler.model.protocols import Protocol, Series
from shared.ids import ClinicId, PatientId, PlanId


@dataclass(frozen=True)
class Plan:
    """A plan as it now stands.

    Attributes:
        phase: the name of the phase of the next session.
        attended: sessions attended under this plan.
        last_attended_on: the day of the latest of them, at its place.
        interval_days: days from the last attended session to the next; before the first, the protocol's first gap.
        next_due_on: the day on which the next session is due; it may have passed.
        why: the rule that set `next_due_on`, in a sentence that a clinician reads.
        active: false once the patient was discharged.
        decided_days: the interval that a clinician decided last, in days; it holds in maintenance.
        decided_on: the day of that decision, where the patient lives.
        before_on: the day of the questionnaire that was last set before a session, asked or still to come.
        measured_on: the day of the last questionnaire that was asked as the latest session was recorded, or that was
            asked before a session which has moved since.
    """

    id: PlanId
    clinic: ClinicId
    patient: PatientId
    version: int
    protocol: Protocol
    start_on: date
    phase: str
    attended: int
    last_attended_on: date | None
    interval_days: int
    next_due_on: date
    why: str
    active: bool = True
    decided_days: int | None = None
    decided_on: date | None = None
    before_on: date | None = None
    measured_on: date | None = None

    @property
    def induction_complete(self) -> bool:
        """Return whether every session of the protocol's series was attended."""
        return self.attended >= self.protocol.series_sessions


def start(protocol: Protocol, start_on: date, *, plan: PlanId, clinic: ClinicId, patient: PatientId) -> Plan:
    """Return a new plan whose first session is due on `start_on`."""
    first = protocol.series[0]
    return Plan(
        id=plan,
        clinic=clinic,
        patient=patient,
        version=1,
        protocol=protocol,
        start_on=start_on,
        phase=first.name,
        attended=0,
        last_attended_on=None,
        interval_days=protocol.gap_after(1),
        next_due_on=start_on,
        why=f"The plan begins on {start_on:%Y-%m-%d} with session 1 of {first.sessions} of the {first.name}.",
    )


def standing(plan: Plan, attended_on: Sequence[date]) -> Plan:
    """Return the plan as it follows from its attended sessions and from what was decided, by nothing else.

    In whatever order sessions are recorded, corrected or taken back, the plan is the same. Days count from the one on
    which the latest session really took place.

    Args:
        plan: whose protocol, first day and decision hold.
        attended_on: the days of all its attended sessions.
    """
    if not attended_on:
        begun = start(plan.protocol, plan.start_on, plan=plan.id, clinic=plan.clinic, patient=plan.patient)
        return _kept(plan, replace(begun, why=begun.why + _later(plan)))
    attended, last = len(attended_on), max(attended_on)
    follows = plan.protocol.position(attended)
    if isinstance(follows.phase, Series):
        interval = plan.protocol.gap_after(attended)
        due = last + timedelta(days=interval)
        why = f"{_so_far(plan.protocol, attended, last)} is due {_days(interval)} later.{_later(plan)}"
    else:
        interval = plan.decided_days or plan.protocol.maintenance.interval_days
        counted = last + timedelta(days=interval)
        # A date that a decision leaves in the past becomes the day of the decision: due now.
        due = counted if plan.decided_on is None else max(counted, plan.decided_on)
        why = _why_in_maintenance(plan, attended, last, interval) + (
            "" if due == counted else f" That was {counted:%Y-%m-%d}, so the session is due now."
        )
    return _kept(
        plan,
        replace(
            plan,
            phase=follows.phase.name,
            attended=attended,
            last_attended_on=last,
            interval_days=interval,
            next_due_on=due,
            why=why,
        ),
    )


def _kept(plan: Plan, found: Plan) -> Plan:
    """Return what was found one version on, with what sessions do not change."""
    return replace(
        found,
        version=plan.version + 1,
        decided_days=plan.decided_days,
        decided_on=plan.decided_on,
        before_on=plan.before_on,
        measured_on=plan.measured_on,
        active=plan.active,
    )


def _why_in_maintenance(plan: Plan, attended: int, last: date, interval: int) -> str:
    if plan.decided_days is not None and plan.decided_on is not None:
        return (
            f"A clinician decided on {plan.decided_on:%Y-%m-%d} on {_days(interval)} between sessions; the latest of "
            f"{attended} was on {last:%Y-%m-%d}."
        )
    if attended == plan.protocol.series_sessions:
        begins = plan.protocol.maintenance.name.capitalize()
        return (
            f"The {plan.protocol.series[-1].name} was completed on {last:%Y-%m-%d}. {begins} begins with "
            f"{_days(interval)} between sessions."
        )
    return f"There are {_days(interval)} between sessions; the latest of {attended} was on {last:%Y-%m-%d}."


def _so_far(protocol: Protocol, attended: int, last: date) -> str:
    """Say where a series stands, up to the number of its next session."""
    follows = protocol.position(attended)
    if follows.number == 1:
        over = protocol.position(attended - 1).phase.name
        first = f"Session 1 of {follows.sessions} of the {follows.phase.name}"
        return f"The {over} was completed on {last:%Y-%m-%d}. {first}"
    taken = f"{_count(follows.number - 1)} of the {follows.sessions} of the {follows.phase.name}"
    return f"{taken} took place, the latest on {last:%Y-%m-%d}. Session {follows.number}"


def _later(plan: Plan) -> str:
    """Say that a decision waits for the end of the series."""
    if plan.decided_days is None or plan.decided_on is None:
        return ""
    return (
        f" The interval of {_days(plan.decided_days)} that a clinician decided on {plan.decided_on:%Y-%m-%d} holds "
        f"from the end of the {plan.protocol.series[-1].name}; its series goes on as it is."
    )


def after_decision(plan: Plan, interval_days: int, decided_on: date, attended_on: Sequence[date]) -> Plan:
    """Return the plan with the interval that a clinician decided, in days.

    The decision holds off the ladder too: the product proposes, a clinician decides. In a series it is kept until
    maintenance begins: a series of fixed gaps has no interval that could be longer or shorter, and a single gap of 21
    days in it would end the series without anyone having said so.

    Raises:
        ValueError: if the interval is below one day.
    """
    if interval_days < 1:
        raise ValueError(f"An interval is at least one day, not {interval_days}.")
    return standing(replace(plan, decided_days=interval_days, decided_on=decided_on), attended_on)


def after_taking_back(
    plan: Plan, before: tuple[int, date] | None, taken_back_on: date, attended_on: Sequence[date]
) -> Plan:
    """Return the plan without its latest decision: with the interval, in days, and the day of the one before.

    Args:
        plan: as the decision left it.
        before: what was decided before it, which holds again; None where the protocol's interval does.
        taken_back_on: the day on which it was taken back, where the patient lives.
        attended_on: the days of all its attended sessions.
    """
    decided_days, decided_on = before or (None, None)
    stood = standing(replace(plan, decided_days=decided_days, decided_on=decided_on), attended_on)
    taken = _days(plan.decided_days) if plan.decided_days else "another interval"
    return replace(stood, why=f"{stood.why} On {taken_back_on:%Y-%m-%d} the decision on {taken} was taken back.")


def ended(plan: Plan) -> Plan:
    """Return the plan of a patient who left the clinic's care."""
    return replace(plan, version=plan.version + 1, active=False, why="The patient was discharged.")


def continued(plan: Plan, on: date, attended_on: Sequence[date]) -> Plan:
    """Return a plan that had ended as it goes on: phase, interval and due date follow from what took place under it.

    Args:
        plan: that has ended.
        on: the day of the decision, where the patient lives.
        attended_on: the days of all its attended sessions.
    """
    stood = standing(replace(plan, active=True), attended_on)
    return replace(stood, why=f"{stood.why} It had ended, and goes on since {on:%Y-%m-%d}.")


def not_asked(lost: Sequence[str]) -> str:
    """Say that a session was recorded too late for some of the questions about it; nothing where none is lost."""
    if not lost:
        return ""
    return f" It was recorded after its questions were due: {', '.join(lost)} could not be asked in time."


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _count(attended: int) -> str:
    return "1 session" if attended == 1 else f"{attended} sessions"
