"""Answers that came: who has seen them, and what staff change of a score."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.roles import Permission
from services.clinic.pages.console import Console, patient_path
from services.clinic.pages.page_request import PageRequest, PageRoute, see
from services.clinic.pages.patient import PatientPages, ServiceCall
from services.clinic.pages.phone import asked_again, show_questions
from services.clinic.store import answers, responses
from services.clinic.views.components import FormState
from services.clinic.views.phone import answers_of
from shared.database import Transaction
from shared.ids import ClinicId
from shared.web.problems import NotFound, Problem

See = Callable[[Transaction, ClinicId, UUID, str], Awaitable[UUID | None]]


def router(pages: PatientPages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    _seen(routes, pages.console)
    _changes(routes, pages)
    return routes


def _seen(routes: APIRouter, console: Console) -> None:
    @routes.post("/console/checkins/{checkin}/seen")
    async def checkin_seen(checkin: UUID, request: Request) -> Response:
        return await _note_seen(console, await console.authorize(request), answers.see_checkin, checkin)

    @routes.post("/console/further/{further}/seen")
    async def further_seen(further: UUID, request: Request) -> Response:
        return await _note_seen(console, await console.authorize(request), answers.see_further, further)


async def _note_seen(console: Console, here: PageRequest, see_first: See, thing: UUID) -> Response:
    form = await here.form()
    clinic = here.principal.clinic
    async with console.database.transaction() as tx:
        patient = await see_first(tx, clinic, thing, here.user.member.name)
        if patient is None:
            raise NotFound("There are no such answers in this clinic.")
        console.live_updates.after(tx, clinic, "checkins")
    await console.note(here, "answers.seen", thing=thing, patient=patient)
    return see("/console/today" if form.get("back") == "today" else patient_path(patient))


def _changes(routes: APIRouter, pages: PatientPages) -> None:
    console = pages.console

    @routes.post("/console/checkins/{checkin}/results/{score}/void")
    async def void(checkin: UUID, score: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.RECORD_CHECKINS)
        form = await here.form()
        patient = await pages.owner(here.principal.clinic, responses.CHECKIN, checkin)
        body = {"reason": form.get("reason", "").strip()}
        call = ServiceCall("assessments", f"/scores/{score}/void", body, responses.CHANGED, "voided", f"void-{score}")
        return await pages.carry_out(here, patient, call, form)

    @routes.get("/console/checkins/{checkin}/results/{score}/correct")
    async def ask(checkin: UUID, score: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.RECORD_CHECKINS)
        asked = await asked_again(pages, here, checkin, score)
        return await show_questions(pages, here, asked, FormState(asked.given))

    @routes.post("/console/checkins/{checkin}/results/{score}/correct")
    async def correct(checkin: UUID, score: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.RECORD_CHECKINS)
        form = await here.form()
        asked = await asked_again(pages, here, checkin, score)
        given, wrong = answers_of(asked.asked, form)
        reason = form.get("reason", "").strip()
        if not reason:
            wrong = {**wrong, "reason": "Say why the answers were otherwise."}
        if wrong:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return await show_questions(pages, here, asked, FormState(form, wrong), status=status)
        try:
            answer = await console.client.send(
                "assessments",
                f"/scores/{score}/correct",
                {**given, "reason": reason},
                principal=here.principal,
                idempotency_key=form.get("key"),
            )
        except Problem as problem:
            return await show_questions(pages, here, asked, FormState(form), problem=problem, status=problem.status)
        await console.note(here, "patient.corrected", thing=checkin, patient=asked.patient.id)
        await console.own_writes.wait_for(responses.CHANGED, here.principal.clinic, answer)
        return console.done("corrected", patient_path(asked.patient.id))
