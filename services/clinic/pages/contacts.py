"""What staff say of a contact point: that nothing arrives there, that it works, whether it wants texts."""

from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.commands.patients import read_reason
from services.clinic.model.reasons import Reason
from services.clinic.model.roles import Permission
from services.clinic.pages.console import patient_path
from services.clinic.pages.page_request import PageRequest, PageRoute
from services.clinic.pages.patient import PatientPages
from services.clinic.store import checks, doubts, patients, reasons
from services.clinic.views.components import FormState
from shared.ids import PatientId
from shared.web.problems import Invalid, NotFound, Problem

_SAID: Final = {
    "bad": "contact-bad",
    "works": "contact-works",
    "wants-texts": "wants-texts",
    "wants-no-texts": "wants-no-texts",
}
_ENDS_DOUBT: Final = frozenset({"wants-texts", "wants-no-texts"})


def router(pages: PatientPages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    console = pages.console

    async def must_have(here: PageRequest, patient: UUID, contact: UUID) -> None:
        async with console.database.reading() as reader:
            found = await patients.find(reader, here.principal.clinic, PatientId(patient), console.keyring)
        if found is None or contact not in {one.id for one in found.contacts}:
            raise NotFound("This patient has no such number or address any more. Open their page again.")

    @routes.post("/console/patients/{patient}/contacts/{contact}/doubt")
    async def end_doubt(patient: UUID, contact: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.ENROL)
        form = await here.form()
        await must_have(here, patient, contact)
        word = form.get("word", "")
        try:
            words = read_reason(form.get("reason", ""))
            if word not in _ENDS_DOUBT:
                raise Invalid.at("/word", "Choose whether texts go on or end.")
            path = f"/contacts/{contact}/{word}"
            answer = await console.client.send(
                "notifier", path, {"reason": words}, principal=here.principal, idempotency_key=form.get("key")
            )
        except Problem as problem:
            return await pages.show(here, patient, problem=problem, form=FormState(form, {}, f"doubt-{contact}"))
        async with console.database.transaction() as tx:
            await doubts.keep(
                tx, {**_about(here, patient, contact, answer), "open": False, "wrote": None, "at": tx.now}
            )
            why = Reason(contact, _SAID[word], words, here.principal.name, tx.now)
            await reasons.keep(tx, here.principal.clinic, PatientId(patient), why, console.keyring)
            console.live_updates.after(tx, here.principal.clinic, "consents")
        await console.note(here, f"contact.{word}", thing=contact, patient=patient)
        return console.done(_SAID[word], patient_path(patient))

    @routes.post("/console/patients/{patient}/contacts/{contact}/{word}")
    async def say(patient: UUID, contact: UUID, word: Literal["bad", "works"], request: Request) -> Response:
        here = await console.authorize(request, Permission.ENROL)
        form = await here.form()
        words = read_reason(form.get("reason", "")) if word == "bad" else None
        await must_have(here, patient, contact)
        path = f"/contacts/{contact}/{word}"
        answer = await console.client.send(
            "notifier", path, {}, principal=here.principal, idempotency_key=form.get("key")
        )
        async with console.database.transaction() as tx:
            who = {"by": here.user.member.name, "why": "staff", "at": tx.now}
            await checks.keep(tx, {**_about(here, patient, contact, answer), **who, "works": word == "works"})
            if words is not None:
                why = Reason(contact, _SAID[word], words, here.principal.name, tx.now)
            await reasons.keep(tx, here.principal.clinic, PatientId(patient), why, console.keyring)
            console.live_updates.after(tx, here.principal.clinic, "consents")
        await console.note(here, f"contact.{word}", thing=contact, patient=patient)
        return console.done(_SAID[word], patient_path(patient))

    return routes


def _about(here: PageRequest, patient: UUID, contact: UUID, answer: Any) -> dict[str, Any]:
    version = int(answer["version"])
    return {"clinic": here.principal.clinic, "patient": patient, "contact": contact, "version": version}
