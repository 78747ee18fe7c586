"""What is asked about a plan: start one, let it go on, give it an interval, take that back.

Each takes a patient whose row the transaction holds, as in `booking`.
"""

from dataclasses import replace
from datetime import date
from uuid import UUID

from services.scheduler import store
from services.scheduler.commands import asking, timers
from services.scheduler.model import plans, questions
from services.scheduler.model.catalogue import newest
from services.scheduler.model.patients import Patient
from services.scheduler.model.plans import Plan
from services.scheduler.model.refusals import NothingToContinueError, NotInCareError, PlanActiveError
from services.scheduler.published_events import plan_event
from shared.bus import publish
from shared.database import Transaction
from shared.events import (
    PlanChanged,
    PlanStarted,
)
from shared.events.scheduling import Continued
from shared.ids import PlanId, new_id
from shared.walltime import to_wall


async def start_plan(tx: Transaction, patient: Patient, protocol: str, start_on: date) -> Plan:
    """Start the newest version of a protocol.

    Raises:
        NotInCareError: the patient was discharged.
        PlanActiveError: there is a plan already.
        UnknownProtocolError: there is no such protocol.
    """
    if not patient.in_care:
        raise NotInCareError
    if (running := await store.active_plan(tx, patient.id)) is not None:
        raise PlanActiveError(running)
    plan = plans.start(newest(protocol), start_on, plan=PlanId(new_id()), clinic=patient.clinic, patient=patient.id)
    await store.save_plan(tx, plan)
    await publish(tx, plan_event(PlanStarted, plan))
    await asking.begin(tx, patient, plan)
    await asking.ask_to_book(tx, patient, plan, await asking.ahead(tx, patient))
    return plan


async def continue_plan(tx: Transaction, patient: Patient, why: Continued) -> Plan:
    """Let the patient's last plan go on, which had ended: nothing that took place under it is done again.

    What it asks is planned anew from today on. Sessions that were cancelled as it ended stay cancelled.

    Raises:
        NotInCareError: the patient was discharged.
        PlanActiveError: there is a plan that runs.
        NothingToContinueError: there never was one.
    """
    if not patient.in_care:
        raise NotInCareError
    ended = await store.newest_plan(tx, patient.id)
    if (running := await store.active_plan(tx, patient.id)) is not None:
        raise PlanActiveError(running)
    if ended is None:
        raise NothingToContinueError
    record = await asking.known(tx, patient, ended)
    # The measure that was set before the next session was cancelled as the plan ended.
    plan = plans.continued(replace(ended, before_on=None), to_wall(tx.now, patient.zone).date(), record.held_on)
    follows = asking.course(tx, patient, plan, record)
    plan = asking.with_measure_before(plan, follows)
    await store.save_plan(tx, plan)
    await publish(tx, plan_event(PlanChanged, plan, record.held_on, continued=why))
    if not plan.attended:
        await asking.begin(tx, patient, plan)
    planned = questions.still_ahead(questions.questions(follows, patient.zone), tx.now)
    await timers.ask_anew(tx, patient, plan, record.latest, planned)
    await asking.ask_to_book(tx, patient, plan, record.ahead)
    return plan


async def decide(tx: Transaction, patient: Patient, plan: Plan, interval_days: int, decided_on: date) -> Plan:
    """Give a plan the interval that a clinician decided. What is booked stays; staff move it if they wish."""
    held_on = await store.attended_on(tx, plan.id)
    decided = plans.after_decision(plan, interval_days, decided_on, held_on)
    await store.save_plan(tx, decided)
    await publish(tx, plan_event(PlanChanged, decided, held_on))
    await asking.plan_again(tx, patient, decided)
    return decided


async def take_back(
    tx: Transaction, patient: Patient, plan: Plan, proposal: UUID, before: tuple[int, date] | None
) -> Plan:
    """Give a plan the interval that it had before a decision that was taken back. What is booked stays."""
    held_on = await store.attended_on(tx, plan.id)
    today = to_wall(tx.now, patient.zone).date()
    stood = plans.after_taking_back(plan, before, today, held_on)
    await store.save_plan(tx, stood)
    await publish(tx, plan_event(PlanChanged, stood, held_on, taken_back=proposal))
    await asking.plan_again(tx, patient, stood)
    return stood
