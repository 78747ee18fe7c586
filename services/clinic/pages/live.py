"""The stream that tells an open page to fetch a part of itself again; it carries topics, never data."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from services.clinic.pages.console import Console
from services.clinic.pages.page_request import PageRoute
from shared.ids import ClinicId

_RETRY = 2000
"""Milliseconds after which a browser comes back to a stream that has ended."""


def router(console: Console) -> APIRouter:
    """Return the route."""
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)

    @routes.get("/console/events")
    async def events(request: Request) -> Response:
        user = await console.authentication.user(request)
        if user is None:
            return Response(status_code=204)  # tells the browser not to come back
        returning = "last-event-id" in request.headers
        stream = _stream(console, request, user.member.clinic, catch_up=returning)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return routes


async def _stream(console: Console, request: Request, clinic: ClinicId, *, catch_up: bool) -> AsyncIterator[str]:
    yield f"retry: {_RETRY}\nid: 1\nevent: hello\ndata: hello\n\n"
    if catch_up:
        yield _refetch("all")
    async for topic in console.live_updates.listen(clinic):
        if topic == "all" and await console.authentication.user(request) is None:
            return
        yield _refetch(topic)


def _refetch(topic: str) -> str:
    return f"event: refetch\ndata: {topic}\n\n"
