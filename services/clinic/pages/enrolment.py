"""The form that enrols a patient or changes one, the discharge, and its taking back."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, time
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.commands.join_duplicates import join
from services.clinic.commands.reinstating import reinstate
from services.clinic.model.contacts import Consent, Contact, ContactKind, Purpose
from services.clinic.model.duplicates import Duplicate
from services.clinic.model.patient import GivenConsent, GivenContact, GivenPatient, Patient
from services.clinic.model.roles import Permission
from services.clinic.pages.console import Console, patient_path
from services.clinic.pages.followed import has_ended, standing
from services.clinic.pages.page_request import PageRequest, PageRoute
from services.clinic.pages.patient import PatientPages
from services.clinic.pages.zones import zone_choices
from services.clinic.store import patients
from services.clinic.views.components import FormState, Notice, Tone, say_born
from services.clinic.views.duplicates import duplicate_row
from services.clinic.views.others import EnrolPage
from shared.database import Transaction
from shared.ids import PatientId
from shared.languages import Language
from shared.walltime import at_wall, to_wall
from shared.web.api import day_of
from shared.web.idempotency import LONGEST_KEY, Answer, Idempotency
from shared.web.problems import Conflict, FieldError, Invalid, PreconditionFailed, Problem
from shared.web.tokens import Principal

_NOON = time(12)


def router(console: Console, pages: PatientPages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    _new(routes, console)
    _existing(routes, console)
    _leaving(routes, console, pages)
    _joining(routes, console, pages)
    return routes


def _new(routes: APIRouter, console: Console) -> None:
    @routes.get("/console/patients/new")
    async def ask(request: Request) -> Response:
        here = await console.authorize(request, Permission.ENROL)
        async with console.database.reading() as reader:
            zone = (await console.clinic(reader, here.principal.clinic)).zone
        return await _show(console, here, FormState({"zone": zone}))

    @routes.get("/console/patients/{patient}/again")
    async def ask_again(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.ENROL)
        async with console.database.transaction() as tx:
            found = await console.patient_commands.read(tx, here.principal, patient)
        return await _show(console, here, FormState(_once_more(found)))

    @routes.post("/console/patients/new")
    async def enrol(request: Request) -> Response:
        here = await console.authorize(request, Permission.ENROL)
        form = await here.form()
        try:
            async with console.database.transaction() as tx:
                sent = _SentOnce(console, here, form)
                known = await sent.before(tx)
                if known is not None:
                    return console.done("enrolled", patient_path(known))
                zone = (await console.clinic(tx, here.principal.clinic)).zone
                given = _given(form, zone, tx.now)
                await _stop_at_duplicates(console, tx, here, form, given)
                patient = await console.patient_commands.enrol(
                    tx, here.principal, given, earlier=_id_in(form, "earlier")
                )
                await sent.keep(tx, patient)
                console.live_updates.after(tx, here.principal.clinic, "patients")
        except _DuplicatesError as found:
            return await _show(console, here, FormState(dict(form)), duplicates=found.duplicates)
        except Problem as problem:
            return await _show(console, here, _state(form, problem), problem=problem)
        return console.done("enrolled", patient_path(patient.id))


class _DuplicatesError(Exception):
    """Somebody like this is on the list already, and nobody has said yet that this is another person."""

    def __init__(self, duplicates: Sequence[Duplicate]) -> None:
        super().__init__(f"{len(duplicates)} patients may be the same person, or share a phone.")
        self.duplicates = duplicates


async def _stop_at_duplicates(
    console: Console,
    tx: Transaction,
    here: PageRequest,
    form: Mapping[str, str],
    given: GivenPatient,
    *,
    present: Patient | None = None,
) -> None:
    duplicates = await console.patient_commands.duplicates(tx, here.principal, given, present)
    confirmed = set(form.get("confirmed", "").split())
    if not {str(duplicate.entry.id) for duplicate in duplicates} <= confirmed | {form.get("earlier", "")}:
        raise _DuplicatesError(duplicates)


class _SentOnce:
    """One form makes one patient: whoever sends it again, or clicks twice, is led to the one that it made."""

    def __init__(self, console: Console, here: PageRequest, form: Mapping[str, str]) -> None:
        self._answers = Idempotency(console.database.schema, console.keyring)
        self._principal = here.principal
        self._key = f"enrol:{form['key']}"[:LONGEST_KEY] if form.get("key") else None
        typed = {name: value for name, value in form.items() if name != "csrf"}
        self._print = self._answers.fingerprint("POST", here.request.url.path, json.dumps(typed).encode())

    async def before(self, tx: Transaction) -> UUID | None:
        """Return whom this form has enrolled already; one that is under way is waited for.

        Raises:
            Conflict: the form enrolled somebody, and says something else now.
        """
        if self._key is None:
            return None
        try:
            answer = await self._answers.begin(tx, self._principal, self._key, self._print)
        except Invalid as error:
            raise Conflict(
                "This form has enrolled somebody already, and what it says now is not saved yet. To enrol this person "
                "too, look it through and send it again."
            ) from error
        return None if answer is None else UUID(answer.body)

    async def keep(self, tx: Transaction, patient: Patient) -> None:
        """Keep whom this form has enrolled."""
        if self._key is not None:
            answer = Answer(HTTPStatus.SEE_OTHER, str(patient.id), None)
            await self._answers.finish(tx, self._principal, self._key, self._print, answer)


def _existing(routes: APIRouter, console: Console) -> None:
    @routes.get("/console/patients/{patient}/change")
    async def ask(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.ENROL)
        async with console.database.transaction() as tx:
            found = await console.patient_commands.read(tx, here.principal, patient)
        return await _show(console, here, FormState(_filled(found)), patient=found)

    @routes.post("/console/patients/{patient}/change")
    async def change(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.ENROL)
        form = await here.form()
        async with console.database.transaction() as tx:
            found = await console.patient_commands.read(tx, here.principal, patient)
        try:
            async with console.database.transaction() as tx:
                present = await console.patient_commands.held(tx, here.principal.clinic, patient)
                _refuse_old(present, form)
                given = _given(form, present.zone, tx.now, present)
                await _stop_at_duplicates(console, tx, here, form, given, present=present)
                await console.patient_commands.change(tx, here.principal, present, given)
                console.live_updates.after(tx, here.principal.clinic, "patients", "consents")
        except _DuplicatesError as alike:
            return await _show(console, here, FormState(dict(form)), patient=found, duplicates=alike.duplicates)
        except Problem as problem:
            return await _show(console, here, _state(form, problem), patient=found, problem=problem)
        return console.done("changed", patient_path(patient))


Turn = Callable[[Transaction, Principal, Patient, str], Awaitable[Patient]]
"""Ends a patient's care or takes that back, for a reason; the row is locked."""


def _leaving(routes: APIRouter, console: Console, pages: PatientPages) -> None:
    async def turn(patient: UUID, request: Request, thing: str, said: str, act: Turn) -> Response:
        """Do what a form about a patient's care says, unless the patient was changed since it was opened."""
        here = await console.authorize(request, Permission.DISCHARGE)
        form = await here.form()
        plan = await standing(console, here.principal.clinic, PatientId(patient))
        try:
            async with console.database.transaction() as tx:
                present = await console.patient_commands.held(tx, here.principal.clinic, patient)
                _refuse_old(present, form)
                await act(tx, here.principal, present, form.get("reason", ""))
                console.live_updates.after(tx, here.principal.clinic, "patients")
        except Problem as problem:
            return await pages.show(here, patient, problem=problem, form=FormState(form, {}, thing))
        return console.done(await plan.word(said, has_ended), patient_path(patient))

    @routes.post("/console/patients/{patient}/discharge")
    async def discharge(patient: UUID, request: Request) -> Response:
        return await turn(patient, request, "discharge", "discharged", console.patient_commands.discharge)

    @routes.post("/console/patients/{patient}/reinstate")
    async def put_back(patient: UUID, request: Request) -> Response:
        async def back(tx: Transaction, principal: Principal, present: Patient, reason: str) -> Patient:
            return await reinstate(tx, principal, console.patient_commands, present, reason)

        return await turn(patient, request, "reinstate", "reinstated", back)


def _joining(routes: APIRouter, console: Console, pages: PatientPages) -> None:
    @routes.post("/console/patients/{patient}/join")
    async def join_records(patient: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.DISCHARGE)
        form = await here.form()
        other = form.get("other", "")
        try:
            async with console.database.transaction() as tx:
                await join(
                    console.patient_commands,
                    tx,
                    here.principal,
                    kept=patient,
                    other=_id_in(form, "other") or patient,
                    reason=form.get("reason", ""),
                    match=lambda version: _refuse_other(version, form),
                )
                console.live_updates.after(tx, here.principal.clinic, "patients", "consents")
        except Problem as problem:
            return await pages.show(here, patient, problem=problem, form=FormState(form, {}, f"join-{other}"))
        return console.done("joined", patient_path(patient))


async def _show(
    console: Console,
    here: PageRequest,
    form: FormState,
    *,
    patient: Patient | None = None,
    problem: Problem | None = None,
    duplicates: Sequence[Duplicate] = (),
) -> Response:
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        alike = await patients.some(reader, clinic.id, [one.entry.id for one in duplicates], console.keyring)
        view = EnrolPage(
            form=form,
            zones=zone_choices(form.value("zone", clinic.zone)),
            today=to_wall(reader.now, clinic.zone).date().isoformat(),
            patient=str(patient.id) if patient else None,
            version=patient.version if patient else None,
            name=patient.name if patient else "",
            born=say_born(patient.birth_date) if patient else "",
            duplicates=tuple(duplicate_row(one, duplicate) for one, duplicate in zip(alike, duplicates, strict=True)),
        )
        notices = (Notice(problem.detail, Tone.DANGER),) if problem and not problem.errors else ()
        status = problem.status if problem else HTTPStatus.CONFLICT if duplicates else HTTPStatus.OK
        return await console.show(
            here, reader, clinic, view, template="enrol", place="patients", notices=notices, status=status
        )


def _given(form: Mapping[str, str], zone: str, now: datetime, present: Patient | None = None) -> GivenPatient:
    """Return what a form says, beside contact points of the patient that the form has no field for."""
    known = present.contacts if present else ()
    first = {kind: next((one for one in known if one.kind is kind), None) for kind in ContactKind}
    kept = [
        GivenContact(one.kind, one.value, tuple(_again(consent) for consent in one.consents))
        for one in known
        if one is not first[one.kind]
    ]
    typed = [_contact(form, kind, zone, now, first[kind]) for kind in ContactKind if form.get(str(kind), "").strip()]
    try:
        language = Language(form.get("language", ""))
        birth_date = day_of(form["birth_date"]) if form.get("birth_date") else None
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


def _contact(
    form: Mapping[str, str], kind: ContactKind, zone: str, now: datetime, known: Contact | None
) -> GivenContact:
    """Return a contact point; what was agreed before keeps its own date while the form's date is left as it was.

    Whoever agreed today agreed now; of another day the form does not know the hour, and noon stands for it.
    """
    purposes = [purpose for purpose in Purpose if f"{kind}-{purpose}" in form]
    if not purposes:
        return GivenContact(kind, form[str(kind)], ())
    how, day = form.get(f"{kind}-how", "").strip(), form.get(f"{kind}-at", "")
    if not how:
        raise Invalid.at(f"/{kind}-how", "Say how they agreed: nobody has consented until they have said so.")
    shown = _agreed(known, zone) if known else None
    held = {one.purpose: one for one in known.consents} if known and shown == (how, day) else {}
    try:
        agreed_on = day_of(day)
        at = now if agreed_on == to_wall(now, zone).date() else at_wall(agreed_on, _NOON, zone)
    except ValueError as error:
        raise Invalid.at(f"/{kind}-at", f"Say on which day they agreed. {error}") from error
    consents = [_again(held[one]) if one in held else GivenConsent(one, how, at) for one in purposes]
    return GivenContact(kind, form[str(kind)], tuple(consents))


def _id_in(form: Mapping[str, str], name: str) -> UUID | None:
    try:
        return UUID(form[name]) if form.get(name) else None
    except ValueError as error:
        raise Invalid("This form names a record in a way that cannot be read. Open the page again.") from error


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


def _once_more(patient: Patient) -> dict[str, str]:
    """Return what the form says of somebody who comes back: all but what they agreed to, which is asked anew."""
    asked_anew = tuple(f"{kind}-" for kind in ContactKind)
    kept = {name: value for name, value in _filled(patient).items() if not name.startswith(asked_anew)}
    return {**kept, "earlier": str(patient.id)}


def _refuse_old(present: Patient, form: Mapping[str, str]) -> None:
    _refuse_other(present.version, form)


def _refuse_other(version: int, form: Mapping[str, str]) -> None:
    if form.get("version") != str(version):
        raise PreconditionFailed("Somebody else has changed this patient since you opened the form. Look again first.")
