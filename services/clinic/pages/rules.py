"""The rules with their provenance and signatures."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from services.clinic.model.reads import Source
from services.clinic.model.roles import Permission, may
from services.clinic.pages.console import Console
from services.clinic.pages.page_request import PageRequest, PageRoute
from services.clinic.views.components import Chip, FormState, Notice, Tone, moment, say_grade
from services.clinic.views.others import RulesPage, RuleView
from shared.web.problems import Problem


def router(console: Console) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    @routes.get("/console/rules")
    async def rules(request: Request) -> Response:
        return await _rules(console, await console.authorize(request))

    @routes.post("/console/rules/{rule}/sign")
    async def sign_rule(rule: str, request: Request) -> Response:
        here = await console.authorize(request, Permission.SIGN_RULES)
        form = await here.form()
        try:
            await console.client.send(
                "assessments", f"/rules/{rule}/sign", {}, principal=here.principal, idempotency_key=form.get("key")
            )
        except Problem as problem:
            return await _rules(console, here, problem=problem)
        console.other_services.forget(here.principal)
        await console.note(here, "rule.signed")
        return console.done("signed", "/console/rules")

    @routes.post("/console/rules/{rule}/withdraw")
    async def withdraw(rule: str, request: Request) -> Response:
        here = await console.authorize(request, Permission.SIGN_RULES)
        form = await here.form()
        body = {"reason": form.get("reason", "").strip()}
        try:
            await console.client.send(
                "assessments",
                f"/rules/{rule}/withdraw",
                body,
                principal=here.principal,
                idempotency_key=form.get("key"),
            )
        except Problem as problem:
            errors = {flaw.pointer.removeprefix("/"): flaw.detail for flaw in problem.errors}
            typed = FormState(form, errors, f"withdraw-{rule}")
            return await _rules(console, here, problem=problem, form=typed)
        console.other_services.forget(here.principal)
        await console.note(here, "rule.withdrawn")
        return console.done("withdrawn", "/console/rules")

    return routes


async def _rules(
    console: Console, here: PageRequest, *, problem: Problem | None = None, form: FormState | None = None
) -> Response:
    held: list[Mapping[str, Any]] = []
    trouble = None
    try:
        held = (await console.client.get("assessments", "/rules", principal=here.principal))["items"]
    except Problem as error:
        trouble = f"The rules are not at hand. {error.detail}"
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        signer = may(here.role, Permission.SIGN_RULES)
        view = RulesPage(tuple(_rule(one, clinic.zone, signer=signer) for one in held), trouble, form or FormState())
        notices = (Notice(problem.detail, Tone.DANGER),) if problem else ()
        status = problem.status if problem else 200
        return await console.show(here, reader, clinic, view, template="rules", notices=notices, status=status)


def _rule(one: Mapping[str, Any], zone: str, *, signer: bool) -> RuleView:
    signed = None
    if one.get("signed_version") not in {None, one["rule_version"]}:
        signed = f"Version {one['signed_version']} was signed; version {one['rule_version']} must be signed anew."
    if one["signed_by"]:
        at = moment(datetime.fromisoformat(one["signed_at"]), zone).text
        signed = (
            f"Signed by {one['signed_by']}, {at}"
            if one["signed_by"] != "for trial"
            else "Nobody has signed it; it runs because there are no patients here."
        )
    grade = one["grade"]
    return RuleView(
        id=one["id"],
        name=one.get("name", one["id"]),
        points=tuple(one.get("points", [one["text"]])),
        version=one["rule_version"],
        grade=Chip(say_grade(grade), Tone.WARN if one["needs_signature"] else Tone.INFO),
        sources=(Source(f"Read on {one['verified_on']}, for {one['applies_to']}.", one["source_url"], grade),),
        state=Chip("in force", Tone.GOOD) if one["runs"] else Chip("off until signed", Tone.DANGER),
        signed=signed,
        can_withdraw=signer and one["needs_signature"] and bool(one["signed_by"]),
        withdrawn=tuple(_withdrawn(past, zone) for past in one.get("withdrawn", ())),
        can_sign=signer and one["needs_signature"] and (not one["signed_by"] or one["signed_by"] == "for trial"),
    )


def _withdrawn(past: Mapping[str, Any], zone: str) -> str:
    """Say who had signed, and who withdrew it when and why."""
    signed = moment(datetime.fromisoformat(past["signed_at"]), zone).text
    withdrawn = moment(datetime.fromisoformat(past["withdrawn_at"]), zone).text
    by = f"Signed by {past['signed_by']}, {signed}." if past["signed_by"] != "for trial" else "It ran for trial."
    return f"{by} Withdrawn by {past['withdrawn_by']}, {withdrawn}: “{past['reason']}”"
