"""Events of other services as rows of the read models: what an event says stands in the columns of the same names."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table

from services.clinic.tables import PLANS, SESSIONS
from shared.events import Event, PlanStarted, SessionEvent
from shared.walltime import parse_wall


def row_of(event: Event, table: Table, thing: UUID) -> dict[str, Any]:
    """Return a row of a thing that an event tells of: every field for which the table has a column of its name."""
    return {"id": thing, **{name: value for name, value in event if name in table.c}}


def session_row(event: SessionEvent) -> dict[str, Any]:
    return {**row_of(event, SESSIONS, event.session), "starts_at": parse_wall(event.starts_at)}


def plan_row(event: PlanStarted) -> dict[str, Any]:
    return row_of(event, PLANS, event.plan)
