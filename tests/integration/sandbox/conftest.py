"""A running sandbox on loopback, and beside it a Keepwell that notes what it is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI, Request, Response
from twilio.request_validator import RequestValidator

from services.sandbox.service import SandboxService, build
from services.sandbox.settings import SandboxSettings
from shared.clock import SteppedClock
from tests.support.bench import served

ACCOUNT = "AC" + "0" * 32
TOKEN = "sandbox-secret"


@dataclass
class Told:
    """One webhook that came."""

    path: str
    params: dict[str, str]
    genuine: bool


@dataclass
class Listener:
    """Stands for Keepwell's webhooks."""

    url: str = ""
    told: list[Told] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answer: str = "<Response/>"
    page: str = ""
    answered: list[list[tuple[str, str]]] = field(default_factory=list)

    @property
    def inbound_url(self) -> str:
        return f"{self.url}/webhooks/twilio/inbound"

    @property
    def status_url(self) -> str:
        return f"{self.url}/webhooks/twilio/status?m=17"

    def states(self) -> list[str]:
        return [told.params["MessageStatus"] for told in self.told if told.genuine]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    app = FastAPI()

    @app.post("/webhooks/twilio/{kind}")
    async def webhook(kind: str, request: Request) -> Response:
        params = {name: str(value) for name, value in (await request.form()).items()}
        signature = request.headers["x-twilio-signature"]
        genuine = RequestValidator(TOKEN).validate(str(request.url), params, signature)
        listener.told.append(Told(kind, params, genuine))
        status = listener.statuses.pop(0) if listener.statuses else 200
        return Response(listener.answer if kind == "inbound" else "", status_code=status, media_type="text/xml")

    @app.get("/c/{token}")
    async def form(token: str) -> Response:
        return Response(listener.page, media_type="text/html")

    @app.post("/c/{token}")
    async def answer(token: str, request: Request) -> Response:
        listener.answered.append([(name, str(value)) for name, value in (await request.form()).multi_items()])
        return Response("<h1>Thank you</h1>", media_type="text/html")

    async with served(app) as url:
        listener.url = url
        yield listener


@pytest.fixture
def settings(tmp_path: Path, listener: Listener) -> SandboxSettings:
    return SandboxSettings(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        data_dir=tmp_path,
        inbound_url=listener.inbound_url,
        webhook_budget=2,
        hang_seconds=5,
    )


@pytest.fixture
async def sandbox(settings: SandboxSettings, clock: SteppedClock) -> AsyncIterator[SandboxService]:
    sandbox = build(settings, clock)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()
    sandbox.close()


@pytest.fixture
async def base(sandbox: SandboxService) -> AsyncIterator[str]:
    async with served(sandbox.app) as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}) as session:
        yield session
