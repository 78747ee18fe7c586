"""The day, and all alerts."""

from datetime import date, datetime, time, timedelta
from itertools import chain

from fastapi import APIRouter, Request, Response

from services.clinic.model.clinic import Clinic
from services.clinic.model.reads import AlertState, CheckinState, MessageState, ProposalState
from services.clinic.pages.console import Console
from services.clinic.pages.visit import PageRoute
from services.clinic.store import reads
from services.clinic.tables import ALERTS, CHECKINS, MESSAGES, PROPOSALS, REPLIES
from services.clinic.views.compose_today import Day, alerts_page, today_page
from shared.database import Reader
from shared.walltime import to_instant, to_wall

_TROUBLES = timedelta(days=7)
_MOST = 12


def router(console: Console) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    @routes.get("/console/today")
    async def today(request: Request, day: date | None = None) -> Response:
        here = await console.visit(request)
        await console.note(here, "day.read")
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            shown = day or to_wall(reader.now, clinic.zone).date()
            held = await _day(console, reader, clinic, shown)
            things = chain(held.sessions, held.alerts, held.checkins, held.proposals, held.replies, held.troubles)
            names = await console.names(reader, clinic.id, things)
            view = today_page(shown, held, names, now=reader.now, zone=clinic.zone)
            return await console.show(here, reader, clinic, view, template="today")

    @routes.get("/console/alerts")
    async def alerts(request: Request) -> Response:
        here = await console.visit(request)
        await console.note(here, "alerts.read")
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            found = await reads.alerts(reader, reads.of_clinic(ALERTS, clinic.id), console.keyring)
            names = await console.names(reader, clinic.id, found)
            return await console.show(here, reader, clinic, alerts_page(found, names, clinic.zone), template="alerts")

    return routes


async def _day(console: Console, reader: Reader, clinic: Clinic, day: date) -> Day:
    start = to_instant(datetime.combine(day, time()), clinic.zone)
    end = to_instant(datetime.combine(day + timedelta(days=1), time()), clinic.zone)
    open_alerts = reads.of_clinic(ALERTS, clinic.id) & reads.any_of(ALERTS, [AlertState.OPEN])
    waiting = reads.of_clinic(CHECKINS, clinic.id) & reads.any_of(CHECKINS, [CheckinState.OPEN, CheckinState.PARTIAL])
    to_decide = reads.of_clinic(PROPOSALS, clinic.id) & reads.any_of(PROPOSALS, [ProposalState.OPEN])
    failed = reads.of_clinic(MESSAGES, clinic.id) & reads.any_of(MESSAGES, [MessageState.FAILED, MessageState.WITHHELD])
    recent = failed & (MESSAGES.c.at >= reader.now - _TROUBLES)
    return Day(
        sessions=await reads.sessions(reader, reads.between(clinic.id, start, end)),
        alerts=await reads.alerts(reader, open_alerts, console.keyring),
        checkins=await reads.checkins(reader, waiting),
        proposals=await reads.proposals(reader, to_decide, console.keyring),
        replies=await reads.unread(reader, reads.of_clinic(REPLIES, clinic.id), console.keyring),
        troubles=await reads.messages(reader, recent, limit=_MOST),
    )
