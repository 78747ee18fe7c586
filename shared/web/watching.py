"""ASGI middleware that measures how long answers take, by who waits for them, and begins or goes on with a trace."""

from enum import StrEnum
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import spans
from shared.telemetry.metrics import histogram


class Area(StrEnum):
    """Who waits for an answer. A path holds ids and tokens, and is never a label."""

    PATIENTS = "patients"
    STAFF = "staff"
    PROGRAMS = "programs"
    PROVIDER = "provider"
    OPERATION = "operation"


AREAS: Final = {
    "/c/": Area.PATIENTS,
    "/console": Area.STAFF,
    "/login": Area.STAFF,
    "/api/": Area.PROGRAMS,
    "/webhooks/": Area.PROVIDER,
}
"""The areas by how their paths begin; all else is operation: health, metrics, static files."""
CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")
NO_ANSWER: Final = 500
"""What the server answers where the application failed before it answered."""
FAILED: Final = 500
"""Statuses from here on are our own fault."""

_SECONDS: Final = histogram(
    "http_seconds",
    "Real seconds until an answer began, by who waited and the class of its status.",
    "area",
    "status",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
for _area in Area:
    for _class in CLASSES:
        _SECONDS.labels(_area, _class)


def area_of(path: str) -> Area:
    """Return who waits for the answer of a path."""
    return next((area for start, area in AREAS.items() if path.startswith(start)), Area.OPERATION)


class Watching:
    """Watches each request until its answer begins: a stream of events that stays open is no slow page.

    What a request publishes and calls goes on with the caller's trace. Health and metrics are asked so often that they
    begin none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        area = area_of(scope["path"])
        if area is Area.OPERATION:
            await self._measured(area, scope, receive, send, None)
            return
        about = {"http.request.method": scope["method"], "keepwell.area": str(area)}
        with spans.span(str(area), spans.Kind.SERVER, parent=_traceparent(scope), attributes=about) as span:
            await self._measured(area, scope, receive, send, span)

    async def _measured(self, area: Area, scope: Scope, receive: Receive, send: Send, span: spans.Span | None) -> None:
        began = perf_counter()
        answered: list[int] = []

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                _observe(area, scope, answered[0], began, span)
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            if not answered:
                _observe(area, scope, NO_ANSWER, began, span)


def _observe(area: Area, scope: Scope, status: int, began: float, span: spans.Span | None) -> None:
    _SECONDS.labels(area, f"{status // 100}xx").observe(perf_counter() - began)
    if span is None:
        return
    # The route as it is written in the code, with a name where the path has an id or a token.
    route = getattr(scope.get("route"), "path", None)
    if route is not None:
        span.rename(f"{scope['method']} {route}")
        span.note({"http.route": route})
    span.note({"http.response.status_code": status})
    if status >= FAILED:
        span.fail(str(status))


def _traceparent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            found: bytes = value
            return found.decode("latin-1")
    return None
