"""A plan that another service's event changes: the page waits until the clinic has heard of it, or says so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.clinic.model.reads import Plan
from services.clinic.pages.console import Console
from services.clinic.store import reads
from shared.database import Reader
from shared.ids import ClinicId, PatientId

PATIENCE: Final = 3.0
"""Real seconds to wait for the plan: a decision travels to the scheduler, and the plan's new version back."""


@dataclass(frozen=True)
class Awaited:
    """A plan as it stood before an order, and how it is known to have followed.

    Attributes:
        before: None where the patient has no plan that runs; then nothing follows.
    """

    console: Console
    clinic: ClinicId
    before: Plan | None

    async def word(self, said: str, follows: Callable[[Plan], bool]) -> str:
        """Return which note is shown: `said`, or that the plan is still to follow."""
        before = self.before
        if before is None:
            return said

        async def has_followed(reader: Reader) -> str | None:
            plan = await reads.plan(reader, self.clinic, before.patient)
            if plan is None or plan.id != before.id or (plan.version > before.version and follows(plan)):
                return said
            return None

        return await self.console.own_writes.first(has_followed, PATIENCE) or f"{said}-follows"


async def standing(console: Console, clinic: ClinicId, patient: PatientId) -> Awaited:
    """Return the plan of a patient as it stands before an order."""
    async with console.database.reading() as reader:
        plan = await reads.plan(reader, clinic, patient)
    return Awaited(console, clinic, plan if plan is not None and plan.active else None)


def has_interval(days: int | None) -> Callable[[Plan], bool]:
    """Return how a plan that follows a decision is known; in a series the interval waits for its end."""
    return lambda plan: days is None or not plan.induction_complete or plan.interval_days == days


def has_ended(plan: Plan) -> bool:
    return not plan.active


def has_changed(_plan: Plan) -> bool:
    """Take any newer version of a plan."""
    return True
