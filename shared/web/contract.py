"""What every operation of the interface for programs has in common, said once in the OpenAPI document.

FastAPI describes what a route returns when all goes well. The token that each needs, and the problems that each may
answer with, are added here, as `shared.web.problems` and `shared.web.api` give them.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

API: Final = "/api/"
MEDIA_TYPE: Final = "application/problem+json"
_OF_ALL: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)
_OF_CHANGES: Final = (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.UNPROCESSABLE_ENTITY)
_WORDS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.UNAUTHORIZED: "There is no token, or it does not hold.",
    HTTPStatus.FORBIDDEN: "The token does not allow this.",
    HTTPStatus.NOT_FOUND: "There is no such thing in this clinic.",
    HTTPStatus.CONFLICT: "The thing is in a state that does not allow this.",
    HTTPStatus.PRECONDITION_FAILED: "The thing has a newer version than `If-Match` names.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Some of what was sent cannot be used; `errors` says what and where.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A part that is needed is away; nothing was changed.",
}
_PROBLEM: Final[Mapping[str, Any]] = {
    "title": "Problem",
    "description": "What went wrong, with the remedy (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_BEARER: Final[Mapping[str, Any]] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Made by `keepwell token create --name N`.",
}


def install(app: FastAPI) -> None:
    """Make an application's OpenAPI document say what its operations have in common."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described(plain())
        return plain()

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend the document


def described(document: dict[str, Any]) -> None:
    """Add tokens and problems to a document in place."""
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for generic in ("HTTPValidationError", "ValidationError"):
        schemas.pop(generic, None)
    schemas["Problem"] = dict(_PROBLEM)
    parts["securitySchemes"] = {"bearer": dict(_BEARER)}
    for path, method, operation in _operations(document):
        operation["security"] = [{"bearer": []}]
        for status in _problems(path, method, operation):
            operation["responses"][str(int(status))] = {
                "description": _WORDS[status],
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        if path.startswith(API):
            for method, operation in methods.items():
                yield path, method, operation


def _problems(path: str, method: str, operation: Mapping[str, Any]) -> set[HTTPStatus]:
    """Return the statuses with which an operation may refuse."""
    found = set(_OF_ALL)
    if "{" in path or "requestBody" in operation or path.endswith("/clinic"):
        found.add(HTTPStatus.NOT_FOUND)
    if method != "get":
        found.update(_OF_CHANGES)
    if operation.get("parameters"):
        found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    return found
