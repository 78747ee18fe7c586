"""Text messages over Twilio's Messages contract: sent over a lean client, looked up over the process's HTTP session.

The `twilio` package's own client repeats a POST on 5xx and ignores its timeout, so that one message can become two; of
the package this service uses the check of webhook signatures alone.
"""

import asyncio
import base64
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from services.notifier.model.call_outcomes import (
    CANNOT_SHOW,
    Accepted,
    Blind,
    CallOutcome,
    Found,
    Later,
    Refused,
    Unknown,
)
from services.notifier.ports.port import Letter, Listed, ProviderText, Query, Sighted
from services.notifier.ports.wire import Lost, NotSent, Poster
from shared.web.outgoing import Outgoing

API: Final = "/2010-04-01/Accounts"
TOO_MANY: Final = frozenset({"20429"})
PAUSE: Final = timedelta(seconds=5)
"""How long to wait after 429 where the provider names no time, and after a connection that could not be made."""
ACCOUNT_PAUSE: Final = timedelta(seconds=60)
"""How long to wait where the account is refused: not the message's fault, and a person has to act."""
_ACCOUNT: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_SAMPLE: Final = 20
"""Of the newest texts how many are looked at, to see whether an account shows words and numbers."""
_SHOWS_FOR: Final = 60.0
"""Real seconds for which an account that showed both is not looked at again."""
_PAGE: Final = 1000
_MOST_PAGES: Final = 20


@dataclass(frozen=True)
class TwilioAccount:
    """Whose account sends, and to whom it reports.

    Attributes:
        sender: a number in E.164, or a Messaging Service's SID.
        status_url: where the provider reports to; ids of ours are added, never health data.
    """

    base_url: str
    sid: str
    token: str
    sender: str
    status_url: str


class TwilioPort:
    """Sends texts and looks them up.

    Args:
        session: gives the process's one; it looks messages up.
        account: see there.
        timeout: real seconds for a call; half of it to connect.
        same_clock: whether the provider's dates and ours are of one clock, which trial time is not.
        dated: whether its dates can be told from ours at least: also those of our own stand-in in trial time.
    """

    can_look = True

    def __init__(
        self,
        session: Outgoing,
        account: TwilioAccount,
        *,
        timeout: float,
        same_clock: bool,
        dated: bool = False,
    ) -> None:
        self._session = session
        self._account = account
        self._url = f"{account.base_url}{API}/{account.sid}/Messages.json"
        basic = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        self._timeout = timeout
        self._poster = Poster(self._url, self._headers, timeout=timeout)
        self._by_service = account.sender.startswith("MG")
        sender = urlencode({"MessagingServiceSid" if self._by_service else "From": account.sender})
        self._form = f"{sender}&StatusCallback={quote_plus(account.status_url)}%3Fmessage%3D"
        self._same_clock = same_clock
        self._dated = dated
        self._shows_until = float("-inf")

    async def send(self, letter: Letter) -> CallOutcome:
        """Post one message. Whatever is not provably refused or provably not taken is unknown."""
        form = (
            f"{self._form}{letter.message}%26attempt%3D{letter.attempt}"
            f"&To={letter.to.translate(_QUOTED)}&Body={letter.body.translate(_QUOTED)}"
        )
        try:
            answer = await self._poster.post(form.encode("ascii"))
        except NotSent as error:
            return Later(PAUSE, str(error), reached=False)
        except Lost as error:
            return Unknown(str(error))
        return _outcome(answer.status, answer.headers.get(b"retry-after", b"").decode("latin-1"), answer.body)

    def close(self) -> None:
        """Close connections that nobody uses."""
        self._poster.close()

    async def look(self, query: Query) -> Sighted:
        """List what went to a number and return all of these words; blind unless the whole list was seen."""
        wanted = {"To": query.to, "PageSize": str(_PAGE)}
        if not self._by_service:
            wanted["From"] = self._account.sender
        listed = await self._list(wanted, query.since)
        if isinstance(listed, Blind):
            return listed
        found = tuple(_found(each) for each in listed if self._is_it(each, query))
        return Listed(found) if found else await self._empty(listed, query.to) or Listed(())

    async def sent_to(self, number: str, since: datetime) -> tuple[ProviderText, ...] | Blind:
        """Return what went to a number, whichever of our senders it came from."""
        listed = await self._list({"To": number, "PageSize": str(_PAGE)}, since)
        if isinstance(listed, Blind):
            return listed
        blind = await self._empty(listed, number)
        return blind or self._texts(each for each in listed if went_out(each) and each.get("to") == number)

    async def _empty(self, listed: Sequence[dict[str, Any]], number: str) -> Blind | None:
        """Return why a list that shows nothing proves nothing; None where it does.

        An account may keep its texts, its numbers or both to itself ("redaction"): what it shows then has no words, or
        cannot be found by number. See https://www.twilio.com/docs/messaging/guides/privacy-message-redaction.
        """
        if any(kept_back(each, number) for each in listed):
            return CANNOT_SHOW
        now = asyncio.get_running_loop().time()
        if now >= self._shows_until:
            latest = await self._page(f"{self._url}?{urlencode({'PageSize': str(_SAMPLE)})}")
            if isinstance(latest, Blind):
                return latest
            if any(kept_back(each) for each in latest["messages"]):
                return CANNOT_SHOW
            self._shows_until = now + _SHOWS_FOR
        return None

    async def received(self, since: datetime) -> tuple[ProviderText, ...] | Blind:
        """Return what handsets sent to our number, or to any number of our service."""
        wanted = {"PageSize": str(_PAGE)} | ({} if self._by_service else {"To": self._account.sender})
        listed = await self._list(wanted, since)
        return listed if isinstance(listed, Blind) else self._texts(each for each in listed if not went_out(each))

    async def _list(self, wanted: dict[str, str], since: datetime) -> list[dict[str, Any]] | Blind:
        """Return a whole list, newest first, or say that it could not be seen."""
        if self._same_clock:
            wanted = wanted | {"DateSent>": (since - timedelta(days=1)).date().isoformat()}
        listed: list[dict[str, Any]] = []
        url = f"{self._url}?{urlencode(wanted)}"
        for _ in range(_MOST_PAGES):
            page = await self._page(url)
            if isinstance(page, Blind):
                return page
            listed += page["messages"]
            following = page.get("next_page_uri")
            if not following:
                return listed
            url = self._account.base_url + str(following)
        return Blind(f"more than {_MOST_PAGES} pages")

    def _texts(self, listed: Iterable[dict[str, Any]]) -> tuple[ProviderText, ...]:
        found = [
            ProviderText(
                sid=str(each["sid"]),
                number=str(each.get("to" if went_out(each) else "from", "")),
                body=str(each.get("body", "")),
                status=str(each.get("status", "queued")),
                error=None if each.get("error_code") is None else str(each["error_code"]),
                at=_date(each) if self._dated else None,
            )
            for each in listed
        ]
        return tuple(reversed(found))

    async def _page(self, url: str) -> dict[str, Any] | Blind:
        import aiohttp  # noqa: PLC0415 - loaded with the first look, not at the start
        from yarl import URL  # noqa: PLC0415 - the same

        timeout = aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._timeout / 2)
        try:
            async with self._session().get(
                URL(url, encoded=True), headers=self._headers, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    return Blind(f"HTTP {answer.status}")
                page = json.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Blind(type(error).__name__)
        return page if isinstance(page, dict) and isinstance(page.get("messages"), list) else Blind("no list")

    def _is_it(self, listed: dict[str, Any], query: Query) -> bool:
        from_us = self._by_service or listed.get("from") == self._account.sender
        return (
            went_out(listed) and from_us and listed.get("to") == query.to and query.is_body(str(listed.get("body", "")))
        )


def went_out(listed: dict[str, Any]) -> bool:
    """Tell whether a listed text went out, and did not come in."""
    return str(listed.get("direction", "outbound-api")).startswith("outbound")


def kept_back(listed: dict[str, Any], number: str | None = None) -> bool:
    """Tell whether a text that went out is shown without its words or without its number."""
    if not went_out(listed):
        return False
    to = str(listed.get("to") or "")
    wordless = not listed.get("body") and str(listed.get("num_media") or "0") == "0"
    return wordless or (to != number if number is not None else not _NUMBER.fullmatch(to))


_NUMBER: Final = re.compile(r"(?:[a-z]+:)?\+?\d{3,15}|[a-z]+:.+")
"""A number that is shown whole; what travels by another channel has that channel's name before it."""


def _date(listed: dict[str, Any]) -> datetime | None:
    """Return when a text went out or, where it is still queued, was taken; None where the provider does not say."""
    said = listed.get("date_sent") or listed.get("date_created")
    try:
        return parsedate_to_datetime(str(said)).astimezone(UTC) if said else None
    except ValueError:
        return None


def _found(listed: dict[str, Any]) -> Found:
    error = listed.get("error_code")
    return Found(str(listed["sid"]), str(listed.get("status", "queued")), None if error is None else str(error))


class _Quoted(dict[int, str]):
    """How each character stands in a form; `urlencode` goes byte by byte in Python, `str.translate` does not."""

    def __missing__(self, code: int) -> str:
        quoted = quote_plus(chr(code))
        if len(self) < _QUOTED_KEPT:
            self[code] = quoted
        return quoted


_QUOTED_KEPT: Final = 1000
_QUOTED: Final = _Quoted()


def _outcome(status: int, retry_after: str, body: bytes) -> CallOutcome:
    answer = _object(body)
    code = str(answer.get("code") or f"HTTP {status}")
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        sid = answer.get("sid")
        return Accepted(sid, str(answer.get("status", "queued"))) if isinstance(sid, str) else Unknown("no SID")
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in TOO_MANY:  # 429
        return Later(_pause(retry_after), code)
    if status in _ACCOUNT:
        return Later(ACCOUNT_PAUSE, code)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.REQUEST_TIMEOUT:
        return Refused(code)
    return Unknown(f"HTTP {status}")


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _pause(retry_after: str) -> timedelta:
    seconds = retry_after.strip()
    return timedelta(seconds=int(seconds)) if seconds.isdecimal() and seconds.isascii() else PAUSE
