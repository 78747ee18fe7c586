"""A stand-in for Twilio's Messages that is not the sandbox: a few lines, reached by settings alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

TOKEN = "tiny-secret"
ACCOUNT = "AC" + "0" * 32
NUMBER = "+15005550006"


@dataclass
class TinyTwilio:
    """Accepts every text, reports it as delivered, and lets a handset answer."""

    url: str = ""
    texts: list[dict[str, str]] = field(default_factory=list)
    reports: list[asyncio.Task[None]] = field(default_factory=list)

    def to(self, number: str) -> list[str]:
        """Return what a number got."""
        return [text["Body"] for text in self.texts if text["To"] == number]

    async def accept(self, request: web.Request) -> web.Response:
        """Answer `POST .../Messages.json`."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        sid = f"SM{uuid4().hex}"
        self.texts.append(form | {"sid": sid})
        self.reports.append(asyncio.create_task(self.report(form["StatusCallback"], sid)))
        return web.json_response({"sid": sid, "status": "queued", "error_code": None}, status=201)

    async def find(self, _request: web.Request) -> web.Response:
        """Answer `GET .../Messages.json`."""
        return web.json_response({"messages": [], "next_page_uri": None})

    async def report(self, callback: str, sid: str) -> None:
        """Report a text as delivered, before and after it was sent, as the real network may."""
        for status in ("delivered", "sent", "delivered"):
            await post_signed(callback, {"MessageSid": sid, "MessageStatus": status, "AccountSid": ACCOUNT})

    async def settled(self) -> None:
        """Wait until every report was posted."""
        await asyncio.gather(*self.reports)


async def post_signed(url: str, form: dict[str, str], *, token: str = TOKEN) -> tuple[int, str]:
    """Post a form as Twilio does."""
    signature = RequestValidator(token).compute_signature(url, form)
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=form, headers={"X-Twilio-Signature": signature}) as answer,
    ):
        return answer.status, await answer.text()


async def text_in(base: str, sender: str, body: str) -> int:
    """Let a handset send a text to Keepwell; return the webhook's status."""
    form = {"MessageSid": f"SM{uuid4().hex}", "From": sender, "To": NUMBER, "Body": body, "NumMedia": "0"}
    status, _ = await post_signed(f"{base}/webhooks/twilio/inbound", form | {"AccountSid": ACCOUNT})
    return status


def link_in(text: str) -> str:
    """Return the check-in link of a text."""
    found = re.search(r"http\S+/c/\S+", text)
    assert found, text
    return found.group().rstrip(".")


@asynccontextmanager
async def tiny_twilio() -> AsyncIterator[TinyTwilio]:
    """Run the stand-in on a free loopback port."""
    stand_in = TinyTwilio()
    app = web.Application()
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    app.add_routes([web.post(path, stand_in.accept), web.get(path, stand_in.find)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stand_in
    await stand_in.settled()
    await runner.cleanup()


def settings_for(stand_in: TinyTwilio) -> dict[str, str]:
    """Return the settings that point Keepwell to the stand-in."""
    return {
        "KEEPWELL_TWILIO_BASE_URL": stand_in.url,
        "KEEPWELL_TWILIO_ACCOUNT_SID": ACCOUNT,
        "KEEPWELL_TWILIO_AUTH_TOKEN": TOKEN,
        "KEEPWELL_TWILIO_FROM": NUMBER,
        "KEEPWELL_CLOCK": "steps",
        "KEEPWELL_TRIAL": "true",
    }
