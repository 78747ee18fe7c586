"""ASGI middleware before everything that reads a body: who asks, how long it is, and what no part can keep.

Frameworks parse a body before they ask who sent it: ten megabytes of brackets cost 260 of memory and were then answered
with 401. Here the token comes first, then the length, then the form; nothing is parsed that is refused.
"""

import re
from asyncio import timeout
from typing import Final

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.contract import MEDIA_TYPE
from shared.web.problems import Invalid, Problem, TooLarge, TooSlow, Unauthorized
from shared.web.tokens import Tokens

LONGEST_BODY: Final = 256 * 1024
"""Bytes. The longest that anybody sends, a whole form with words, has a hundredth of it."""
BODY_WITHIN: Final = 20.0
"""Real seconds in which a body must have come."""
DEEPEST: Final = 32
"""Brackets within brackets; what programs send here has four at most."""
API: Final = "/api/"
WEBHOOKS: Final = "/webhooks/"
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_OPEN: Final = (b"[", b"{")
_TEXT: Final = b'"'


class Limits:
    """Refuses what is too long, too slow, too deep or from nobody, before anything is made of it.

    Args:
        app: what answers the rest.
        tokens: tell whether a program's token holds.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            _refuse_null(scope.get("query_string", b""), scope["path"])
            if not _has_body(headers):
                await self._app(scope, receive, send)
                return
            if scope["path"].startswith(API):
                self._tokens.bearer(headers.get(b"authorization", b"").decode("latin-1"))
            body = await _read(headers, receive)
            _refuse_form(body, headers, scope["path"])
        except Problem as problem:
            challenge = {"WWW-Authenticate": "Bearer"} if isinstance(problem, Unauthorized) else {}
            # What was not read would be taken for the next request.
            leave = {"Connection": "close", **challenge}
            answer = JSONResponse(problem.body(), status_code=problem.status, media_type=MEDIA_TYPE, headers=leave)
            await answer(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)


def _has_body(headers: dict[bytes, bytes]) -> bool:
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


async def _read(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and (len(declared) > len(str(LONGEST_BODY)) or int(declared) > LONGEST_BODY):
        raise TooLarge(f"The body has {declared.decode()[:20]} bytes; {LONGEST_BODY} are taken at most.")
    read = bytearray()
    try:
        async with timeout(BODY_WITHIN):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise TooSlow("The connection ended before the body did.")
                read += message.get("body", b"")
                if len(read) > LONGEST_BODY:
                    raise TooLarge(f"The body is longer than the {LONGEST_BODY} bytes that are taken at most.")
                if not message.get("more_body", False):
                    return bytes(read)
    except TimeoutError:
        raise TooSlow(f"The body did not come within {BODY_WITHIN:.0f} seconds. Send it again.") from None


def _refuse_form(body: bytes, headers: dict[bytes, bytes], path: str) -> None:
    kind = headers.get(b"content-type", b"").lower()
    if b"json" in kind and depth_of(body) > DEEPEST:
        raise Invalid(
            f"The body holds more than {DEEPEST} brackets within one another; send what the document describes."
        )
    if b"urlencoded" in kind:
        _refuse_null(body, path)


def _refuse_null(text: bytes, path: str) -> None:
    # A provider's webhook takes the character out by itself: a person's text must not be lost for it.
    if not path.startswith(WEBHOOKS) and (b"%00" in text or b"\x00" in text):
        raise Invalid("This holds the character NUL. Leave it out.")


def depth_of(body: bytes) -> int:
    """Return how many brackets of a JSON text stand within one another at most; it need not be whole."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return 0
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        mark = found.group()
        if mark.startswith(_TEXT):
            continue
        depth += 1 if mark in _OPEN else -1
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            break
    return deepest


def _once(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already; then what else the connection says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
