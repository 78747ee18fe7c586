"""What follows for plans and sessions where a patient moves home or leaves."""

from services.scheduler import store
from services.scheduler.commands import asking, booking, timers
from services.scheduler.model import plans
from services.scheduler.model.patients import Patient
from services.scheduler.model.sessions import DISCHARGED
from services.scheduler.published_events import plan_event
from shared.bus import publish
from shared.database import Transaction
from shared.events import (
    PlanChanged,
)


async def move_home(tx: Transaction, patient: Patient) -> None:
    """Ask a patient at ten where they now live. Sessions keep their wall time and zone: the clinic did not move."""
    plan = await store.active_plan(tx, patient.id)
    await asking.move_home(tx, patient, plan)
    if plan is not None:
        await timers.retime_booking(tx, patient, plan)


async def discharge(tx: Transaction, patient: Patient) -> None:
    """End everything: open sessions are cancelled, the plan ends, no timer is left."""
    for session in await store.open_sessions(tx, patient.id):
        await booking.cancel(tx, patient, session, code=DISCHARGED)
    if (plan := await store.active_plan(tx, patient.id)) is not None:
        ended = plans.ended(plan)
        await store.save_plan(tx, ended)
        await publish(tx, plan_event(PlanChanged, ended, await store.attended_on(tx, ended.id)))
    await timers.end(tx, patient.id)
