"""The day with what waits, each kind of what waits page by page, and all alerts."""

from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.clinic.model.clinic import Clinic
from services.clinic.model.reads import NOT_CLOSED, CheckinState, MessageState, ProposalState
from services.clinic.model.worklist import DUE_SOON, Failure, Found, Worklist
from services.clinic.pages.console import Console
from services.clinic.pages.page_request import PageRoute
from services.clinic.store import answers, bookings, notices, reads, worklist
from services.clinic.store.unreached import unreached
from services.clinic.views.answers import answer_row, silent_row, unasked_row
from services.clinic.views.bookings import off_window_row
from services.clinic.views.compose_today import Day, alerts_page, today_page
from services.clinic.views.contacts import unreached_row
from services.clinic.views.rows import due_row, reply_row, unrecorded_row
from services.clinic.views.today import WaitingPage
from shared.database import Reader
from shared.walltime import to_instant, to_wall
from shared.web.api import Day as AskedDay
from shared.web.problems import NotFound

_FIRST = 8
"""Rows of a kind that the day shows; the others stand on a page of their own."""
_PAGE = 50
_LAST_PAGE = 1000
Number = Annotated[int, Query(alias="page", ge=1, le=_LAST_PAGE)]
Waiting = Literal["unrecorded", "due", "bookings", "replies", "answers", "silent", "unasked", "contacts"]
_TITLES = {
    "unrecorded": ("Sessions to record", "Say of each whether the patient came. Check-ins and the plan wait for it."),
    "due": ("Sessions to book", "The next session is due within a week or has passed, and none is booked."),
    "bookings": (
        "Sessions booked away from their due date",
        "Ask each patient whether another time suits. Each is gone once it is moved, or said to stay.",
    ),
    "replies": ("Texts to read", "The gravest first, then the oldest."),
    "answers": ("Answers to see", "What patients answered and nobody has looked at yet, the oldest first."),
    "silent": (
        "Patients who have fallen silent",
        "The last two check-ins came back unanswered, or nothing came for 14 days. The longest silent first.",
    ),
    "unasked": (
        "Patients who cannot be asked",
        "No text or e-mail of their last check-ins went out. Ask them by phone, and enter the answers on their page.",
    ),
    "contacts": (
        "Contacts to put right",
        "Nothing arrives at a number or address, or there is none that may be used. Each is gone once it is put right.",
    ),
}


def router(console: Console) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    _days(routes, console)
    _waiting(routes, console)

    @routes.get("/console/alerts")
    async def alerts(request: Request) -> Response:
        here = await console.authorize(request)
        await console.note(here, "alerts.read")
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            found = await reads.alerts(reader, reads.Wanted(clinic.id), console.keyring)
            names = await console.names(reader, clinic.id, found)
            view = alerts_page(found, names, clinic.zone, reader.now)
            return await console.show(here, reader, clinic, view, template="alerts")

    return routes


def _days(routes: APIRouter, console: Console) -> None:
    @routes.get("/console/today")
    async def today(request: Request, day: AskedDay | None = None) -> Response:
        here = await console.authorize(request)
        await console.note(here, "day.read")
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            present = to_wall(reader.now, clinic.zone).date()
            shown = day or present
            held = await _day(console, reader, clinic, shown, is_today=shown == present)
            names = await _names(console, reader, clinic, held)
            view = today_page(shown, held, names, now=reader.now, zone=clinic.zone)
            return await console.show(here, reader, clinic, view, template="today")

    @routes.post("/console/calls/{message}/called")
    async def called(message: UUID, request: Request) -> Response:
        here = await console.authorize(request)
        await here.form()
        clinic, member = here.principal.clinic, here.user.member
        async with console.database.transaction() as tx:
            if not await notices.called(tx, clinic, message, by=str(member.id)):
                raise NotFound("There is nobody to call about this any more. Open Today again.")
            console.live_updates.after(tx, clinic, "messages")
        await console.note(here, "change.called", thing=message)
        return console.done("called", "/console/today")

    @routes.post("/console/failures/seen")
    async def seen(request: Request) -> Response:
        here = await console.authorize(request)
        failure = _failure(await here.form())
        clinic, member = here.principal.clinic, here.user.member
        async with console.database.transaction() as tx:
            await worklist.saw_failures(tx, clinic, failure, by=str(member.id))
            console.live_updates.after(tx, clinic, "messages")
        await console.note(here, "failures.seen")
        return console.done("seen", "/console/today")


def _waiting(routes: APIRouter, console: Console) -> None:
    @routes.get("/console/waiting/{kind}")
    async def waiting(kind: Waiting, request: Request, number: Number = 1) -> Response:
        here = await console.authorize(request)
        await console.note(here, f"{kind}.listed")
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            zone, now, skip = clinic.zone, reader.now, (number - 1) * _PAGE
            today = to_wall(now, zone).date()
            rows: dict[str, tuple[Any, ...]]
            found: Found[Any]
            if kind == "unrecorded":
                found = await worklist.unrecorded(reader, clinic.id, _start(today, zone), limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(unrecorded_row(one, names, zone, now) for one in found.rows)}
            elif kind == "due":
                found = await worklist.due(reader, clinic.id, today + DUE_SOON, limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(due_row(one, names, today) for one in found.rows)}
            elif kind == "bookings":
                found = await bookings.off_window(reader, clinic.id, limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(off_window_row(one, names) for one in found.rows)}
            elif kind == "answers":
                found = await answers.unseen(reader, clinic.id, console.keyring, limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(answer_row(one, names, zone) for one in found.rows)}
            elif kind == "silent":
                found = await answers.silent(reader, clinic.id, now, limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(silent_row(one, names, now, zone) for one in found.rows)}
            elif kind == "unasked":
                found = await answers.unasked(reader, clinic.id, now, limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(unasked_row(one, names, now, zone) for one in found.rows)}
            elif kind == "contacts":
                found = await unreached(reader, clinic.id, limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(unreached_row(one, names, zone) for one in found.rows)}
            else:
                found = await worklist.unread(reader, clinic.id, console.keyring, limit=_PAGE, skip=skip)
                names = await console.names(reader, clinic.id, found.rows)
                rows = {kind: tuple(reply_row(one, names, zone, now) for one in found.rows)}
            title, under = _TITLES[kind]
            following = number + 1 if found.total > skip + _PAGE else None
            view = WaitingPage(f"{found.total} {title.lower()}", under, kind, number, following, **rows)
            return await console.show(here, reader, clinic, view, template="waiting", place="today")


async def _day(console: Console, reader: Reader, clinic: Clinic, day: date, *, is_today: bool) -> Day:
    zone, mine = clinic.zone, clinic.id
    start, end = _start(day, zone), _start(day + timedelta(days=1), zone)
    sessions = await reads.sessions_between(reader, mine, start, end)
    if not is_today:
        return Day(sessions)
    unclosed = reads.Wanted(mine, states=NOT_CLOSED)
    asked = [CheckinState.OPEN, CheckinState.PARTIAL]
    out = reads.Wanted(mine, states=asked)
    to_decide = reads.Wanted(mine, states=[ProposalState.OPEN])
    return Day(
        sessions=sessions,
        alerts=await reads.alerts(reader, unclosed, console.keyring),
        checkins=Found(await reads.checkins(reader, out, limit=_FIRST), await reads.count_checkins(reader, out)),
        proposals=Found(
            await reads.proposals(reader, to_decide, console.keyring, limit=_FIRST),
            await reads.count_proposals(reader, to_decide),
        ),
        findings=await worklist.findings(reader, mine),
        waiting=Worklist(
            unrecorded=await worklist.unrecorded(reader, mine, start, limit=_FIRST),
            due=await worklist.due(reader, mine, day + DUE_SOON, limit=_FIRST),
            off_window=await bookings.off_window(reader, mine, limit=_FIRST),
            replies=await worklist.unread(reader, mine, console.keyring, limit=_FIRST),
            failures=await worklist.failures(reader, mine, limit=_FIRST),
            calls=await notices.to_call(reader, mine, limit=_FIRST),
            answers=await answers.unseen(reader, mine, console.keyring, limit=_FIRST),
            silent=await answers.silent(reader, mine, reader.now, limit=_FIRST),
            unasked=await answers.unasked(reader, mine, reader.now, limit=_FIRST),
            unreached=await unreached(reader, mine, limit=_FIRST),
        ),
    )


async def _names(console: Console, reader: Reader, clinic: Clinic, held: Day) -> Any:
    waiting = held.waiting
    things = chain(held.sessions, held.alerts, held.checkins.rows, held.proposals.rows)
    work = chain(
        waiting.unrecorded.rows,
        waiting.due.rows,
        waiting.off_window.rows,
        waiting.replies.rows,
        waiting.calls.rows,
        waiting.answers.rows,
        waiting.silent.rows,
        waiting.unasked.rows,
        waiting.unreached.rows,
    )
    failed = [patient for failure in waiting.failures.rows for patient in failure.patients]
    return await console.names(reader, clinic.id, things, work, also=failed)


def _failure(form: dict[str, str]) -> Failure:
    """Return which messages a form is about.

    Raises:
        NotFound: the form names none.
    """
    try:
        until = datetime.fromisoformat(form.get("until", ""))
        state = MessageState(form.get("state", ""))
    except ValueError as error:
        raise NotFound("This form names no messages. Open Today again.") from error
    return Failure(state, form.get("channel", ""), form.get("cause", ""), 0, 0, (), until, until)


def _start(day: date, zone: str) -> datetime:
    return to_instant(datetime.combine(day, time()), zone)
