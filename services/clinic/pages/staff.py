"""Adding and deactivating staff, passwords for one login, and choosing one's own."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.clinic.authentication import OldPasswordError, TooManyLoginsError
from services.clinic.commands import staff
from services.clinic.commands.staff import GivenMember, Handed
from services.clinic.model.flaws import RefusedError
from services.clinic.model.password_rules import SHORTEST_PASSWORD, read_password
from services.clinic.model.roles import Permission
from services.clinic.pages import settings
from services.clinic.pages.console import Console
from services.clinic.pages.page_request import PageRequest, PageRoute, authorize
from services.clinic.views.components import FormState
from services.clinic.views.settings import HandedPage, PasswordPage
from shared.web.problems import Problem


def router(console: Console) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    _staff(routes, console)
    _own(routes, console)
    return routes


def _staff(routes: APIRouter, console: Console) -> None:
    @routes.post("/console/staff")
    async def add(request: Request) -> Response:
        here = await console.authorize(request, Permission.MANAGE_STAFF)
        form = await here.form()
        given = GivenMember(form.get("login", ""), form.get("name", ""), form.get("role", ""))
        try:
            async with console.database.transaction() as tx:
                handed = await staff.add(tx, here.principal, here.role, given)
        except Problem as problem:
            errors = {flaw.pointer.removeprefix("/"): flaw.detail for flaw in problem.errors}
            return await settings.show(console, here, problem=problem, form=FormState(form, errors))
        return await _hand_over(console, here, handed)

    @routes.post("/console/staff/{member}/password")
    async def renew(member: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.MANAGE_STAFF)
        await here.form()
        try:
            async with console.database.transaction() as tx:
                handed = await staff.renew_password(tx, here.principal, here.role, member)
        except Problem as problem:
            return await settings.show(console, here, problem=problem)
        return await _hand_over(console, here, handed)

    @routes.post("/console/staff/{member}/deactivate")
    async def deactivate(member: UUID, request: Request) -> Response:
        here = await console.authorize(request, Permission.MANAGE_STAFF)
        await here.form()
        try:
            async with console.database.transaction() as tx:
                await staff.deactivate(tx, here.principal, here.role, member)
        except Problem as problem:
            return await settings.show(console, here, problem=problem)
        return console.done("deactivated", "/console/settings")


def _own(routes: APIRouter, console: Console) -> None:
    @routes.get("/console/password")
    async def ask(request: Request) -> Response:
        return await _choose(console, await authorize(console.authentication, request, with_any_password=True), {})

    @routes.post("/console/password")
    async def change(request: Request) -> Response:
        here = await authorize(console.authentication, request, with_any_password=True)
        form = await here.form()
        old, new = form.get("old", "")[:1000], form.get("new", "")[:1000]
        try:
            read_password(new, old=old, login=here.user.member.login)
        except RefusedError as error:
            return await _choose(console, here, {"new": str(error)})
        if form.get("again", "") != new:
            return await _choose(console, here, {"again": "This differs from the new password. Type it again."})
        address = request.client.host if request.client else ""
        try:
            await console.authentication.change_password(here.user, old, new, address)
        except (OldPasswordError, TooManyLoginsError) as error:
            return await _choose(console, here, {"old": str(error)})
        return console.done("password", "/console/today" if here.user.member.must_change else "/console/settings")


async def _choose(console: Console, here: PageRequest, errors: dict[str, str]) -> Response:
    """Return the form; what was typed into it never comes back."""
    member = here.user.member
    view = PasswordPage(FormState({}, errors), member.login, member.must_change, SHORTEST_PASSWORD)
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
        return await console.show(here, reader, clinic, view, template="password", place="settings", status=status)


async def _hand_over(console: Console, here: PageRequest, handed: Handed) -> Response:
    """Show a password once: it is kept nowhere, and the page stays out of every cache."""
    view = HandedPage(handed.member.name, handed.member.login, handed.password)
    async with console.database.reading() as reader:
        clinic = await console.clinic(reader, here.principal.clinic)
        return await console.show(here, reader, clinic, view, template="handed", place="settings")
