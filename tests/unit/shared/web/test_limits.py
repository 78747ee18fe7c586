"""What is refused before anything is made of it."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from starlette.types import Message, Receive, Scope, Send

from shared.ids import ClinicId
from shared.web import limits
from shared.web.limits import DEEPEST, LONGEST_BODY, Limits, depth_of
from shared.web.tokens import ALL_SCOPES, Principal, Tokens
from tests.support.bench import KEYRING

TOKENS = Tokens(KEYRING)
BRACKETS = b"[" + b"{}," * 100 + b"{}]"
JSON = (b"content-type", b"application/json")
FORM = (b"content-type", b"application/x-www-form-urlencoded")


class Seen:
    """An application that says what came to it."""

    def __init__(self) -> None:
        self.body: bytes | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.body = (await receive()).get("body", b"")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def bearer() -> tuple[bytes, bytes]:
    token = TOKENS.create(Principal(ClinicId(uuid4()), "t", ALL_SCOPES), life=timedelta(hours=1))
    return (b"authorization", f"Bearer {token}".encode())


async def ask(
    *parts: bytes, path: str = "/api/v1/patients", headers: tuple[tuple[bytes, bytes], ...] = (), query: bytes = b""
) -> tuple[int, bytes | None, int]:
    """Send a body in parts; return the status, what the application saw, and how many parts were read."""
    seen, sent, left, read = Seen(), list[Message](), list(parts), 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": left.pop(0) if left else b"", "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    length = (b"content-length", str(sum(map(len, parts))).encode())
    scope = {
        "type": "http",
        "path": path,
        "method": "POST",
        "query_string": query,
        "headers": [length, *headers],
    }
    await Limits(seen, TOKENS)(scope, receive, send)
    return sent[0]["status"], seen.body, read


@pytest.mark.parametrize("given", [(), ((b"authorization", b"Bearer nonsense"),), ((b"authorization", b"Basic eA=="),)])
async def test_a_strangers_body_is_never_read(given: tuple[tuple[bytes, bytes], ...]) -> None:
    assert await ask(BRACKETS, headers=(JSON, *given)) == (401, None, 0)


async def test_a_body_that_says_it_is_too_long_is_never_read() -> None:
    assert await ask(b"x" * (LONGEST_BODY + 1), headers=(JSON, bearer())) == (413, None, 0)
    assert await ask(b"x", headers=(JSON, bearer(), (b"content-length", b"9" * 5000))) == (413, None, 0)


@pytest.mark.parametrize(
    "path", ["/api/v1/patients", "/console/patients", "/c/token", "/login", "/webhooks/twilio/status"]
)
async def test_a_body_that_does_not_say_how_long_it_is_never_fills_the_memory(path: str) -> None:
    chunked = ((b"transfer-encoding", b"chunked"), (b"content-length", b"0"), JSON, bearer())
    status, seen, read = await ask(*(b"x" * 65536 for _ in range(100)), path=path, headers=chunked)
    assert (status, seen) == (413, None)
    assert read <= LONGEST_BODY // 65536 + 1


async def test_a_body_that_trickles_never_holds_a_place_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_WITHIN", 0.0)
    seen, sent = Seen(), list[Message]()

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"10"), JSON, bearer()]
    await Limits(seen, TOKENS)({"type": "http", "path": "/api/v1/patients", "headers": headers}, never, send)
    assert (sent[0]["status"], seen.body) == (408, None)


@pytest.mark.parametrize("deep", [b"[" * 950 + b"]" * 950, b'{"a":' * 950 + b"1" + b"}" * 950, b"[{" * 20, b"[" * 100])
async def test_brackets_within_brackets_never_reach_a_parser(deep: bytes) -> None:
    assert (await ask(deep, headers=(JSON, bearer())))[:2] == (422, None)


@pytest.mark.parametrize(
    "fine",
    [
        BRACKETS,
        json.dumps({"reason": "[" * 500, "note": '\\"{' * 100}).encode(),
        json.dumps([[1, 2]] * 500).encode(),
    ],
)
async def test_what_only_looks_deep_is_let_through(fine: bytes) -> None:
    assert depth_of(fine) <= DEEPEST
    assert (await ask(fine, headers=(JSON, bearer())))[:2] == (204, fine)


@pytest.mark.parametrize("form", [b"login=%00", b"login=a%00b&password=x", b"login=\x00"])
async def test_a_null_in_a_form_is_never_our_own_fault(form: bytes) -> None:
    assert (await ask(form, path="/login", headers=(FORM,)))[:2] == (422, None)
    assert (await ask(path="/console/today", query=form))[:2] == (422, None)


async def test_a_persons_text_is_never_refused_for_a_null_in_it() -> None:
    text = b"Body=STOP%00"
    assert (await ask(text, path="/webhooks/twilio/inbound", headers=(FORM,)))[:2] == (204, text)
