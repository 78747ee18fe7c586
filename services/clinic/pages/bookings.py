"""What staff say of a session that is booked away from the day on which it is due: the patient was asked, it stays."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.roles import Permission
from services.clinic.pages.console import Console, patient_path
from services.clinic.pages.page_request import PageRoute
from services.clinic.store import bookings, patients
from shared.ids import PatientId
from shared.web.api import day_of, moment_of
from shared.web.problems import NotFound


def router(console: Console) -> APIRouter:
    """Return the route."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    @routes.post("/console/bookings/{session}/stays")
    async def stays(session: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.PLAN_SESSIONS)
        form = await here.form()
        due_on, starts_at = _which(form)
        clinic, member = here.principal.clinic, here.user.member
        async with console.database.transaction() as tx:
            owner = await bookings.keep(tx, clinic, session, due_on=due_on, starts_at=starts_at, by=str(member.id))
            if owner is None:
                raise NotFound("There is no such session in this clinic.")
            shown = await patients.goes_on_in(tx, clinic, PatientId(owner))
            console.live_updates.after(tx, clinic, "sessions")
        await console.note(here, "booking.kept", thing=session, patient=owner)
        return console.done("stays", "/console/today" if form.get("back") == "today" else patient_path(shown))

    return routes


def _which(form: dict[str, str]) -> tuple[date, datetime]:
    """Return the due date and the start that a form speaks of.

    Raises:
        NotFound: it names none.
    """
    try:
        return day_of(form.get("due_on", "")), moment_of(form.get("starts_at", ""))
    except ValueError as error:
        raise NotFound("This form names no booking. Open the page again.") from error
