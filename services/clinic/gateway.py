"""Every service behind one address: what is hosted elsewhere is passed on."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from yarl import URL

from shared.telemetry import trace
from shared.telemetry.log import get_logger
from shared.web.away import PATIENTS_LINKS, Whom, away
from shared.web.outgoing import Outgoing
from shared.web.problems import NotFound, Problem, Unavailable

log = get_logger(__name__)

PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "scheduler": (
        "/api/v1/protocols",
        "/api/v1/patients/{patient}/plan",
        "/api/v1/patients/{patient}/plan/continue",
        "/api/v1/patients/{patient}/plans",
        "/api/v1/patients/{patient}/sessions",
        "/api/v1/sessions",
        "/api/v1/sessions/{rest:path}",
    ),
    "notifier": (
        "/api/v1/patients/{patient}/messages",
        "/api/v1/messages/{rest:path}",
        "/api/v1/contacts/{rest:path}",
        "/webhooks/{rest:path}",
    ),
    "assessments": (
        "/api/v1/patients/{patient}/checkins",
        "/api/v1/patients/{patient}/scores",
        "/api/v1/patients/{patient}/proposals",
        "/api/v1/patients/{patient}/outside-changes",
        "/api/v1/checkins",
        "/api/v1/checkins/{rest:path}",
        "/api/v1/scores/{rest:path}",
        "/api/v1/alerts",
        "/api/v1/alerts/{rest:path}",
        "/api/v1/proposals/{rest:path}",
        "/api/v1/instruments",
        "/api/v1/rules",
        "/api/v1/rules/{rest:path}",
        "/c/{rest:path}",
    ),
}
"""Which service answers which path (docs of the interface for programs)."""
_METHODS: Final = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_PLAIN: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:-]+)+/?", re.ASCII)
"""Ids, tokens and names: nothing escaped, and no segment that means the one above."""
_CHUNK: Final = 64 * 1024
"""Bytes that are passed on at once; an answer no longer than this is read whole, for a stream costs more."""
_DEADLINE: Final = aiohttp.ClientTimeout(total=30, connect=5)


FindWhom = Callable[[], Awaitable[Whom | None]]
"""Looks up whom the one who opens a patient's link can call."""


def router(http: Outgoing, urls: Mapping[str, str], whom: FindWhom) -> APIRouter:
    """Return routes that pass on the paths of the services in `urls` (base address by service).

    A patient's link that cannot be passed on is answered with a page that says whom to call.
    """
    routes = APIRouter(include_in_schema=False)
    for service, base in urls.items():
        for path in PATHS.get(service, ()):
            routes.add_api_route(
                path, _for_people(_passing(http, service, base), whom), methods=_METHODS, name=f"{service}:{path}"
            )
    return routes


def _for_people(
    pass_on: Callable[[Request], Awaitable[Response]], whom: FindWhom
) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await pass_on(request)
        except Problem as problem:
            if not request.url.path.startswith(PATIENTS_LINKS):
                raise
            return away(await _found_whom(whom), int(problem.status))

    return answered


async def _found_whom(whom: FindWhom) -> Whom | None:
    try:
        return await whom()
    except Exception:
        # The page that says so must not fail for the same reason.
        log.exception("gateway.nobody_to_call")
        return None


def _passing(http: Outgoing, service: str, base: str) -> Callable[[Request], Awaitable[Response]]:
    async def pass_on(request: Request) -> Response:
        target = target_of(base, request.scope)
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        headers["traceparent"] = trace.current()
        try:
            answer = await http().request(
                request.method,
                target,
                data=await request.body(),
                headers=headers,
                allow_redirects=False,
                timeout=_DEADLINE,
            )
            if answer.content_length is None or answer.content_length > _CHUNK:
                return StreamingResponse(_body(answer), status_code=answer.status, headers=_kept(answer))
            async with answer:
                return Response(await answer.read(), status_code=answer.status, headers=_kept(answer))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"The {service} service does not answer just now. Please try again.") from error

    return pass_on


def target_of(base: str, scope: Mapping[str, Any]) -> URL:
    """Return where a request goes on to, in the very letters in which it came: what was matched is what is asked.

    Raises:
        NotFound: a path of ours has no escape and no dots; one that has would be read otherwise by the next server.
    """
    raw = bytes(scope["raw_path"]).decode("latin-1")
    if not _PLAIN.fullmatch(raw):
        raise NotFound("There is no such address.")
    query = bytes(scope["query_string"]).decode("latin-1")
    return URL(f"{base}{raw}" + (f"?{query}" if query else ""), encoded=True)


def _kept(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}


async def _body(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            yield chunk
