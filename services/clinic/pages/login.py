"""Login and logout."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from services.clinic.authentication import (
    COOKIE,
    LOCKOUT,
    LOGIN_FORM_COOKIE,
    Authentication,
    LoginRefusedError,
    TooManyLoginsError,
    csrf_holds,
    csrf_of,
    new_token,
)
from services.clinic.pages.page_request import LOGIN_PAGE, PageRoute, authorize, page, see
from services.clinic.views.others import LoginPage


def router(authentication: Authentication) -> APIRouter:
    """Return the routes of login and logout."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    def form(request: Request, *, login: str = "", trouble: str | None = None, status: int = HTTPStatus.OK) -> Response:
        token = request.cookies.get(LOGIN_FORM_COOKIE) or new_token()
        ended = "out" in request.query_params
        view = LoginPage(csrf_of(token), login, trouble, ended)
        answer = page("login", status=status, page=view)
        authentication.set_cookie(answer, LOGIN_FORM_COOKIE, token, life=LOCKOUT)
        return answer

    routes.add_api_route("/", _to_today)
    routes.add_api_route("/console", _to_today)

    @routes.get("/console/login")
    async def ask(request: Request) -> Response:
        if await authentication.user(request):
            return see("/console/today")
        return form(request)

    @routes.post("/console/login")
    async def login(request: Request) -> Response:
        filled = await request.form()
        name, password = str(filled.get("login", ""))[:200], str(filled.get("password", ""))[:1000]
        if not csrf_holds(request.cookies.get(LOGIN_FORM_COOKIE, ""), str(filled.get("csrf", ""))):
            trouble = "This page was open for too long, or cookies are off. Please log in again."
            return form(request, login=name, trouble=trouble, status=HTTPStatus.FORBIDDEN)
        try:
            token = await authentication.login(name, password, request.client.host if request.client else "")
        except LoginRefusedError as error:
            return form(request, login=name, trouble=str(error), status=HTTPStatus.UNAUTHORIZED)
        except TooManyLoginsError as error:
            return form(request, login=name, trouble=str(error), status=HTTPStatus.TOO_MANY_REQUESTS)
        answer = see("/console/today")
        authentication.set_cookie(answer, COOKIE, token)
        answer.delete_cookie(LOGIN_FORM_COOKIE, path="/console")
        return answer

    @routes.post("/console/logout")
    async def logout(request: Request) -> Response:
        here = await authorize(authentication, request, with_any_password=True)
        await here.form()
        await authentication.logout(here.user)
        answer = see(f"{LOGIN_PAGE}?out")
        answer.delete_cookie(COOKIE, path="/console")
        return answer

    return routes


async def _to_today() -> Response:
    return see("/console/today")
