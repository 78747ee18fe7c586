"""Proposals to decide, alerts to handle, replies to read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.dispositions import disposition_of
from services.clinic.model.reads import NOT_CLOSED, Plan, Proposal, ProposalState
from services.clinic.model.roles import Permission, may
from services.clinic.pages.console import Console, patient_path
from services.clinic.pages.followed import has_changed, has_interval
from services.clinic.pages.page_request import PageRequest, PageRoute, see
from services.clinic.pages.patient import PatientPages, ServiceCall
from services.clinic.store import patients, read_models, reads, responses
from services.clinic.views.others import ProposalsPage
from services.clinic.views.patient import ProposalView
from services.clinic.views.rows import proposal_view
from shared.ids import PatientId
from shared.web.problems import NotFound

_DECIDED = [
    ProposalState.APPROVED,
    ProposalState.CHANGED,
    ProposalState.REFUSED,
    ProposalState.EXPIRED,
    ProposalState.TAKEN_BACK,
]
_LATELY = 20


def router(pages: PatientPages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    _proposals(routes, pages)
    _alerts(routes, pages)
    _replies(routes, pages.console)
    return routes


def _proposals(routes: APIRouter, pages: PatientPages) -> None:
    console = pages.console

    @routes.get("/console/proposals")
    async def proposals(request: Request) -> Response:
        here = await console.authorize(request)
        await console.note(here, "proposals.read")
        sources = await console.other_services.sources(here.principal)
        unsigned = await console.other_services.unsigned(here.principal)
        async with console.database.reading() as reader:
            clinic = await console.clinic(reader, here.principal.clinic)
            to_decide = reads.Wanted(clinic.id, states=[ProposalState.OPEN])
            waiting = await reads.proposals(reader, to_decide, console.keyring)
            for_information = reads.Wanted(clinic.id, states=[ProposalState.HELD])
            held = await reads.proposals(reader, for_information, console.keyring)
            before = reads.Wanted(clinic.id, states=_DECIDED)
            decided = await reads.proposals(reader, before, console.keyring, limit=_LATELY)
            names = await console.names(reader, clinic.id, waiting, held, decided)
            not_closed = reads.Wanted(clinic.id, states=NOT_CLOSED)
            alerts = await reads.alerts(reader, not_closed, console.keyring)
            alarmed = {one.patient for one in alerts if not one.waits_only}

            def shown(proposals: Sequence[Proposal]) -> tuple[ProposalView, ...]:
                return tuple(
                    proposal_view(one, names, clinic.zone, sources, blocked=one.patient in alarmed, off=unsigned)
                    for one in proposals
                )

            view = ProposalsPage(
                waiting=shown(waiting),
                held=shown(held),
                decided=shown(decided),
                rules=tuple(dict.fromkeys(source for one in waiting for source in sources.get(one.rule, ()))),
                unsigned=tuple(unsigned.values()),
                may_decide=may(here.role, Permission.DECIDE),
            )
            return await console.show(here, reader, clinic, view, template="proposals")

    @routes.post("/console/proposals/{proposal}/decision")
    async def decide(proposal: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.DECIDE)
        form = await here.form()
        patient = await pages.owner(here.principal.clinic, responses.PROPOSAL, proposal)
        decision, days, reason = form.get("decision", ""), form.get("interval_days", ""), form.get("reason", "").strip()
        body: dict[str, object] = {"decision": decision}
        if decision == "change" and days.isdecimal():
            body["interval_days"] = int(days)
        if reason:
            body["reason"] = reason
        if override := form.get("override_reason", "").strip():
            body["override_reason"] = override
        path = f"/proposals/{proposal}/decision"
        said = "refused" if decision == "refuse" else "decided"
        call = ServiceCall(
            "assessments", path, body, responses.PROPOSAL, said, f"decide-{proposal}", plan_follows=_decided
        )
        return await pages.carry_out(here, patient, call, form)

    @routes.post("/console/proposals/{proposal}/take-back")
    async def take_back(proposal: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.DECIDE)
        form = await here.form()
        patient = await pages.owner(here.principal.clinic, responses.PROPOSAL, proposal)
        body = {"reason": form.get("reason", "").strip()}
        path = f"/proposals/{proposal}/take-back"
        form_of = f"take-back-{proposal}"
        call = ServiceCall(
            "assessments", path, body, responses.PROPOSAL, "taken-back", form_of, plan_follows=_taken_back
        )
        return await pages.carry_out(here, patient, call, form)


def _decided(answer: Mapping[str, Any], plan: UUID) -> Callable[[Plan], bool] | None:
    """Return how the plan follows a decision: one that was refused, or is about another plan, changes nothing."""
    if answer.get("decision") == "refuse" or answer.get("plan") != str(plan):
        return None
    return has_interval(answer.get("interval_days"))


def _taken_back(answer: Mapping[str, Any], plan: UUID) -> Callable[[Plan], bool] | None:
    """Return how the plan follows as a decision is taken back; what was refused had changed nothing."""
    return None if answer.get("decision") == "refuse" or answer.get("plan") != str(plan) else has_changed


def _alerts(routes: APIRouter, pages: PatientPages) -> None:
    console = pages.console

    @routes.post("/console/alerts/{alert}/acknowledge")
    async def acknowledge_alert(alert: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.HANDLE_ALERTS)
        form = await here.form()
        call = ServiceCall("assessments", f"/alerts/{alert}/acknowledge", {}, responses.ALERT, "acknowledged")
        return await _carry_out(pages, here, alert, call, form)

    @routes.post("/console/alerts/{alert}/close")
    async def close_alert(alert: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.CLOSE_ALERTS)
        form = await here.form()
        body = {"disposition": disposition_of(form.get("outcome", ""), form.get("disposition", "").strip())}
        call = ServiceCall("assessments", f"/alerts/{alert}/close", body, responses.ALERT, "closed", f"close-{alert}")
        return await _carry_out(pages, here, alert, call, form)


async def _carry_out(
    pages: PatientPages, here: PageRequest, alert: UUID, call: ServiceCall, form: Mapping[str, str]
) -> Response:
    """Ask something about an alert; one about a number that is no patient's leads back to the list of alerts."""
    console = pages.console
    async with console.database.reading() as reader:
        nobodys = await read_models.is_nobodys_alert(reader, here.principal.clinic, alert)
    if not nobodys:
        return await pages.carry_out(here, await pages.owner(here.principal.clinic, responses.ALERT, alert), call, form)
    answer = await console.client.send(
        call.service, call.path, call.body, principal=here.principal, idempotency_key=form.get("key")
    )
    await console.note(here, f"alert.{call.said}", thing=alert)
    await console.own_writes.wait_for(call.kind, here.principal.clinic, answer)
    return console.done(call.said, "/console/alerts")


def _replies(routes: APIRouter, console: Console) -> None:
    @routes.post("/console/replies/{reply}/read")
    async def read(reply: UUID, request: Request) -> Response:
        here = await console.authorize(request)
        await here.form()
        clinic, member = here.principal.clinic, here.user.member
        async with console.database.transaction() as tx:
            if not await read_models.mark_read(tx, clinic, reply, str(member.id)):
                raise NotFound("There is no such reply in this clinic.")
            patient = await read_models.patient_of_reply(tx, clinic, reply)
            shown = None if patient is None else await patients.goes_on_in(tx, clinic, PatientId(patient))
            console.live_updates.after(tx, clinic, "replies")
        await console.note(here, "reply.read", thing=reply, patient=patient)
        from_today = "/console/patients/" not in request.headers.get("referer", "")
        return see("/console/today") if from_today or shown is None else see(patient_path(shown))
