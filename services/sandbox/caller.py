"""Outgoing HTTP: signed webhooks as the provider sends them, and pages as a patient's browser asks for them.

Everything goes to this machine only, and to hosts that were named one by one (Keepwell in a container of its own): a
stand-in that reaches out would not be one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import urlencode, urlsplit

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from shared.clock import Clock

_SERVER_ERROR: Final = 500


class NotLoopbackError(Exception):
    """The sandbox calls only addresses of this machine (localhost, 127.0.0.1, ::1) and the hosts that were allowed."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{urlsplit(url).hostname or 'no host'} is refused. {self.__doc__}")


class NoAnswerError(Exception):
    """The other side did not answer: refused, reset or too slow."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: str
    url: str
    location: str | None = None


@dataclass(frozen=True)
class Posted:
    """What became of a webhook: how often it was posted, and the last answer, if one came."""

    tries: int
    answer: Answer | None
    problem: str = ""


def require_loopback(url: str, also: frozenset[str] = frozenset()) -> str:
    """Return the address if it is one of this machine, or of a host in `also` (in small letters).

    Raises:
        NotLoopbackError: if it is any other.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"}:
        raise NotLoopbackError(url)
    if host in also or host == "localhost" or host.endswith(".localhost"):
        return url
    try:
        inside = ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NotLoopbackError(url)
    return url


class Caller:
    """One pool of connections for all that the sandbox calls.

    Args:
        clock: for the pause between two tries.
        auth_token: signs the webhooks.
        budget: seconds that a webhook may take.
        retries: how often a webhook is posted again after a server error or no answer.
        also: hosts that may be called beside this machine's own.
    """

    def __init__(
        self, clock: Clock, *, auth_token: str, budget: float, retries: int, also: frozenset[str] = frozenset()
    ) -> None:
        self._also = also
        self._clock = clock
        self._validator = RequestValidator(auth_token)
        self._forger = RequestValidator(auth_token[::-1] + "?")
        self._timeout = aiohttp.ClientTimeout(total=budget)
        self._retries = retries
        self._connector: aiohttp.TCPConnector | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool."""
        self._connector = aiohttp.TCPConnector(limit=128)
        self._session = aiohttp.ClientSession(
            connector=self._connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def stop(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def webhook(self, url: str, params: dict[str, str], *, token: str, forged: bool = False) -> Posted:
        """Post a webhook as the provider does: signed over the exact address, once more where it failed.

        Args:
            url: of the webhook.
            params: of the form.
            token: names this webhook, the same at each try.
            forged: sign it as somebody who does not know the secret.
        """
        signer = self._forger if forged else self._validator
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": token,
            "X-Twilio-Signature": signer.compute_signature(url, params),
        }
        tries, answer, problem = 0, None, ""
        while tries <= self._retries:
            if tries:
                await self._clock.pause(0.25)
            tries += 1
            try:
                answer, problem = await self._ask("POST", url, urlencode(params).encode(), headers), ""
            except NoAnswerError as error:
                answer, problem = None, str(error)
            except NotLoopbackError as error:
                return Posted(tries, None, str(error))
            if answer is not None and answer.status < _SERVER_ERROR:
                break
        return Posted(tries, answer, problem)

    async def _ask(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if self._session is None:
            raise RuntimeError("The sandbox was not started.")
        return await ask(self._session, method, url, body, headers, also=self._also)

    def browser(self) -> "BrowserSession":
        """Begin a visit of somebody's browser: its own cookies, the common pool."""
        if self._connector is None:
            raise RuntimeError("The sandbox was not started.")
        return BrowserSession(
            aiohttp.ClientSession(
                connector=self._connector,
                connector_owner=False,
                timeout=self._timeout,
                cookie_jar=aiohttp.CookieJar(unsafe=True),
            ),
            self._also,
        )


class BrowserSession:
    """A visit of a browser without scripts: pages, forms, redirects, cookies."""

    def __init__(self, session: aiohttp.ClientSession, also: frozenset[str] = frozenset()) -> None:
        self._session = session
        self._also = also

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, url: str) -> Answer:
        """Open a page, and follow its redirects on this machine."""
        answer = await ask(self._session, "GET", url, None, {"Accept": "text/html"}, also=self._also)
        for _ in range(5):
            if answer.location is None:
                break
            answer = await ask(self._session, "GET", answer.location, None, {"Accept": "text/html"}, also=self._also)
        return answer

    async def post(self, url: str, pairs: Sequence[tuple[str, str]]) -> Answer:
        """Send a form, and follow the redirect that answers it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Origin": _origin(url)}
        answer = await ask(self._session, "POST", url, urlencode(pairs).encode(), headers, also=self._also)
        return answer if answer.location is None else await self.get(answer.location)


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    body: bytes | None,
    headers: dict[str, str],
    *,
    also: frozenset[str] = frozenset(),
) -> Answer:
    """Make one request.

    Raises:
        NotLoopbackError: where the address is neither of this machine nor of a host in `also`.
        NoAnswerError: where no answer came.
    """
    exact = URL(require_loopback(url, also), encoded=True)
    try:
        async with session.request(method, exact, data=body, headers=headers, allow_redirects=False) as response:
            text = await response.text(errors="replace")
            location = response.headers.get("Location") if response.status in {301, 302, 303, 307, 308} else None
            return Answer(
                status=response.status,
                body=text,
                url=url,
                location=None if location is None else str(exact.join(URL(location))),
            )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NoAnswerError(type(error).__name__) from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
