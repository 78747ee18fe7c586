"""The counter: all that the made-up staff do goes over the interface for programs, with a token, as anyone's would."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Final, Self, TypeVar
from uuid import UUID

import aiohttp
from pydantic import BaseModel, ConfigDict, JsonValue

from keepwell.host.process import Host
from shared.clock import RealClock
from shared.ids import ClinicId
from shared.web.tokens import ALL_SCOPES, Principal

AT_ONCE: Final = 12
"""Orders that are under way at the same time."""
TRIES: Final = 4
PAUSE: Final = 0.25
"""Real seconds before an order that got no answer is repeated, under the same key."""
TOKEN_LIFE: Final = timedelta(days=30)
_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400
_PAGE: Final = 200


class RefusedError(Exception):
    """An order was refused; the message is the problem's own words."""

    def __init__(self, method: str, path: str, status: int, detail: str) -> None:
        self.status = status
        super().__init__(f"{method} {path} was answered with {status}: {detail}")


class Seen(BaseModel):
    """What the desk reads of an answer; the rest it leaves alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PatientSeen(Seen):
    """A patient."""

    id: str
    state: str
    external_id: str | None


class PlanAnswer(Seen):
    """A plan."""

    id: str
    version: int
    induction_complete: bool
    next_due_on: date


class SessionSeen(Seen):
    """A session."""

    id: str
    state: str
    starts_at: datetime
    zone: str


class RuleSeen(Seen):
    """A clinical rule."""

    id: str
    runs: bool


class ReasonSeen(Seen):
    """Why something is proposed."""

    code: str


class ProposalSeen(Seen):
    """A proposal."""

    id: str
    state: str
    direction: str
    from_days: int
    to_days: int
    proposed_at: datetime
    decision: str | None
    reasons: tuple[ReasonSeen, ...]
    override_reason: str | None
    ladder: tuple[int, ...] | None = None


class AlertSeen(Seen):
    """A safety alert."""

    id: str
    patient: str | None
    kind: str
    level: str
    state: str
    raised_at: datetime
    acknowledged_at: datetime | None
    closed_at: datetime | None


class CheckinSeen(Seen):
    """A check-in."""

    id: str
    state: str
    occurrence: str
    instruments: tuple[str, ...]


class MessageSeen(Seen):
    """A message."""

    purpose: str
    channel: str
    state: str
    occurrence: str
    about: str | None
    due_at: datetime
    reason: str | None
    error: str | None


A = TypeVar("A", bound=Seen)
Body = Mapping[str, object]


class _Listing(Seen):
    items: list[JsonValue]
    next: str | None


class Counter:
    """Calls the interface, a bounded number of calls at once.

    Args:
        http: a session of its own, with the address and the token.
    """

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._room = asyncio.Semaphore(AT_ONCE)
        self._clock = RealClock()
        self.calls = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, host: Host, *, name: str) -> AsyncIterator[Self]:
        """Give a counter at a host's own address.

        Raises:
            RuntimeError: the host has no clinic.
        """
        if host.login is None:
            raise RuntimeError("There is no clinic to work in: the clinic service is not hosted here.")
        principal = Principal(ClinicId(UUID(host.login.clinic)), name, ALL_SCOPES)
        headers = {"Authorization": f"Bearer {host.tokens.create(principal, life=TOKEN_LIFE)}"}
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(f"{host.url}/api/v1/", headers=headers, connector=connector) as http:
            yield cls(http)

    async def get(self, kind: type[A], path: str) -> A:
        return kind.model_validate(await self._call("GET", path))

    async def find(self, kind: type[A], path: str) -> A | None:
        try:
            return await self.get(kind, path)
        except RefusedError as refusal:
            if refusal.status == 404:  # noqa: PLR2004 - HTTP's own word for none
                return None
            raise

    async def every(self, kind: type[A], path: str, **wanted: str) -> list[A]:
        """Return a whole list, page after page."""
        found: list[A] = []
        query: dict[str, str] = {**wanted, "limit": str(_PAGE)}
        while True:
            page = _Listing.model_validate(await self._call("GET", path, query=query))
            found += [kind.model_validate(item) for item in page.items]
            if page.next is None:
                return found
            query["after"] = page.next

    async def post(self, kind: type[A], path: str, body: Body | None = None, *, key: str) -> A:
        """Give an order; `key` makes a repeated one answer as the first did."""
        return kind.model_validate(await self._call("POST", path, body=body, key=key))

    async def patch(self, kind: type[A], path: str, body: Body, *, key: str) -> A:
        return kind.model_validate(await self._call("PATCH", path, body=body, key=key))

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Body | None = None,
        key: str | None = None,
    ) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        for attempt in range(TRIES):
            try:
                async with (
                    self._room,
                    self._http.request(method, path, params=query, json=body, headers=headers) as answer,
                ):
                    self.calls += 1
                    content = await answer.json(content_type=None)
                if answer.status < _CLIENT_ERROR:
                    return content
                refusal = RefusedError(method, path, answer.status, str(content.get("detail", "")))
            except (aiohttp.ClientError, TimeoutError) as error:
                refusal = RefusedError(method, path, _SERVER_ERROR, type(error).__name__)
            if refusal.status < _SERVER_ERROR:
                break
            await self._clock.pause(PAUSE * 2**attempt)
        raise refusal
