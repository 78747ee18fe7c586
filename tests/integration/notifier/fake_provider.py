"""A small phone exchange that speaks the provider's contract, fails on demand, and whose ledger is the truth."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from services.notifier.webhooks import INBOUND_PATH
from shared.service import Provider

ACCOUNT = "AC" + "0" * 32
TOKEN = "exchange-secret"
OUR_NUMBER = "+15550100000"


@dataclass
class Sent:
    """A message that the exchange took."""

    sid: str
    to: str
    body: str
    callback: str
    status: str = "queued"


@dataclass
class FakeProvider:
    """Takes messages as scripted: each word of `script` decides over one request, then all are accepted.

    Attributes:
        away: whether every connection is reset.
    """

    http: aiohttp.ClientSession
    url: str = ""
    ledger: list[Sent] = field(default_factory=list)
    requests: int = 0
    away: bool = False
    script: deque[str] = field(default_factory=deque)
    hidden: bool = False
    redacted: str = ""
    inbound: list[dict[str, Any]] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def provider(self, **more: Any) -> Provider:
        values: dict[str, Any] = {
            "twilio_base_url": self.url,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_from": OUR_NUMBER,
            "smtp_host": None,
            "smtp_port": 0,
            "smtp_from": "visits@clinic.example",
            "smtp_username": None,
            "smtp_password": None,
            "smtp_tls": "none",
        }
        return Provider(**(values | more))

    def to(self, number: str) -> list[str]:
        return [sent.body for sent in self.ledger if sent.to == number]

    async def take(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"].startswith("Basic ")
        form = await request.post()
        self.requests += 1
        word = "reset" if self.away else self.script.popleft() if self.script else "accept"
        if (refusal := _refusal(word)) is not None:
            return refusal
        if word == "reset":
            return _reset(request)
        if word == "slow":
            self.held.set()
            await self.go_on.wait()
        sent = Sent(f"SM{uuid4().hex}", str(form["To"]), str(form["Body"]), str(form.get("StatusCallback", "")))
        assert form["From"] == OUR_NUMBER
        self.ledger.append(sent)
        if word == "hold":
            self.held.set()
            await self.go_on.wait()
        if word == "lose":
            assert request.transport is not None
            request.transport.abort()
        if word == "broken after":
            return web.Response(status=502)
        return web.json_response({"sid": sent.sid, "status": sent.status}, status=201)

    async def show(self, request: web.Request) -> web.Response:
        if self.away:
            return _reset(request)
        shown = [
            {
                "sid": sent.sid,
                "to": f"{sent.to[:-4]}XXXX" if "to" in self.redacted else sent.to,
                "from": OUR_NUMBER,
                "body": "" if "body" in self.redacted else sent.body,
                "status": sent.status,
                "error_code": None,
                "direction": "outbound-api",
            }
            for sent in self.ledger
            if request.query.get("To", sent.to) == sent.to and not self.hidden and not self._unfound(request)
        ]
        came = [] if self.hidden or request.query.get("To", OUR_NUMBER) != OUR_NUMBER else self.inbound
        return web.json_response({"messages": [*came, *shown], "next_page_uri": None})

    def _unfound(self, request: web.Request) -> bool:
        """Tell whether numbers are hidden so well that nothing is found by them."""
        return "search" in self.redacted and "To" in request.query

    async def report(self, sent: Sent, status: str, error: str | None = None, *, url: str | None = None) -> int:
        form = {"MessageSid": sent.sid, "MessageStatus": status, "To": sent.to, "From": OUR_NUMBER, "NewField": "x"}
        if error is not None:
            form["ErrorCode"] = error
        return await self.post(url or sent.callback, form)

    async def text(self, base_url: str, number: str, body: str, sid: str | None = None) -> int:
        form = {"MessageSid": sid or f"SM{uuid4().hex}", "From": number, "To": OUR_NUMBER, "Body": body, "NumMedia": ""}
        return await self.post(base_url + INBOUND_PATH, form)

    async def post(self, url: str, form: dict[str, str], *, token: str = TOKEN) -> int:
        signature = RequestValidator(token).compute_signature(url, form)
        async with self.http.post(url, data=form, headers={"X-Twilio-Signature": signature}) as answer:
            await answer.read()
            return answer.status


def _reset(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _refusal(word: str) -> web.Response | None:
    """Return the answer of a call that is not even looked at."""
    if word.startswith("refuse"):
        return web.json_response({"code": int(word.split()[1]), "status": 400}, status=400)
    if word == "busy":
        return web.json_response({"code": 20429}, status=429, headers={"Retry-After": "7"})
    if word == "forbid":
        return web.json_response({"code": 20003}, status=401)
    return web.Response(status=503) if word == "broken" else None


@asynccontextmanager
async def fake_provider() -> AsyncIterator[FakeProvider]:
    """Run an exchange on a free loopback port."""
    async with aiohttp.ClientSession() as http:
        here = FakeProvider(http)
        app = web.Application()
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        app.router.add_post(path, here.take)
        app.router.add_get(path, here.show)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        here.url = f"http://{host}:{port}"
        try:
            yield here
        finally:
            here.go_on.set()
            await runner.cleanup()
