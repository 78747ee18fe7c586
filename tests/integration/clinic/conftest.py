"""The clinic service on its bench: a real database, a first clinic, a browser with cookies, stand-in owners."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from multidict import CIMultiDictProxy

from services.clinic import password_hashing
from services.clinic.commands.first_start import FirstLogin, FirstMember, ensure_first_clinic
from services.clinic.history import HISTORY
from services.clinic.model.roles import Role
from services.clinic.service import build
from shared.clock import SteppedClock
from tests.support.bench import KEYRING, Answer, Bench, bench_of, served
from tests.support.databases import Databases

CLINICIAN = FirstMember("Alma Reid", "clinician", Role.CLINICIAN, lasting=True)


@dataclass
class Owner:
    """A stand-in for the services that own plans, sessions, check-ins, alerts, proposals and rules."""

    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    firsts: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    orders: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, path: str, body: Any, status: int = 200) -> None:
        self.answers[method, path] = (status, body)

    def once(self, method: str, path: str, **changes: Any) -> None:
        """Answer the next call with something else than those that follow."""
        status, body = self.answers[method, path]
        self.firsts[method, path] = (status, {**body, **changes})


@pytest.fixture(autouse=True, scope="package")
def quickly_hashed() -> Iterator[None]:
    """Let a password cost little: the real cost is most of what a test of another thing would wait for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password_hashing, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
async def owner() -> AsyncIterator[Owner]:
    stand_in, app = Owner(), FastAPI()

    @app.api_route("/api/v1/{path:path}", methods=["GET", "POST", "PATCH"])
    async def anything(path: str, request: Request) -> Response:
        raw = await request.body()
        body = await request.json() if raw else None
        stand_in.orders.append((request.method, f"/{path}", body, dict(request.headers)))
        asked = (request.method, f"/{path}")
        first = stand_in.firsts.pop(asked, None)
        status, content = first or stand_in.answers.get(asked, (404, {"detail": "There is no such thing."}))
        return JSONResponse(content, status_code=status)

    async with served(app) as url:
        stand_in.url = url
        yield stand_in


@dataclass
class Home:
    """The bench with its first clinic."""

    bench: Bench
    login: FirstLogin
    owner: Owner

    def browser(self) -> "Browser":
        return Browser(self.bench)

    async def logged_in(self) -> "Browser":
        browser = self.browser()
        answer = await browser.login(self.login.login or "", self.login.password or "")
        assert answer.status == 303
        return browser


@dataclass
class Browser:
    """Keeps cookies, follows nothing by itself, and reads the form token from the last page."""

    bench: Bench
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    async def get(self, path: str) -> Answer:
        return await self._call("GET", path, None)

    async def post(self, path: str, **fields: str) -> Answer:
        return await self._call("POST", path, {"csrf": self.csrf, **fields})

    async def login(self, login: str, password: str) -> Answer:
        await self.get("/console/login")
        answer = await self.post("/console/login", login=login, password=password)
        if answer.status == 303:
            await self.get("/console/today")
        return answer

    async def _call(self, method: str, path: str, data: Any) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.bench.http.request(
            method, self.bench.base_url + path, data=data, headers={"Cookie": cookie}, allow_redirects=False
        ) as reply:
            for name, morsel in reply.cookies.items():
                self.cookies[name] = morsel.value
            text = await reply.text()
            if found := re.search(r'name="csrf" value="(\w+)"', text):
                self.csrf = found[1]
            return Answer(reply.status, _lower(reply.headers), text, None)


def _lower(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    return {name.lower(): ", ".join(headers.getall(name)) for name in headers}


@pytest.fixture
async def home(databases: Databases, clock: SteppedClock, owner: Owner) -> AsyncIterator[Home]:
    async with databases.lent(HISTORY, clock) as database:
        urls = dict.fromkeys(("scheduler", "notifier", "assessments"), owner.url)
        async with bench_of(build, database, clock, urls=urls) as bench:
            async with database.transaction() as tx:
                login = await ensure_first_clinic(tx, KEYRING, zone="America/New_York", member=CLINICIAN)
            bench.clinic = login.clinic
            yield Home(bench, login, owner)


def a_body(**changes: Any) -> dict[str, Any]:
    consents = [
        {"purpose": purpose, "how": "in person", "at": "2026-12-01T15:00:00Z"} for purpose in ("reminders", "checkins")
    ]
    return {
        "given_name": "Maya",
        "family_name": "Okafor",
        "zone": "America/New_York",
        "language": "en",
        "contacts": [{"kind": "sms", "value": "+1 202 555 0123", "consents": consents}],
        **changes,
    }


@pytest.fixture
async def patient(home: Home) -> Any:
    answer = await home.bench.call("POST", "/patients", a_body(), headers={"Idempotency-Key": str(uuid4())})
    assert answer.status == 201, answer.text
    return answer.json
