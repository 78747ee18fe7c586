"""A patient's plan: the phase, the interval, when the next session is due, and why."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.scheduler.model.protocols import Phase, Protocol
from shared.ids import ClinicId, PatientId, PlanId


@dataclass(frozen=True)
class Plan:
    """A plan as it now stands.

    Attributes:
        attended: sessions attended under this plan.
        last_attended_on: the day of the latest of them, at its place.
        interval_days: days from the last attended session to the next; before the first, the protocol's first gap.
        next_due_on: the day on which the next session is due; it may have passed.
        why: the rule that set `next_due_on`, in a sentence that a clinician reads.
        active: false once the patient was discharged.
    """

    id: PlanId
    clinic: ClinicId
    patient: PatientId
    version: int
    protocol: Protocol
    start_on: date
    phase: Phase
    attended: int
    last_attended_on: date | None
    interval_days: int
    next_due_on: date
    why: str
    active: bool = True

    @property
    def induction_complete(self) -> bool:
        """Return whether every session of the induction was attended."""
        return self.attended >= self.protocol.induction.sessions


def start(protocol: Protocol, start_on: date, *, plan: PlanId, clinic: ClinicId, patient: PatientId) -> Plan:
    """Return a new plan whose first session is due on `start_on`."""
    return Plan(
        id=plan,
        clinic=clinic,
        patient=patient,
        version=1,
        protocol=protocol,
        start_on=start_on,
        phase=Phase.INDUCTION,
        attended=0,
        last_attended_on=None,
        interval_days=protocol.induction.gap_after(1),
        next_due_on=start_on,
        why=f"The plan begins on {start_on:%Y-%m-%d}: session 1 of {protocol.induction.sessions} of the induction.",
    )


def after_attending(plan: Plan, on: date) -> Plan:
    """Return the plan after one more attended session, counted from the day it really took place.

    A session that is recorded after a later one counts, but the next date still follows from the latest.
    """
    attended = plan.attended + 1
    last = max(on, plan.last_attended_on or on)
    induction = plan.protocol.induction
    if attended < induction.sessions:
        phase, interval = Phase.INDUCTION, induction.gap_after(attended)
        rule = f"session {attended + 1} of {induction.sessions} of the induction follows {_days(interval)} later"
    elif plan.phase is Phase.INDUCTION:
        phase, interval = Phase.MAINTENANCE, plan.protocol.maintenance.interval_days
        rule = f"the induction is complete, and maintenance begins with an interval of {_days(interval)}"
    else:
        phase, interval = Phase.MAINTENANCE, plan.interval_days
        rule = f"the interval is {_days(interval)}"
    return replace(
        plan,
        version=plan.version + 1,
        phase=phase,
        attended=attended,
        last_attended_on=last,
        interval_days=interval,
        next_due_on=last + timedelta(days=interval),
        why=f"Session {attended} was attended, the latest on {last:%Y-%m-%d}; {rule}.",
    )


def after_decision(plan: Plan, interval_days: int, decided_on: date) -> Plan:
    """Return the plan with the interval that a clinician decided, in days.

    The decision holds in either phase and off the ladder too: the product proposes, a clinician decides. In induction
    it sets the gap to the next session alone; the series goes on from there. A date that has passed becomes the day of
    the decision: due now.

    Raises:
        ValueError: if the interval is below one day.
    """
    if interval_days < 1:
        raise ValueError(f"An interval is at least one day, not {interval_days}.")
    if plan.last_attended_on is None:
        return replace(
            plan,
            version=plan.version + 1,
            interval_days=interval_days,
            why=f"A clinician decided on {decided_on:%Y-%m-%d} on {_days(interval_days)} after the first session, "
            f"which is due on {plan.next_due_on:%Y-%m-%d}.",
        )
    counted = plan.last_attended_on + timedelta(days=interval_days)
    due = max(counted, decided_on)
    passed = "" if due == counted else f" That was {counted:%Y-%m-%d}, so the session is due now."
    return replace(
        plan,
        version=plan.version + 1,
        interval_days=interval_days,
        next_due_on=due,
        why=f"A clinician decided on {decided_on:%Y-%m-%d} on {_days(interval_days)} after the session of "
        f"{plan.last_attended_on:%Y-%m-%d}.{passed}",
    )


def ended(plan: Plan) -> Plan:
    """Return the plan of a patient who left the clinic's care."""
    return replace(plan, version=plan.version + 1, active=False, why="The patient was discharged.")


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
