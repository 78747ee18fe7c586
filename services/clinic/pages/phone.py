"""Answers that staff take by phone: the questions in the patient's language, and what an answer calls for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.patient import Patient
from services.clinic.model.roles import Permission
from services.clinic.pages.console import patient_path
from services.clinic.pages.page_request import PageRequest, PageRoute, see
from services.clinic.pages.patient import PatientPages
from services.clinic.store import responses
from services.clinic.views.components import (
    FormState,
    Notice,
    Person,
    Tone,
    say_born,
    say_instrument,
    say_language,
    say_occurrence,
)
from services.clinic.views.patient import Choice
from services.clinic.views.phone import WORDS, PhonePage, Question, QuestionGroup, Questionnaire, answers_of, field_of
from shared.languages import Language
from shared.telemetry.log import get_logger
from shared.web.problems import Conflict, NotFound, Problem

log = get_logger(__name__)

_WAITING = ("open", "partial")
_MOST_SCORES = 100


@dataclass(frozen=True)
class Call:
    """A check-in that is answered by phone, or a score that is corrected: whose, what is asked, and in which words.

    `given` is what was answered before, by field, where it is corrected.
    """

    checkin: UUID
    version: int
    patient: Patient
    occurrence: str
    asked: Questionnaire
    number: int
    count: int
    language: Language
    score: UUID | None = None
    given: Mapping[str, str] = field(default_factory=dict)

    def page(self, form: FormState) -> PhonePage:
        """Return the page with what was typed."""
        others = tuple(Choice(str(one), say_language(one)) for one in Language if one is not self.language)
        what = f"{say_instrument(self.asked.id)}, {say_occurrence(self.occurrence)}".removesuffix(", ")
        person = Person(self.patient.id, self.patient.name)
        place = f"/console/checkins/{self.checkin}"
        return PhonePage(
            action=f"{place}/answers" if self.score is None else f"{place}/results/{self.score}/correct",
            corrects=self.score is not None,
            person=person,
            what=what,
            asked=self.asked,
            number=self.number,
            count=self.count,
            language=str(self.language),
            others=others,
            form=form,
            born=say_born(self.patient.birth_date),
        )


def router(pages: PatientPages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    console = pages.console

    @routes.get("/console/checkins/{checkin}/answers")
    async def ask(checkin: UUID, request: Request, language: Language | None = None) -> Response:
        here = await console.authorize(request, Permission.RECORD_CHECKINS)
        return await show_questions(pages, here, await _call(pages, here, checkin, language), FormState())

    @routes.post("/console/checkins/{checkin}/answers")
    async def take(checkin: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.RECORD_CHECKINS)
        form = await here.form()
        call = await _call(pages, here, checkin, _language(form))
        if form.get("instrument") != call.asked.id:
            return see(f"/console/checkins/{checkin}/answers")
        given, missing = answers_of(call.asked, form)
        if missing:
            return await show_questions(
                pages, here, call, FormState(form, missing), status=HTTPStatus.UNPROCESSABLE_ENTITY
            )
        body = {"instrument": call.asked.id, **given, "entered_by": here.user.member.name}
        try:
            answer = await console.client.send(
                "assessments",
                f"/checkins/{checkin}/answers",
                body,
                principal=here.principal,
                idempotency_key=form.get("key"),
            )
        except Problem as problem:
            errors = {field_of(call.asked, flaw.pointer): flaw.detail for flaw in problem.errors}
            return await show_questions(
                pages, here, call, FormState(form, errors), problem=problem, status=problem.status
            )
        await console.note(here, "checkin.answered", thing=checkin, patient=call.patient.id)
        await _follow(pages, here, checkin, answer)
        if answer["alert"]:
            return console.done("taken-alert", patient_path(call.patient.id))
        more = answer["state"] in _WAITING
        return console.done("taken", f"/console/checkins/{checkin}/answers" if more else patient_path(call.patient.id))

    return routes


async def _call(pages: PatientPages, here: PageRequest, checkin: UUID, language: Language | None) -> Call:
    """Return what is asked next.

    Raises:
        NotFound: the clinic has no such check-in.
        Conflict: nothing of it is to be answered any more.
        Unavailable: the owner does not answer.
    """
    console, principal = pages.console, here.principal
    about = await pages.owner(principal.clinic, responses.CHECKIN, checkin)
    async with console.database.transaction() as tx:
        patient = await console.patient_commands.read(tx, principal, about)
    held = await console.client.get("assessments", f"/checkins/{checkin}", principal=principal)
    path = f"/patients/{about}/scores?limit={_MOST_SCORES}"
    scores = (await console.client.get("assessments", path, principal=principal))["items"]
    counting = [score for score in scores if score["voided"] is None]
    done = {score["instrument"] for score in counting if score["checkin"] == str(checkin)}
    left = [one for one in held["instruments"] if one not in done]
    if held["state"] not in _WAITING or not left:
        raise Conflict(f"The check-in of {patient.name} is closed: it takes no more answers.")
    known = (await console.client.get("assessments", "/instruments", principal=principal))["items"]
    spoken = language or patient.language
    asked = _questionnaire(_one([one for one in known if one["id"] == left[0]], left[0]), spoken)
    count = len(held["instruments"])
    return Call(checkin, held["version"], patient, held["occurrence"], asked, count - len(left) + 1, count, spoken)


def _one(found: Sequence[Mapping[str, Any]], instrument: str) -> Mapping[str, Any]:
    if not found:
        raise Conflict(f"The questions of {instrument} are not known here, so they cannot be asked by phone.")
    return found[0]


async def asked_again(pages: PatientPages, here: PageRequest, checkin: UUID, score: UUID) -> Call:
    """Return the questions of a score, with what was answered to each.

    Raises:
        NotFound: the clinic has no such check-in or score.
        Unavailable: the owner does not answer.
    """
    console, principal = pages.console, here.principal
    about = await pages.owner(principal.clinic, responses.CHECKIN, checkin)
    async with console.database.transaction() as tx:
        patient = await console.patient_commands.read(tx, principal, about)
    path = f"/patients/{about}/scores?limit={_MOST_SCORES}"
    scores = (await console.client.get("assessments", path, principal=principal))["items"]
    held = next((one for one in scores if one["id"] == str(score) and one["voided"] is None), None)
    if held is None:
        raise NotFound("There is no such score of this patient, or it counts no more.")
    known = (await console.client.get("assessments", "/instruments?every_version=true", principal=principal))["items"]
    name, version = held["instrument"], held["instrument_version"]
    asked = _questionnaire(
        _one([one for one in known if (one["id"], one["version"]) == (name, version)], name), Language.EN
    )
    given = {f"q-{item}": str(value) for item, value in held["answers"].items()} | {WORDS: held["words"] or ""}
    return Call(checkin, 0, patient, "", asked, 1, 1, Language.EN, score, given)


async def show_questions(
    pages: PatientPages,
    here: PageRequest,
    call: Call,
    form: FormState,
    *,
    problem: Problem | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    console = pages.console
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        notices = (Notice(problem.detail, Tone.DANGER),) if problem else ()
        return await console.show(
            here, reader, clinic, call.page(form), template="phone", place="patients", notices=notices, status=status
        )


async def _follow(pages: PatientPages, here: PageRequest, checkin: UUID, answer: Mapping[str, Any]) -> None:
    """Let the patient's page know of the answers and of the alert that they raised."""
    console, principal = pages.console, here.principal
    try:
        held = await console.client.get("assessments", f"/checkins/{checkin}", principal=principal)
        if answer["alert"]:
            alert = await console.client.get("assessments", f"/alerts/{answer['alert']}", principal=principal)
            await console.own_writes.wait_for(responses.RAISED, principal.clinic, alert)
    except Problem as problem:
        # The answers are kept; the page shows them once their events have come.
        log.warning("checkin.not-followed", checkin=str(checkin), status=int(problem.status))
        return
    if held["state"] == "completed":
        taken = {**held, "scores": answer["scores"], "taken_by": here.user.member.name}
        await console.own_writes.wait_for(responses.TAKEN, principal.clinic, taken)
    else:
        await console.own_writes.wait_for(responses.CHECKIN, principal.clinic, held)


def _language(form: Mapping[str, str]) -> Language | None:
    return Language(form["language"]) if form.get("language") in set(Language) else None


def _questionnaire(one: Mapping[str, Any], language: Language) -> Questionnaire:
    words = one["languages"][str(language)]
    groups = tuple(
        QuestionGroup(section["stem"], tuple(_question(item) for item in section["items"]))
        for section in words["sections"]
    )
    return Questionnaire(one["id"], words["title"], words["notice"], groups, words["words"])


def _question(item: Mapping[str, Any]) -> Question:
    options = tuple(Choice(str(option["value"]), option["text"]) for option in item["options"])
    return Question(item["id"], item["text"], item["required"], options)
