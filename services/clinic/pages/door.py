"""Login and logout."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from services.clinic.gate import (
    COOKIE,
    DOOR_COOKIE,
    WINDOW,
    Gate,
    LoginRefusedError,
    TooManyLoginsError,
    csrf_holds,
    csrf_of,
    new_token,
)
from services.clinic.pages.visit import LOGIN_PAGE, PageRoute, page, see, visit
from services.clinic.views.others import LoginPage


def router(gate: Gate) -> APIRouter:
    """Return the routes of the door."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    def form(request: Request, *, login: str = "", trouble: str | None = None, status: int = HTTPStatus.OK) -> Response:
        token = request.cookies.get(DOOR_COOKIE) or new_token()
        ended = "out" in request.query_params
        view = LoginPage(csrf_of(token), login, trouble, ended)
        answer = page("login", status=status, page=view)
        gate.set_cookie(answer, DOOR_COOKIE, token, life=WINDOW)
        return answer

    routes.add_api_route("/", _to_today)
    routes.add_api_route("/console", _to_today)

    @routes.get("/console/login")
    async def ask(request: Request) -> Response:
        if await gate.visitor(request):
            return see("/console/today")
        return form(request)

    @routes.post("/console/login")
    async def login(request: Request) -> Response:
        filled = await request.form()
        name, password = str(filled.get("login", ""))[:200], str(filled.get("password", ""))[:1000]
        if not csrf_holds(request.cookies.get(DOOR_COOKIE, ""), str(filled.get("csrf", ""))):
            trouble = "This page was open for too long, or cookies are off. Please log in again."
            return form(request, login=name, trouble=trouble, status=HTTPStatus.FORBIDDEN)
        try:
            token = await gate.login(name, password, request.client.host if request.client else "")
        except LoginRefusedError as error:
            return form(request, login=name, trouble=str(error), status=HTTPStatus.UNAUTHORIZED)
        except TooManyLoginsError as error:
            return form(request, login=name, trouble=str(error), status=HTTPStatus.TOO_MANY_REQUESTS)
        answer = see("/console/today")
        gate.set_cookie(answer, COOKIE, token)
        answer.delete_cookie(DOOR_COOKIE, path="/console")
        return answer

    @routes.post("/console/logout")
    async def logout(request: Request) -> Response:
        here = await visit(gate, request, with_any_password=True)
        await here.form()
        await gate.logout(here.visitor)
        answer = see(f"{LOGIN_PAGE}?out")
        answer.delete_cookie(COOKIE, path="/console")
        return answer

    return routes


async def _to_today() -> Response:
    return see("/console/today")
