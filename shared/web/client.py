"""Orders from one service to another: the same interface that programs use, with a token of a minute."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from shared.telemetry import spans, trace
from shared.web.outgoing import Outgoing
from shared.web.problems import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    Problem,
    Unauthorized,
    Unavailable,
)
from shared.web.tokens import ORDER_LIFE, Principal, Tokens

DEADLINE: Final = 10.0
"""Real seconds that a request may take."""
_PROBLEMS: Final[Mapping[int, type[Problem]]] = {
    int(kind.status): kind for kind in (Invalid, Unauthorized, Forbidden, NotFound, Conflict, PreconditionFailed)
}


class ServiceClient:
    """Calls other services for somebody.

    Args:
        session: gives the process's one HTTP session.
        urls: base address by service.
        tokens: makes the requests' tokens.
    """

    def __init__(self, session: Outgoing, urls: Mapping[str, str], tokens: Tokens) -> None:
        self._session = session
        self._urls = dict(urls)
        self._tokens = tokens

    async def get(self, service: str, path: str, *, principal: Principal) -> Any:
        """Return the JSON that a service answers; see `send` for errors."""
        return await self._call("GET", service, path, principal=principal, body=None, headers={})

    async def send(
        self,
        service: str,
        path: str,
        body: Mapping[str, Any],
        *,
        principal: Principal,
        idempotency_key: str | None = None,
        if_match: int | None = None,
        method: str = "POST",
    ) -> Any:
        """Order something of a service and return the JSON of its answer.

        Raises:
            Problem: the owner's own answer: Invalid, NotFound, Conflict, PreconditionFailed, Forbidden.
            Unavailable: the owner is away or too slow. It may have carried it out: repeat it with the same key.
        """
        headers: dict[str, str] = {}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        return await self._call(method, service, path, principal=principal, body=body, headers=headers)

    async def _call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        principal: Principal,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> Any:
        import aiohttp  # noqa: PLC0415 - loaded with the first call, not at the start

        token = self._tokens.create(principal, life=ORDER_LIFE)
        about = {"http.request.method": method, "keepwell.ordered_of": service}
        try:
            with spans.span(f"order {service}", spans.Kind.CLIENT, parent=trace.current(), attributes=about) as span:
                sent = {**headers, "Authorization": f"Bearer {token}", "traceparent": span.traceparent}
                async with self._session().request(
                    method,
                    f"{self._urls[service]}/api/v1{path}",
                    json=body,
                    headers=sent,
                    timeout=aiohttp.ClientTimeout(total=DEADLINE),
                ) as answer:
                    content = await answer.json(content_type=None)
                    span.note({"http.response.status_code": answer.status})
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(f"The {service} service does not answer just now. Please try again.") from error
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"The {service} service cannot do this just now. Please try again.")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            kind = _PROBLEMS.get(answer.status, Conflict)
            errors = [FieldError(flaw["pointer"], flaw["detail"]) for flaw in content.get("errors", [])]
            raise kind(content.get("detail", ""), errors=errors)
        return content
