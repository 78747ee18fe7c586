"""The interface for programs: check-ins, scores, alerts, proposals, rules."""

from fastapi import APIRouter

from services.assessments.api import alerts, checkins, instruments, proposals, rules, scores
from services.assessments.api.access import Access
from services.assessments.dependencies import Dependencies
from shared.database import Database


def router(database: Database, deps: Dependencies) -> APIRouter:
    """Return the routes of this service below /api/v1."""
    routes = APIRouter(prefix="/api/v1", tags=["assessments"])
    access = Access(database, deps)
    for part in (checkins, scores, alerts, proposals, rules, instruments):
        part.add(routes, access)
    return routes
