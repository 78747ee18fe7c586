"""One request of the console: who it is, what they may do, what they typed; and errors as kind pages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.clinic.gate import LIVE_HEADER, Gate, Visitor, csrf_holds
from services.clinic.model.staff import NotAllowedError, Permission, Role, require
from services.clinic.rendering import render
from services.clinic.views.others import KindPage
from shared.telemetry.log import get_logger
from shared.web.patience import patience
from shared.web.problems import Forbidden, NotFound, Problem, Unavailable
from shared.web.tokens import Principal, Scope

log = get_logger(__name__)

LOGIN_PAGE: Final = "/console/login"
OWN_DOOR_PAGE: Final = "/console/password"
_SCOPES: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.CLINICIAN: frozenset({Scope.READ, Scope.WRITE, Scope.DECIDE, Scope.CLOSE_ALERTS}),
    Role.STAFF: frozenset({Scope.READ, Scope.WRITE}),
    Role.ADMIN: frozenset({Scope.READ, Scope.WRITE}),
}


class NotLoggedInError(Exception):
    """Nobody is logged in, or the session has ended."""


class PasswordForOneLoginError(Exception):
    """This member of staff has to choose a password of their own first."""


@dataclass(frozen=True)
class Visit:
    """A request by somebody who is logged in."""

    request: Request
    visitor: Visitor

    @property
    def role(self) -> Role:
        """Return the visitor's role."""
        return self.visitor.member.role

    @property
    def live(self) -> bool:
        """Tell whether an open page only fetches itself again: its opening was noted already."""
        return LIVE_HEADER in self.request.headers

    @property
    def principal(self) -> Principal:
        """Return the visitor as other services know them."""
        member = self.visitor.member
        return Principal(member.clinic, member.name, _SCOPES[member.role], member.id)

    async def form(self) -> dict[str, str]:
        """Return what was typed.

        Raises:
            Forbidden: the form does not carry this session's token.
        """
        filled = {name: value for name, value in (await self.request.form()).items() if isinstance(value, str)}
        if not csrf_holds(self.visitor.token, filled.get("csrf", "")):
            raise Forbidden("This form is older than your login, or came from elsewhere. Open the page again.")
        return filled


async def visit(
    gate: Gate, request: Request, needed: Permission = Permission.SEE_PATIENTS, *, with_any_password: bool = False
) -> Visit:
    """Return the visit of somebody who may do what is needed.

    Args:
        gate: knows who is logged in.
        request: theirs.
        needed: what they want to do.
        with_any_password: also where their password is for one login and they have not chosen their own yet.

    Raises:
        NotLoggedInError: nobody is logged in.
        PasswordForOneLoginError: they have to choose a password first.
        Forbidden: their role does not allow it.
    """
    visitor = await gate.visitor(request)
    if visitor is None:
        raise NotLoggedInError
    if visitor.member.must_change and not with_any_password:
        raise PasswordForOneLoginError
    try:
        require(visitor.member.role, needed)
    except NotAllowedError as error:
        raise Forbidden(str(error)) from error
    return Visit(request, visitor)


class PageRoute(APIRoute):
    """A route whose errors are pages for people."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the route."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                async with asyncio.timeout(patience(request)):
                    return await inner(request)
            except (TimeoutError, OSError, DBAPIError, PoolTimeoutError) as error:
                # Only what a database that is away or stands still raises; a fault of a statement is ours, and is loud.
                if isinstance(error, DBAPIError) and not _is_away(error):
                    raise
                log.warning("page.without_database", error=type(error).__name__)
                return _without_database()
            except NotLoggedInError:
                return RedirectResponse(LOGIN_PAGE, HTTPStatus.SEE_OTHER)
            except PasswordForOneLoginError:
                return RedirectResponse(OWN_DOOR_PAGE, HTTPStatus.SEE_OTHER)
            except RequestValidationError:
                return _kind(NotFound("There is nothing at this address."))
            except Problem as problem:
                return _kind(problem)

        return handler


def page(template: str, *, status: int = HTTPStatus.OK, **views: Any) -> HTMLResponse:
    """Return a rendered page."""
    return HTMLResponse(render(template, **views), status_code=status)


def see(path: str) -> RedirectResponse:
    """Send the browser to a page after a form was done."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def is_secure(public_url: str) -> bool:
    """Tell whether the console is reached over https."""
    return urlsplit(public_url).scheme == "https"


def _is_away(error: DBAPIError) -> bool:
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))


def _without_database() -> HTMLResponse:
    """Return the page that stands in for every other while the database does not answer; it asks nobody anything."""
    answer = page("away", status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer.headers["Retry-After"] = "10"
    return answer


def _kind(problem: Problem) -> HTMLResponse:
    titles = {Forbidden: "Not possible here", NotFound: "Nothing here", Unavailable: "One moment, please"}
    view = KindPage(titles.get(type(problem), "That did not work"), problem.detail, "/console/today", "Back to today")
    return page("kind", status=problem.status, page=view)
