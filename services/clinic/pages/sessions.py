"""What is done about a session: move, cancel, attended, missed, and putting right what was recorded."""

from collections.abc import Callable, Mapping
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.reads import Plan
from services.clinic.model.roles import Permission
from services.clinic.pages.followed import has_changed
from services.clinic.pages.page_request import PageRoute
from services.clinic.pages.patient import PatientPages, ServiceCall
from services.clinic.store import responses

_ENDINGS = {"cancel": "cancelled", "attend": "attended", "miss": "missed"}


def router(pages: PatientPages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    @routes.post("/console/sessions/{session}/move")
    async def move(session: UUID, request: Request) -> Response:
        here = await pages.console.authorize(request, Permission.PLAN_SESSIONS)
        form = await here.form()
        patient = await pages.owner(here.principal.clinic, responses.SESSION, session)
        async with pages.console.database.reading() as reader:
            zone = (await pages.console.clinic(reader, here.principal.clinic)).zone
        body = {
            "starts_at": form.get("starts_at", "")[:16],
            "zone": zone,
            **({"odd_hour": True} if form.get("odd_hour") == "yes" else {}),
        }
        call = ServiceCall(
            "scheduler",
            f"/sessions/{session}",
            body,
            responses.SESSION,
            "moved",
            f"move-{session}",
            method="PATCH",
            changes=session,
        )
        return await pages.carry_out(here, patient, call, form)

    @routes.post("/console/sessions/{session}/correct")
    async def correct(session: UUID, request: Request) -> Response:
        here = await pages.console.authorize(request, Permission.PLAN_SESSIONS)
        form = await here.form()
        patient = await pages.owner(here.principal.clinic, responses.SESSION, session)
        body = {"state": form.get("state", ""), "reason": form.get("reason", "")}
        path = f"/sessions/{session}/correct"
        call = ServiceCall(
            "scheduler", path, body, responses.SESSION, "put-right", f"correct-{session}", plan_follows=_follows_session
        )
        return await pages.carry_out(here, patient, call, form)

    @routes.post("/console/sessions/{session}/{ending}")
    async def end(session: UUID, ending: Literal["cancel", "attend", "miss"], request: Request) -> Response:
        here = await pages.console.authorize(request, Permission.PLAN_SESSIONS)
        form = await here.form()
        patient = await pages.owner(here.principal.clinic, responses.SESSION, session)
        body = {"reason": form["reason"]} if form.get("reason", "").strip() else {}
        call = ServiceCall(
            "scheduler",
            f"/sessions/{session}/{ending}",
            body,
            responses.SESSION,
            _ENDINGS[ending],
            f"{ending}-{session}",
            back="/console/today" if form.get("back") == "today" else None,
            changes=session if ending == "cancel" else None,
            plan_follows=_follows_session if ending == "attend" else None,
        )
        return await pages.carry_out(here, patient, call, form)

    return routes


def _follows_session(answer: Mapping[str, Any], plan: UUID) -> Callable[[Plan], bool] | None:
    """Return how a plan follows from what was recorded of a session: of one that is not under it nothing follows."""
    return has_changed if answer.get("plan") == str(plan) else None
