"""Errors of the interface: RFC 9457 problems, each with what is wrong and the remedy."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared.web import astray, contract
from shared.web.contract import MEDIA_TYPE


@dataclass(frozen=True)
class FieldError:
    """A flaw in the input: a JSON pointer to its place, and what is wrong with the remedy."""

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818 - the standard's own word
    """An answer other than success; subclasses fix the status."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    type = "about:blank"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        document: dict[str, Any] = {
            "type": self.type,
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in self.errors]
        return document


class Invalid(Problem):
    """422: the input cannot be used."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    @classmethod
    def at(cls, pointer: str, detail: str) -> "Invalid":
        """Return the problem of one field."""
        return cls("Some of what was sent cannot be used.", errors=[FieldError(pointer, detail)])


class Unauthorized(Problem):
    """401: no token, or one that does not hold."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Problem):
    """403: the token or the role does not allow it."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Problem):
    """404: there is no such thing in this clinic."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    """409: the thing is in a state that does not allow it."""

    status = HTTPStatus.CONFLICT


class PreconditionFailed(Problem):
    """412: the thing has a newer version than the one named by If-Match."""

    status = HTTPStatus.PRECONDITION_FAILED


class TooLarge(Problem):
    """413: longer than anything that is taken."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooSlow(Problem):
    """408: it did not come whole in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class TooMany(Problem):
    """429: slow down."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(Problem):
    """503: a part that is needed is away; nothing was changed."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


def _pointer(location: Sequence[Any]) -> str:
    where, *path = location or ("body",)
    if where == "body":
        return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return f"{where}:{'.'.join(map(str, path))}"


def _methods(request: Request) -> list[str]:
    """Return what a path can be asked: a router knows of each of its routes alone."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found.update(getattr(route, "methods", None) or ())
    return sorted(found)


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""

    async def problem(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, Problem):
            raise error
        headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else None
        return JSONResponse(error.body(), status_code=error.status, media_type=MEDIA_TYPE, headers=headers)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        flaws = [
            FieldError(_pointer(flaw["loc"]), flaw["msg"].removeprefix("Value error, ")) for flaw in error.errors()
        ]
        return await problem(request, Invalid("Some of what was sent cannot be used.", errors=flaws))

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        status = HTTPStatus(error.status_code)
        headers = error.headers
        if status is HTTPStatus.BAD_REQUEST:
            # FastAPI's own word for a body that is not even text; one that is text and no JSON is 422 already.
            return await problem(request, Invalid("The body cannot be read. Send JSON in UTF-8."))
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers = {"Allow": ", ".join(_methods(request))}
        if astray.wants_page(request):
            return astray.page(status, dict(headers or {}))
        document = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": str(error.detail)}
        return JSONResponse(document, status_code=status, media_type=MEDIA_TYPE, headers=headers)

    contract.install(app)
    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
