"""The form that enrols a patient or changes one, and the discharge."""

from collections.abc import Mapping
from datetime import date, time
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.model.contacts import Consent, Contact, ContactKind, Purpose
from services.clinic.model.patient import GivenConsent, GivenContact, GivenPatient, Patient
from services.clinic.model.staff import Permission
from services.clinic.pages.console import Console, patient_path
from services.clinic.pages.patient import PatientPages
from services.clinic.pages.visit import PageRoute, Visit
from services.clinic.pages.zones import zone_choices
from services.clinic.views.others import EnrolPage
from services.clinic.views.parts import FormState, Notice, Tone
from shared.languages import Language
from shared.walltime import at_wall, to_wall
from shared.web.problems import FieldError, Invalid, PreconditionFailed, Problem

_NOON = time(12)


def router(console: Console, pages: PatientPages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    _new(routes, console)
    _existing(routes, console, pages)
    return routes


def _new(routes: APIRouter, console: Console) -> None:
    @routes.get("/console/patients/new")
    async def ask(request: Request) -> Response:
        here = await console.visit(request, Permission.ENROL)
        async with console.database.reading() as reader:
            zone = (await console.clinic(reader, here.principal.clinic)).zone
        return await _show(console, here, FormState({"zone": zone, "sms-reminders": "y", "sms-checkins": "y"}))

    @routes.post("/console/patients/new")
    async def enrol(request: Request) -> Response:
        here = await console.visit(request, Permission.ENROL)
        form = await here.form()
        try:
            async with console.database.transaction() as tx:
                zone = (await console.clinic(tx, here.principal.clinic)).zone
                given = _given(form, zone)
                patient = await console.orders.enrol(tx, here.principal, given)
                console.bell.after(tx, here.principal.clinic, "patients")
        except Problem as problem:
            return await _show(console, here, _state(form, problem), problem=problem)
        return console.done("enrolled", patient_path(patient.id))


def _existing(routes: APIRouter, console: Console, pages: PatientPages) -> None:
    @routes.get("/console/patients/{patient}/change")
    async def ask(patient: UUID, request: Request) -> Response:
        here = await console.visit(request, Permission.ENROL)
        async with console.database.transaction() as tx:
            found = await console.orders.read(tx, here.principal, patient)
        return await _show(console, here, FormState(_filled(found)), patient=found)

    @routes.post("/console/patients/{patient}/change")
    async def change(patient: UUID, request: Request) -> Response:
        here = await console.visit(request, Permission.ENROL)
        form = await here.form()
        async with console.database.transaction() as tx:
            found = await console.orders.read(tx, here.principal, patient)
        try:
            async with console.database.transaction() as tx:
                present = await console.orders.held(tx, here.principal.clinic, patient)
                _refuse_old(present, form)
                given = _given(form, present.zone, present)
                await console.orders.change(tx, here.principal, present, given)
                console.bell.after(tx, here.principal.clinic, "patients", "consents")
        except Problem as problem:
            return await _show(console, here, _state(form, problem), patient=found, problem=problem)
        return console.done("changed", patient_path(patient))

    @routes.post("/console/patients/{patient}/discharge")
    async def discharge(patient: UUID, request: Request) -> Response:
        here = await console.visit(request, Permission.DISCHARGE)
        form = await here.form()
        try:
            async with console.database.transaction() as tx:
                present = await console.orders.held(tx, here.principal.clinic, patient)
                await console.orders.discharge(tx, here.principal, present, form.get("reason"))
                console.bell.after(tx, here.principal.clinic, "patients")
        except Problem as problem:
            return await pages.show(here, patient, problem=problem, form=FormState(form, {}, "discharge"))
        return console.done("discharged", patient_path(patient))


async def _show(
    console: Console,
    here: Visit,
    form: FormState,
    *,
    patient: Patient | None = None,
    problem: Problem | None = None,
) -> Response:
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        view = EnrolPage(
            form=form,
            zones=zone_choices(form.value("zone", clinic.zone)),
            today=to_wall(reader.now, clinic.zone).date().isoformat(),
            patient=str(patient.id) if patient else None,
            version=patient.version if patient else None,
            name=patient.name if patient else "",
        )
        notices = (Notice(problem.detail, Tone.DANGER),) if problem and not problem.errors else ()
        status = problem.status if problem else HTTPStatus.OK
        return await console.show(
            here, reader, clinic, view, template="enrol", place="patients", notices=notices, status=status
        )


def _given(form: Mapping[str, str], zone: str, present: Patient | None = None) -> GivenPatient:
    """Return what a form says, beside contact points of the patient that the form has no field for."""
    known = present.contacts if present else ()
    first = {kind: next((one for one in known if one.kind is kind), None) for kind in ContactKind}
    kept = [
        GivenContact(one.kind, one.value, tuple(_again(consent) for consent in one.consents))
        for one in known
        if one is not first[one.kind]
    ]
    typed = [_contact(form, kind, zone, first[kind]) for kind in ContactKind if form.get(str(kind), "").strip()]
    try:
        language = Language(form.get("language", ""))
        birth_date = date.fromisoformat(form["birth_date"]) if form.get("birth_date") else None
    except ValueError as error:
        raise Invalid.at("/birth_date", "This is not a date. Give the day of birth as YYYY-MM-DD.") from error
    return GivenPatient(
        given_name=form.get("given_name", ""),
        family_name=form.get("family_name", ""),
        birth_date=birth_date,
        zone=form.get("zone", ""),
        language=language,
        external_id=form.get("external_id", "").strip() or None,
        contacts=tuple(typed + kept),
    )


def _contact(form: Mapping[str, str], kind: ContactKind, zone: str, known: Contact | None) -> GivenContact:
    """Return a contact point; what was agreed before keeps its own date while the form's date is left as it was."""
    purposes = [purpose for purpose in Purpose if f"{kind}-{purpose}" in form]
    if not purposes:
        return GivenContact(kind, form[str(kind)], ())
    how, day = form.get(f"{kind}-how", ""), form.get(f"{kind}-at", "")
    shown = _agreed(known, zone) if known else None
    held = {one.purpose: one for one in known.consents} if known and shown == (how, day) else {}
    try:
        at = at_wall(date.fromisoformat(day), _NOON, zone)
    except ValueError as error:
        raise Invalid.at(f"/{kind}-at", "Say on which day they agreed.") from error
    consents = [_again(held[one]) if one in held else GivenConsent(one, how, at) for one in purposes]
    return GivenContact(kind, form[str(kind)], tuple(consents))


def _again(consent: Consent) -> GivenConsent:
    return GivenConsent(consent.purpose, consent.how, consent.at)


def _agreed(contact: Contact, zone: str) -> tuple[str, str] | None:
    """Return how and on which day the form shows that a patient agreed."""
    if not contact.consents:
        return None
    last = contact.consents[-1]
    return last.how, to_wall(last.at, zone).date().isoformat()


def _state(form: Mapping[str, str], problem: Problem) -> FormState:
    """Return the form with each flaw at its field: `/contacts/0/value` is the first contact that was typed."""
    typed = [str(kind) for kind in ContactKind if form.get(str(kind), "").strip()]
    return FormState(dict(form), {_field(flaw, typed): flaw.detail for flaw in problem.errors})


def _field(flaw: FieldError, typed: list[str]) -> str:
    first, _, rest = flaw.pointer.removeprefix("/").partition("/")
    if first != "contacts":
        return first
    place = rest.partition("/")[0]
    return typed[int(place)] if place.isdecimal() and int(place) < len(typed) else first


def _filled(patient: Patient) -> dict[str, str]:
    values = {
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else "",
        "zone": patient.zone,
        "language": str(patient.language),
        "external_id": patient.external_id or "",
    }
    for kind in ContactKind:
        contact = next((one for one in patient.contacts if one.kind is kind), None)
        if contact is None:
            continue
        values[str(kind)] = contact.value
        values |= {f"{kind}-{consent.purpose}": "yes" for consent in contact.consents}
        agreed = _agreed(contact, patient.zone)
        if agreed:
            values[f"{kind}-how"], values[f"{kind}-at"] = agreed
    return values


def _refuse_old(present: Patient, form: Mapping[str, str]) -> None:
    if form.get("version") != str(present.version):
        raise PreconditionFailed("Somebody else has changed this patient since you opened the form. Look again first.")
