"""One patient's page, and what is asked on it of other services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.contacts import region_of
from services.clinic.model.duplicates import Duplicate, duplicates_of
from services.clinic.model.patient import Patient, PatientState
from services.clinic.model.reads import Plan
from services.clinic.model.reasons import Reason
from services.clinic.model.roles import Permission, may
from services.clinic.model.searching import Entry
from services.clinic.pages.change_notes import Word, word_of
from services.clinic.pages.console import Console, patient_path
from services.clinic.pages.followed import Awaited, standing
from services.clinic.pages.page_request import HIDDEN, PageRequest, PageRoute
from services.clinic.store import answers, bookings, checks, doubts, patients, read_models, reads, reasons, responses
from services.clinic.views.components import FormState, Notice, Tone
from services.clinic.views.compose_patient import Record, patient_page
from services.clinic.views.plain_words import in_plain_words
from services.clinic.views.record import RecordFile, record_file
from shared.database import Reader
from shared.ids import ClinicId, PatientId
from shared.web.problems import NotFound, Problem

_MOST = 60


PlanFollows = Callable[[Mapping[str, Any], UUID], Callable[[Plan], bool] | None]
"""By the owner's answer and the id of the plan that runs: how that plan is known to have followed; None if it stays."""


@dataclass(frozen=True)
class ServiceCall:
    """What is asked of the owner of a thing, and what it is about.

    Attributes:
        said: the word for what was done (see `SAID`).
        thing: names the form, so that what was typed comes back into it when the call fails.
        back: where to go when it is done; the patient's page where absent.
        changes: the session whose time changes or falls away, of which the patient may have been told.
        plan_follows: whose plan the answer says to follow, and how that is known; None where the plan stays as it is.
        reason_by_event: the owner tells the reason by event, so that it is kept whether it came by page or by REST.
    """

    service: str
    path: str
    body: Mapping[str, Any]
    kind: responses.Kind
    said: str
    thing: str = ""
    method: str = "POST"
    back: str | None = None
    changes: UUID | None = None
    plan_follows: PlanFollows | None = None
    reason_by_event: bool = False


class PatientPages:
    """Shows a patient, and calls the owners of what is changed on it."""

    def __init__(self, console: Console) -> None:
        self.console = console

    async def show(
        self, here: PageRequest, patient: UUID, *, problem: Problem | None = None, form: FormState | None = None
    ) -> Response:
        """Return the page; with a problem, what was typed comes back with what is wrong."""
        console = self.console
        async with console.database.transaction() as tx:
            noted = await console.noted(tx, here, "patient.read", thing=patient, patient=PatientId(patient))
            found = await console.patient_commands.read(tx, here.principal, patient, note=not noted)
        sources = await console.other_services.sources(here.principal)
        unsigned = await console.other_services.unsigned(here.principal)
        protocols = await console.other_services.protocols(here.principal)
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            record = await _record(console, reader, found)
            form = form and _plain(form, clinic.zone)
            view = patient_page(
                found,
                record,
                role=here.role,
                now=reader.now,
                zone=clinic.zone,
                sources=sources,
                off=frozenset(unsigned),
                protocols=protocols,
                crisis=clinic.crisis[found.language],
                form=form,
                file=await _file(console, reader, found, clinic.zone, may_join=may(here.role, Permission.DISCHARGE)),
                region=region_of(clinic.phone),
            )
            notices = (Notice(in_plain_words(_words(problem), clinic.zone), Tone.DANGER),) if problem else ()
            status = problem.status if problem else HTTPStatus.OK
            return await console.show(
                here, reader, clinic, view, template="patient", place="patients", notices=notices, status=status
            )

    async def carry_out(self, here: PageRequest, patient: UUID, call: ServiceCall, form: Mapping[str, str]) -> Response:
        """Ask something of its owner and go back to the page, which shows it; nothing typed is lost on the way."""
        console, version = self.console, form.get("version")
        async with console.database.reading() as reader:
            shown = await patients.goes_on_in(reader, here.principal.clinic, PatientId(patient))
        plan = await standing(console, here.principal.clinic, PatientId(patient)) if call.plan_follows else None
        try:
            answer = await console.client.send(
                call.service,
                call.path,
                call.body,
                principal=here.principal,
                idempotency_key=form.get("key"),
                if_match=int(version) if version and version.isdecimal() else None,
                method=call.method,
            )
        except Problem as problem:
            errors = {flaw.pointer.removeprefix("/"): flaw.detail for flaw in problem.errors}
            return await self.show(here, shown, problem=problem, form=FormState(form, errors, call.thing))
        await console.note(here, f"patient.{call.said}", patient=patient)
        await self._keep_reason(here, patient, call, answer)
        await console.own_writes.wait_for(call.kind, here.principal.clinic, answer)
        word = Word(call.said)
        if call.changes is not None:
            word = await word_of(console, here.principal.clinic, call.changes, call.said)
        if plan is not None:
            word = Word(await _followed(plan, call, answer))
        return console.done(word.said, call.back or patient_path(shown), when=word.when)

    async def _keep_reason(
        self, here: PageRequest, patient: UUID, call: ServiceCall, answer: Mapping[str, Any]
    ) -> None:
        """Keep why something was ordered, where the next reader of the record looks."""
        words = str(call.body.get("reason") or "").strip()
        if not words or call.reason_by_event:
            return
        console, principal = self.console, here.principal
        async with console.database.transaction() as tx:
            said = Reason(UUID(str(answer.get("id", patient))), call.said, words, principal.name, tx.now)
            await reasons.keep(tx, principal.clinic, PatientId(patient), said, console.keyring)

    async def owner(self, clinic: ClinicId, kind: responses.Kind, thing: UUID) -> UUID:
        """Return whose thing this is; raises `NotFound` where the clinic has none of that id."""
        async with self.console.database.reading() as reader:
            patient = await read_models.patient_of(reader, kind.table, clinic, thing)
        if patient is None:
            raise NotFound("There is nothing of that kind in this clinic.")
        return patient


def router(pages: PatientPages) -> APIRouter:
    """Return the routes of a patient's page that show it or begin something for them."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    console = pages.console

    @routes.get("/console/patients/{patient}")
    async def show(patient: UUID, request: Request) -> Response:
        return await pages.show(await console.authorize(request), patient)

    @routes.post("/console/patients/{patient}/plans")
    async def start_plan(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.START_PLANS)
        form = await here.form()
        body = {"protocol": form.get("protocol", ""), "start_on": form.get("start_on", "")}
        call = ServiceCall("scheduler", f"/patients/{patient}/plans", body, responses.PLAN, "plan")
        return await pages.carry_out(here, patient, call, form)

    @routes.post("/console/patients/{patient}/plan/continue")
    async def continue_plan(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.START_PLANS)
        form = await here.form()
        path, body = f"/patients/{patient}/plan/continue", {"reason": form.get("reason", "")}
        call = ServiceCall("scheduler", path, body, responses.PLAN, "continued", "continue", reason_by_event=True)
        return await pages.carry_out(here, patient, call, form)

    @routes.post("/console/patients/{patient}/sessions")
    async def book(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.PLAN_SESSIONS)
        form = await here.form()
        async with console.database.reading() as reader:
            zone = (await console.clinic(reader, here.principal.clinic)).zone
        # What was typed goes to the owner by its name, who refuses what it does not know.
        body: dict[str, object] = {
            **{name: value for name, value in form.items() if name not in HIDDEN and value},
            "patient": str(patient),
            "starts_at": form.get("starts_at", "")[:16],
            "zone": zone,
            "minutes": _number(form.get("minutes", "")),
            **{name: form[name] == "yes" for name in ("entered_afterwards", "odd_hour") if name in form},
        }
        return await pages.carry_out(
            here, patient, ServiceCall("scheduler", "/sessions", body, responses.SESSION, "booked"), form
        )

    @routes.post("/console/patients/{patient}/checkins")
    async def ask(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.RECORD_CHECKINS)
        form = await here.form()
        body = {"patient": str(patient), "instruments": [form.get("instruments", "")]}
        return await pages.carry_out(
            here, patient, ServiceCall("assessments", "/checkins", body, responses.CHECKIN, "asked"), form
        )

    return routes


async def _followed(plan: Awaited, call: ServiceCall, answer: Mapping[str, Any]) -> str:
    """Return the note of what was done, once the plan has followed, or which says that it will."""
    if call.plan_follows is None or plan.before is None:
        return call.said
    follows = call.plan_follows(answer, plan.before.id)
    return call.said if follows is None else await plan.word(call.said, follows)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _plain(form: FormState, zone: str) -> FormState:
    errors = {name: in_plain_words(detail, zone) for name, detail in form.errors.items()}
    return FormState(form.values, errors, form.thing)


def _words(problem: Problem) -> str:
    """Return what went wrong; a field's own flaw stands beside the field as well."""
    flaws = " ".join(flaw.detail for flaw in problem.errors)
    lead = "Nothing was changed. " if problem.errors else ""
    return f"{lead}{flaws or problem.detail}"


async def _file(console: Console, reader: Reader, patient: Patient, zone: str, *, may_join: bool) -> RecordFile:
    clinic, keyring = patient.clinic, console.keyring
    found: dict[PatientId, tuple[Patient, Duplicate]] = {}
    if may_join and patient.state is PatientState.ENROLLED:
        entries = await console.patient_commands.directory.entries(reader, clinic)
        alike = {one.entry.id: one for one in duplicates_of(Entry.of(patient), entries) if one.person}
        others = await patients.some(reader, clinic, list(alike), keyring)
        apart = [one for one in others if one.joined_into is None and one.id != patient.earlier]
        found = {one.id: (one, alike[one.id]) for one in apart}
    return record_file(
        patient,
        await patients.tied_to(reader, patient, keyring),
        await reasons.of_patient(reader, clinic, patient.id, keyring),
        found,
        zone=zone,
        may_join=may_join,
    )


async def _record(console: Console, reader: Reader, patient: Patient) -> Record:
    """Return what is held of a patient, with what stands in the records that were joined with theirs."""
    clinic, whom, keyring = patient.clinic, PatientId(patient.id), console.keyring
    joined = await patients.joined_with(reader, clinic, whom)
    every = [whom, *joined]
    plans = await reads.plans(reader, clinic, every)
    wanted = reads.Wanted(clinic, every)
    return Record(
        plan=plans.get(whom),
        sessions=await reads.sessions(reader, wanted),
        corrections=await reads.corrections(reader, wanted, keyring),
        checkins=await reads.checkins(reader, wanted, limit=_MOST),
        scores=await reads.scores(reader, wanted, keyring),
        proposals=await reads.proposals(reader, wanted, keyring, limit=_MOST),
        alerts=await reads.alerts(reader, wanted, keyring),
        messages=await reads.messages(reader, wanted, keyring, limit=_MOST),
        replies=await reads.replies(reader, wanted, keyring, limit=_MOST),
        unread=await reads.unread(reader, wanted, keyring),
        stopped=await reads.stopped(reader, whom),
        broken=await checks.broken(reader, whom),
        doubts=await doubts.of_patient(reader, whom, keyring),
        answers=await answers.of_records(reader, clinic, every, keyring, limit=_MOST),
        off_window=(await bookings.off_window(reader, clinic, limit=1, patient=whom)).rows,
        joined=await patients.names(reader, clinic, joined, keyring),
        other_plans=[plans[one] for one in joined if one in plans],
    )
