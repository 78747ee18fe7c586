"""The interface for programs: check-ins, scores, alerts, proposals, rules."""

from fastapi import APIRouter

from services.assessments.api import alerts, checkins, instruments, proposals, rules, scores
from services.assessments.api.desk import Desk
from services.assessments.kit import Kit
from shared.database import Database


def router(database: Database, kit: Kit) -> APIRouter:
    """Return the routes of this service below /api/v1."""
    routes = APIRouter(prefix="/api/v1", tags=["assessments"])
    desk = Desk(database, kit)
    for part in (checkins, scores, alerts, proposals, rules, instruments):
        part.add(routes, desk)
    return routes
