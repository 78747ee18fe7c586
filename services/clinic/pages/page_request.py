"""One request of the console: who it is, what they may do, what they typed; and errors as pages."""

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
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.clinic.authentication import LIVE_HEADER, Authentication, CurrentUser, csrf_holds
from services.clinic.model.roles import NotAllowedError, Permission, Role, may, require
from services.clinic.rendering import render
from services.clinic.views.others import ErrorPage
from shared.bus.outage import is_outage
from shared.telemetry.log import get_logger
from shared.web.patience import patience
from shared.web.problems import Forbidden, NotFound, Problem, Unavailable
from shared.web.tokens import Principal, Scope

log = get_logger(__name__)

LOGIN_PAGE: Final = "/console/login"
CREDENTIALS_PAGE: Final = "/console/password"
HIDDEN: Final = frozenset({"csrf", "key", "version"})
"""Fields of a form that nobody typed (the macro `hidden`); no service is told of them as part of what was."""
_SCOPE_OF: Final[Mapping[Permission, Scope]] = {
    Permission.SEE_PATIENTS: Scope.READ,
    Permission.PLAN_SESSIONS: Scope.WRITE,
    Permission.DECIDE: Scope.DECIDE,
    Permission.CLOSE_ALERTS: Scope.CLOSE_ALERTS,
}
"""What other services let pass because of a permission; which role has it is decided in `model/roles.py` alone."""


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return what other services let a role do, by its permissions here."""
    return frozenset(scope for permission, scope in _SCOPE_OF.items() if may(role, permission))


class NotLoggedInError(Exception):
    """Nobody is logged in, or the session has ended."""


class PasswordForOneLoginError(Exception):
    """This member of staff has to choose a password of their own first."""


@dataclass(frozen=True)
class PageRequest:
    """A request by somebody who is logged in."""

    request: Request
    user: CurrentUser

    @property
    def role(self) -> Role:
        """Return the role of who is logged in."""
        return self.user.member.role

    @property
    def live(self) -> bool:
        """Tell whether an open page says that it only fetches itself again; nothing is ordered that way."""
        return self.request.method == "GET" and LIVE_HEADER in self.request.headers

    @property
    def principal(self) -> Principal:
        """Return the user as other services know them."""
        member = self.user.member
        return Principal(member.clinic, member.name, scopes_of(member.role), member.id)

    async def form(self) -> dict[str, str]:
        """Return what was typed.

        Raises:
            Forbidden: the form does not carry this session's token.
        """
        filled = {name: value for name, value in (await self.request.form()).items() if isinstance(value, str)}
        if not csrf_holds(self.user.token, filled.get("csrf", "")):
            raise Forbidden("This form is older than your login, or came from elsewhere. Open the page again.")
        return filled


async def authorize(
    authentication: Authentication,
    request: Request,
    needed: Permission = Permission.SEE_PATIENTS,
    *,
    with_any_password: bool = False,
) -> PageRequest:
    """Return the request of somebody who may do what is needed.

    Args:
        authentication: knows who is logged in.
        request: theirs.
        needed: what they want to do.
        with_any_password: also where their password is for one login and they have not chosen their own yet.

    Raises:
        NotLoggedInError: nobody is logged in.
        PasswordForOneLoginError: they have to choose a password first.
        Forbidden: their role does not allow it.
    """
    user = await authentication.user(request)
    if user is None:
        raise NotLoggedInError
    if user.member.must_change and not with_any_password:
        raise PasswordForOneLoginError
    try:
        require(user.member.role, needed)
    except NotAllowedError as error:
        raise Forbidden(str(error)) from error
    return PageRequest(request, user)


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
                if isinstance(error, DBAPIError) and not is_outage(error):
                    raise
                log.warning("page.without_database", error=type(error).__name__)
                return _without_database()
            except NotLoggedInError:
                return RedirectResponse(LOGIN_PAGE, HTTPStatus.SEE_OTHER)
            except PasswordForOneLoginError:
                return RedirectResponse(CREDENTIALS_PAGE, HTTPStatus.SEE_OTHER)
            except RequestValidationError:
                return _error_page(NotFound("There is nothing at this address."))
            except Problem as problem:
                return _error_page(problem)

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


def _without_database() -> HTMLResponse:
    """Return the page that stands in for every other while the database does not answer; it asks nobody anything."""
    answer = page("away", status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer.headers["Retry-After"] = "10"
    return answer


def _error_page(problem: Problem) -> HTMLResponse:
    titles = {Forbidden: "Not possible here", NotFound: "Nothing here", Unavailable: "One moment, please"}
    view = ErrorPage(titles.get(type(problem), "That did not work"), problem.detail, "/console/today", "Back to today")
    return page("error", status=problem.status, page=view)
