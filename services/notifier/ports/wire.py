"""A lean HTTP/1.1 client that posts to one address: what a provider's call needs, and nothing else.

A general client spends 80 to 100 µs of processor on a call, this one 20 (docs/performance.md), and a morning brings
tens of thousands of calls. It says what sending once has to know: whether a request may have arrived. It never repeats
a request, follows no redirect, and asks for no compression.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

KEPT: Final = 15.0
"""Real seconds that an idle connection is kept; servers commonly close theirs later."""
LARGEST: Final = 1_000_000
"""Bytes of an answer; more is no answer of a provider."""
_END: Final = b"\r\n\r\n"
_STATUS_DIGITS: Final = 3
_BODILESS: Final = frozenset({204, 304})


class NotSent(Exception):  # noqa: N818 - reads as what happened
    """No connection could be made: not a byte of the request was written."""


class Lost(Exception):  # noqa: N818 - reads as what happened
    """The request was written and no whole answer came: nobody here knows whether it arrived."""


class Answer(NamedTuple):
    """What came back. `headers` have lower-case names."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Poster:
    """Posts to one address, over connections that it keeps.

    It has as many connections as there are posts side by side; the caller bounds them.

    Args:
        url: http or https.
        headers: of every request.
        timeout: real seconds for a request; half of it to connect.
    """

    def __init__(self, url: str, headers: Mapping[str, str], *, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.hostname is None:
            raise ValueError(f"{url!r} is no address to post to.")
        self._host = parts.hostname
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        lines = {"Host": parts.netloc.rpartition("@")[2], **headers}
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        written = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._head = f"POST {target} HTTP/1.1\r\n{written}Content-Length: ".encode("ascii")
        self._timeout = timeout
        self._trusted: ssl.SSLContext | None = None
        self._idle: dict[_Wire, float] = {}

    async def post(self, body: bytes) -> Answer:
        """Post a body, once.

        Raises:
            NotSent: it was not written.
            Lost: it was, and no answer can be had.
        """
        wire = self._kept() or await self._connect()
        answer = await wire.ask(b"%s%d\r\n\r\n%s" % (self._head, len(body), body), self._timeout)
        if wire.reusable:
            self._idle[wire] = asyncio.get_running_loop().time()
        return answer

    def close(self) -> None:
        """Close what is idle; posting opens connections again."""
        while self._idle:
            self._idle.popitem()[0].close()

    def _kept(self) -> "_Wire | None":
        """Return the connection that was used last, so that those beyond need grow old; close them."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            wire, since = self._idle.popitem()
            if wire.reusable and now - since < KEPT:
                self._drop_old(now)
                return wire
            wire.close()
        return None

    def _drop_old(self, now: float) -> None:
        while self._idle:
            wire = next(iter(self._idle))
            if now - self._idle[wire] < KEPT:
                return
            del self._idle[wire]
            wire.close()

    async def _connect(self) -> "_Wire":
        if self._tls and self._trusted is None:
            self._trusted = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout / 2):
                _, wire = await loop.create_connection(
                    lambda: _Wire(self._idle),
                    self._host,
                    self._port,
                    ssl=self._trusted,
                    server_hostname=self._host if self._tls else None,
                )
        except (OSError, TimeoutError) as error:
            raise NotSent(type(error).__name__) from error
        return wire


class _Wire(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self, idle: dict["_Wire", float]) -> None:
        self._idle = idle
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._came = b""
        self._used_up = False

    @property
    def reusable(self) -> bool:
        """Tell whether another request may be written."""
        return not self._used_up and self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, seconds: float) -> Answer:
        """Write a request and return its answer; raises `Lost`, or `NotSent` where the connection is gone already."""
        loop = asyncio.get_running_loop()
        transport = self._transport
        if transport is None:
            raise RuntimeError("A wire is asked once it is connected.")
        if transport.is_closing():
            raise NotSent("ConnectionResetError")
        self._waiting = loop.create_future()
        self._deadline = loop.call_later(seconds, self._give_up, "TimeoutError")
        transport.write(request)
        try:
            return await self._waiting
        except BaseException:
            self._abort()
            raise
        finally:
            self._deadline.cancel()
            self._waiting = None

    def close(self) -> None:
        """Close the connection; nothing is under way on it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass of it

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            # Nothing was asked: whatever this is, it must not be taken for the answer to the next request.
            self._abort()
            return
        self._came += data
        self._read(ended=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._used_up = True
        self._idle.pop(self, None)
        if exc is None:
            # An answer without a length ends with the connection.
            self._read(ended=True)
        self._give_up("ConnectionResetError" if exc is None else type(exc).__name__)

    def _read(self, *, ended: bool) -> None:
        if self._waiting is None or self._waiting.done():
            return
        try:
            found = read_answer(self._came, ended=ended)
        except ValueError as error:
            self._give_up(str(error))
            return
        if found is None:
            return
        answer, size, kept = found
        self._used_up = self._used_up or not kept or size != len(self._came)
        self._came = b""
        self._waiting.set_result(answer)
        if self._used_up:
            self.close()

    def _give_up(self, reason: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Lost(reason))
            self._abort()

    def _abort(self) -> None:
        self._used_up = True
        if self._transport is not None:
            self._transport.abort()


def read_answer(came: bytes, *, ended: bool) -> tuple[Answer, int, bool] | None:
    """Read an answer from what has come so far.

    Args:
        came: all bytes since the request.
        ended: whether no more will come.

    Returns:
        the answer, how many bytes it took, and whether the connection may be used again; None where more is needed.

    Raises:
        ValueError: this is no HTTP/1.1, or too much; its message holds nothing of what came.
    """
    start = 0
    while True:
        end = came.find(_END, start)
        if end < 0:
            if len(came) - start > LARGEST:
                raise ValueError("answer too large")
            return None
        status, headers, newest = _head(came[start:end])
        start = end + len(_END)
        if status >= 200:  # noqa: PLR2004 - HTTP: below are notices that an answer follows
            break
    body = _body(came, start, status, headers, ended=ended)
    if body is None:
        if len(came) - start > LARGEST:
            raise ValueError("answer too large")
        return None
    content, size = body
    closes = b"close" in headers.get(b"connection", b"").lower()
    return Answer(status, headers, content), size, newest and not closes and not ended


def _head(head: bytes) -> tuple[int, dict[bytes, bytes], bool]:
    """Return status, headers by lower-case name, and whether the version keeps connections."""
    first, *lines = head.split(b"\r\n")
    version, _, rest = first.partition(b" ")
    digits = rest[:_STATUS_DIGITS]
    if version not in {b"HTTP/1.1", b"HTTP/1.0"} or len(digits) != _STATUS_DIGITS or not digits.isdigit():
        raise ValueError("no HTTP answer")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise ValueError("no HTTP header")
        name, value = name.strip().lower(), value.strip()
        if name == b"content-length" and headers.get(name, value) != value:
            raise ValueError("two lengths")
        headers[name] = value
    return int(digits), headers, version == b"HTTP/1.1"


def _body(
    came: bytes, start: int, status: int, headers: Mapping[bytes, bytes], *, ended: bool
) -> tuple[bytes, int] | None:
    """Return the body and where it ends; None where more is needed."""
    if status in _BODILESS:
        return b"", start
    coding = headers.get(b"transfer-encoding", b"identity").lower()
    if coding == b"chunked":
        return _chunks(came, start)
    if coding != b"identity":
        raise ValueError("unknown transfer coding")
    length = headers.get(b"content-length")
    if length is None:
        return (came[start:], len(came)) if ended else None
    if not length.isdigit() or len(length) > len(str(LARGEST)):
        raise ValueError("no length")
    end = start + int(length)
    return (came[start:end], end) if len(came) >= end else None


def _chunks(came: bytes, start: int) -> tuple[bytes, int] | None:
    """Return a chunked body and where it ends, its trailer dropped; None where more is needed."""
    parts: list[bytes] = []
    while True:
        line = came.find(b"\r\n", start)
        if line < 0:
            return None
        digits = came[start:line].partition(b";")[0].strip()
        if not digits or len(digits) > len(f"{LARGEST:x}") or digits.strip(b"0123456789abcdefABCDEF"):
            raise ValueError("no chunk")
        size, start = int(digits, 16), line + 2
        if size == 0:
            # The trailer ends with an empty line; without one that line follows at once.
            if came[start : start + 2] == b"\r\n":
                return b"".join(parts), start + 2
            end = came.find(_END, start)
            return None if end < 0 else (b"".join(parts), end + len(_END))
        if len(came) < start + size + 2:
            return None
        if came[start + size : start + size + 2] != b"\r\n":
            raise ValueError("no chunk")
        parts.append(came[start : start + size])
        start += size + 2
