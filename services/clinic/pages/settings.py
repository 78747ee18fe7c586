"""The clinic's settings: to read, and for those who may, to change."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from services.clinic.commands.clinics import ClinicCommands
from services.clinic.model.clinic import Clinic
from services.clinic.model.contacts import ContactKind
from services.clinic.model.roles import Permission
from services.clinic.model.settings import MOST_ONCALL, GivenClinic
from services.clinic.pages.console import Console
from services.clinic.pages.page_request import PageRequest, PageRoute
from services.clinic.pages.zones import zone_choices
from services.clinic.store import staff
from services.clinic.views.components import FormState, Notice, Tone, say_language
from services.clinic.views.patient import Choice
from services.clinic.views.settings import ChangePage, oncall_rows, settings_page
from shared.languages import Language
from shared.web.problems import FieldError, PreconditionFailed, Problem


def router(console: Console) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    clinics = ClinicCommands(console.keyring)

    @routes.get("/console/settings")
    async def settings(request: Request) -> Response:
        return await show(console, await console.authorize(request))

    @routes.get("/console/settings/change")
    async def ask(request: Request) -> Response:
        here = await console.authorize(request, Permission.CHANGE_SETTINGS)
        # The form shows in full whom alerts page; the settings page masks it.
        await console.note(here, "clinic.oncall-read", thing=here.principal.clinic)
        return await _form(console, here, None)

    @routes.post("/console/settings/change")
    async def change(request: Request) -> Response:
        here = await console.authorize(request, Permission.CHANGE_SETTINGS)
        form = await here.form()
        try:
            async with console.database.transaction() as tx:
                present = await clinics.held(tx, here.principal.clinic)
                if form.get("version") != str(present.version):
                    raise PreconditionFailed(
                        "Somebody else has changed the settings since you opened the form. Look again first."
                    )
                await clinics.change(tx, here.principal, present, _given(form))
        except Problem as problem:
            return await _form(console, here, form, problem=problem)
        return console.done("settings", "/console/settings")

    return routes


async def show(
    console: Console, here: PageRequest, *, problem: Problem | None = None, form: FormState | None = None
) -> Response:
    """Return the page; with a problem, what was typed to add somebody comes back with what is wrong."""
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        members = await staff.of_clinic(reader, clinic.id)
        view = settings_page(clinic, members, own=here.user.member, form=form, mailbox=console.mailbox)
        notices = (Notice(problem.detail, Tone.DANGER),) if problem and not problem.errors else ()
        status = problem.status if problem else HTTPStatus.OK
        return await console.show(here, reader, clinic, view, template="settings", notices=notices, status=status)


async def _form(
    console: Console, here: PageRequest, typed: Mapping[str, str] | None, *, problem: Problem | None = None
) -> Response:
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        values = _filled(clinic) if typed is None else dict(typed)
        errors = {_field(flaw, values): flaw.detail for flaw in problem.errors} if problem else {}
        form = FormState(values, errors)
        view = ChangePage(
            version=clinic.version,
            form=form,
            zones=zone_choices(form.value("zone", clinic.zone)),
            crisis=tuple(Choice(str(language), say_language(language)) for language in Language),
            oncall=oncall_rows(form),
        )
        notices = (Notice(problem.detail, Tone.DANGER),) if problem and not problem.errors else ()
        status = problem.status if problem else HTTPStatus.OK
        return await console.show(
            here, reader, clinic, view, template="settings-change", place="settings", notices=notices, status=status
        )


def _given(form: Mapping[str, str]) -> GivenClinic:
    return GivenClinic(
        name=form.get("name", ""),
        sender_name=form.get("sender_name", ""),
        zone=form.get("zone", ""),
        phone=form.get("phone", ""),
        texts_from=form.get("quiet_from", ""),
        texts_until=form.get("quiet_until", ""),
        hours_reason=form.get("hours_reason", "").strip(),
        crisis={language: form.get(f"crisis-{language}", "").replace("\r\n", "\n") for language in Language},
        oncall=tuple((_error_page(form, row), form[f"oncall-{row}"].strip()) for row in _rows(form)),
    )


def _rows(form: Mapping[str, str]) -> list[int]:
    """Return the rows of contact points that were filled in."""
    return [row for row in range(MOST_ONCALL) if form.get(f"oncall-{row}", "").strip()]


def _error_page(form: Mapping[str, str], row: int) -> ContactKind:
    return ContactKind.EMAIL if form.get(f"oncall-{row}-kind") == ContactKind.EMAIL else ContactKind.SMS


def _field(flaw: FieldError, form: Mapping[str, str]) -> str:
    """Return the field of a pointer: `/oncall/0/value` is the first row that was filled in."""
    first, _, rest = flaw.pointer.removeprefix("/").partition("/")
    if first == "crisis":
        return f"crisis-{rest}"
    if first == "oncall":
        rows, place = _rows(form), rest.partition("/")[0]
        return f"oncall-{rows[int(place)] if place.isdecimal() and int(place) < len(rows) else 0}"
    return first


def _filled(clinic: Clinic) -> dict[str, str]:
    values = {
        "name": clinic.name,
        "sender_name": clinic.sender_name,
        "zone": clinic.zone,
        "phone": clinic.phone,
        "quiet_from": clinic.texts_from,
        "quiet_until": clinic.texts_until,
        "hours_reason": clinic.hours_reason or "",
    }
    values |= {f"crisis-{language}": text for language, text in clinic.crisis.items()}
    for row, one in enumerate(clinic.oncall):
        values |= {f"oncall-{row}": one.value, f"oncall-{row}-kind": str(one.kind)}
    return values
