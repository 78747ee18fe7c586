"""The script's hands: orders over REST, repeated under the same key until they are answered; texts from handsets."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp

from shared.clock import Clock, RealClock
from shared.ids import new_id
from tests.faults.record import Order, Record

PAUSE = 0.25
LONGEST_PAUSE = 2.0
"""Seconds before an order is repeated: doubled each time up to the second."""
GIVE_UP_AFTER = 90.0
"""Real seconds after which an order that nobody answers is left; it then counts as neither done nor undone."""
CALL_WITHIN = 10.0
UNKNOWN_YET = 404
"""A patient who was enrolled just now may not have reached the scheduler while something is down."""


class Provider(Protocol):
    """Where the sandbox is."""

    @property
    def url(self) -> str: ...


class Reached(Protocol):
    """What the script needs to know of a Keepwell, whatever it is deployed on."""

    @property
    def gateway(self) -> str:
        """Return the address that everything is behind."""

    @property
    def token(self) -> str: ...

    @property
    def provider(self) -> Provider:
        """Return where handsets are."""


class UnansweredError(Exception):
    """An order got no answer within the time that the caller has."""


class RefusedError(Exception):
    """An order was refused."""


class _Door:
    """What orders of one kind come in by: while it does not answer they try it one after the other, not all at once."""

    def __init__(self) -> None:
        self._shut = False
        self._one = asyncio.Lock()

    @asynccontextmanager
    async def tried(self, clock: Clock) -> AsyncIterator[None]:
        """Have a turn; say by `answered` or `silent` what came of it."""
        if self._shut:
            async with self._one:
                if self._shut:
                    try:
                        yield
                    finally:
                        if self._shut:
                            await clock.pause(PAUSE)
                    return
        yield

    def answered(self) -> None:
        """Let everybody in again."""
        self._shut = False

    def silent(self) -> None:
        """Let one in at a time."""
        self._shut = True


class Caller:
    """Calls the gateway and the provider's handsets."""

    def __init__(self, deployment: Reached, http: aiohttp.ClientSession, record: Record) -> None:
        self._deployment = deployment
        self._http = http
        self._record = record
        self._clock = RealClock()
        self._room = asyncio.Semaphore(24)
        self._doors: dict[str, _Door] = defaultdict(_Door)

    async def order(
        self, method: str, path: str, body: Any, order: Order, *, within: float = GIVE_UP_AFTER
    ) -> dict[str, Any]:
        """Give an order until it is answered; `order.answered` is set when the answer is here.

        Raises:
            RefusedError: the answer was no.
            UnansweredError: there was none.
        """
        headers = {"Authorization": f"Bearer {self._deployment.token}", "Idempotency-Key": str(new_id())}
        deadline = asyncio.get_running_loop().time() + within
        self._record.orders += 1
        door = self._doors[path.split("/")[1]]
        said, pause = "", PAUSE
        while asyncio.get_running_loop().time() < deadline:
            try:
                async with (
                    door.tried(self._clock),
                    self._room,
                    self._http.request(
                        method,
                        f"{self._deployment.gateway}/api/v1{path}",
                        json=body,
                        headers=headers,
                        timeout=aiohttp.ClientTimeout(total=CALL_WITHIN),
                    ) as answer,
                ):
                    content = await answer.text()
                    if answer.status < 500:
                        door.answered()
                    else:
                        door.silent()
                    if answer.status < 300:
                        order.answered = self._clock.now()
                        found: dict[str, Any] = json.loads(content)
                        return found
                    said = f"{answer.status} {content[:500]}"
                    if answer.status < 500 and answer.status != UNKNOWN_YET:
                        raise RefusedError(f"{method} {path}: {said}")
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                said = type(error).__name__
                door.silent()
            self._record.repeats += 1
            await self._clock.pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self._record.unanswered.append(f"{method} {path}: {said}")
        raise UnansweredError(f"{method} {path}: {said}")

    async def get(self, url: str, **query: str) -> Any:
        """Return what a GET below the gateway's API answers, tried again while something is down."""
        headers = {"Authorization": f"Bearer {self._deployment.token}"}
        return await self.read(f"{self._deployment.gateway}/api/v1{url}", headers, **query)

    async def read(self, url: str, headers: dict[str, str] | None = None, **query: str) -> Any:
        """Return what a GET answers, tried again while something is down."""
        deadline = asyncio.get_running_loop().time() + GIVE_UP_AFTER
        said = ""
        while asyncio.get_running_loop().time() < deadline:
            try:
                async with (
                    self._room,
                    self._http.get(
                        url, params=query, headers=headers or {}, timeout=aiohttp.ClientTimeout(total=60)
                    ) as answer,
                ):
                    if answer.status == 200:
                        return await answer.json()
                    said = f"{answer.status} {await answer.text()}"
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                said = type(error).__name__
            await self._clock.pause(PAUSE)
        raise UnansweredError(f"GET {url}: {said}")

    async def text(self, number: str, body: str, order: Order) -> bool:
        """Send a text from a handset until Keepwell has answered its webhook; tell whether the first try did it."""
        deadline = asyncio.get_running_loop().time() + GIVE_UP_AFTER
        tries = 0
        while asyncio.get_running_loop().time() < deadline:
            tries += 1
            try:
                async with (
                    self._room,
                    self._http.post(
                        f"{self._deployment.provider.url}/sandbox/inbound",
                        data={"From": number, "Body": body},
                        timeout=aiohttp.ClientTimeout(total=30),
                    ) as answer,
                ):
                    seen = await answer.json(content_type=None)
                    if answer.status == 201 and seen["answer"] == 200:
                        order.answered = self._clock.now()
                        return tries == 1 and seen["tries"] == 1
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                pass  # the provider is down; a person would send it again, and so does the script
            await self._clock.pause(PAUSE)
        self._record.unanswered.append(f"text {body!r} from a handset")
        return False
