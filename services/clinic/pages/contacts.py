"""What staff say of a contact point: that nothing arrives there, as after a mail that bounced, or that it works."""

from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.reasons import Reason
from services.clinic.model.staff import Permission
from services.clinic.orders import read_reason
from services.clinic.pages.console import Console, patient_path
from services.clinic.pages.visit import PageRoute
from services.clinic.store import checks, patients, reasons
from shared.ids import PatientId
from shared.web.problems import NotFound

_SAID: Final = {"bad": "contact-bad", "works": "contact-works"}


def router(console: Console) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    @routes.post("/console/patients/{patient}/contacts/{contact}/{word}")
    async def say(patient: UUID, contact: UUID, word: Literal["bad", "works"], request: Request) -> Response:
        here = await console.visit(request, Permission.ENROL)
        form = await here.form()
        clinic = here.principal.clinic
        words = read_reason(form.get("reason", "")) if word == "bad" else None
        async with console.database.reading() as reader:
            found = await patients.find(reader, clinic, PatientId(patient), console.keyring)
        if found is None or contact not in {one.id for one in found.contacts}:
            raise NotFound("This patient has no such number or address any more. Open their page again.")
        path = f"/contacts/{contact}/{word}"
        told = await console.client.order(
            "notifier", path, {}, principal=here.principal, idempotency_key=form.get("key")
        )
        async with console.database.transaction() as tx:
            said = {"clinic": clinic, "patient": patient, "contact": contact, "version": int(told["version"])}
            who = {"by": here.visitor.member.name, "why": "staff", "at": tx.now}
            await checks.keep(tx, {**said, **who, "works": word == "works"})
            if words is not None:
                why = Reason(contact, "contact-bad", words, here.principal.name, tx.now)
                await reasons.keep(tx, clinic, PatientId(patient), why, console.keyring)
            console.bell.after(tx, clinic, "consents")
        await console.note(here, f"contact.{word}", thing=contact, patient=patient)
        return console.done(_SAID[word], patient_path(patient))

    return routes
