"""A third phase, a fourth reminder, an instrument, an intent and a protocol that no service has heard of, as data."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from tests.support.bench import eventually
from tests.support.checkins import answer
from tests.support.more_data import COMMAND, INSTRUMENT, PROTOCOL, REMINDER_DAYS, MoreIntents
from tests.support.running import Keepwell, keepwell
from tests.support.tiny_twilio import TinyTwilio, link_in, settings_for, text_in, tiny_twilio

ZONE = ZoneInfo("America/New_York")
PHONE = "+12025550187"
BEFORE, WELL, UNWELL = (2,) * 8 + (0,), (1,) * 3 + (0,) * 6, (2,) * 5 + (1,) * 2 + (0, 0)


@pytest.fixture
async def network() -> AsyncIterator[TinyTwilio]:
    async with tiny_twilio() as stand_in:
        yield stand_in


@pytest.fixture
async def clinic(network: TinyTwilio, servers: Mapping[str, str]) -> AsyncIterator[Keepwell]:
    settings = {**servers, **settings_for(network), "KEEPWELL_ADMIN_NAME": "Dana Ruiz"}
    async with keepwell(settings, program=COMMAND) as running:
        yield running
        await network.settled()


def at_ten(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, tzinfo=ZONE)


async def enrol(clinic: Keepwell) -> str:
    consents = [
        {"purpose": purpose, "how": "paper form", "at": "2026-11-01T15:00:00Z"}
        for purpose in ("reminders", "checkins", "booking")
    ]
    body = {
        "given_name": "Ana",
        "family_name": "Rivera",
        "zone": str(ZONE),
        "language": "en",
        "contacts": [{"kind": "sms", "value": PHONE, "consents": consents}],
    }
    return str((await clinic.post("/patients", body, status=201))["id"])


async def answer_all(clinic: Keepwell, network: TinyTwilio, patient: str, items: tuple[int, ...]) -> int:
    """Answer every check-in that is open, through the links that were texted; return how many."""
    checkins = (await clinic.get(f"/patients/{patient}/checkins?limit=500"))["items"]
    waiting = len([checkin for checkin in checkins if checkin["state"] == "open"])
    links = [link_in(text) for text in network.to(PHONE) if "/c/" in text]
    for link in links[-waiting:] if waiting else []:
        assert "<form" not in await answer(link, items)
    return waiting


@dataclass
class Life:
    """A patient who answers every day at eleven what is asked."""

    clinic: Keepwell
    network: TinyTwilio
    patient: str

    async def today(self) -> date:
        return (await self.clinic.now()).astimezone(ZONE).date()

    async def until(self, day: date, items: tuple[int, ...]) -> None:
        """Live to a day, answering on each before it."""
        for _ in range((day - await self.today()).days):
            await self.clinic.live_until(max(at_ten(await self.today()) + timedelta(hours=1), await self.clinic.now()))
            await self.network.settled()
            await answer_all(self.clinic, self.network, self.patient, items)
            await self.clinic.live_until(at_ten(await self.today() + timedelta(days=1)) - timedelta(hours=1))

    async def attend_next(self, items: tuple[int, ...]) -> dict[str, Any]:
        """Live to the plan's next date, have the session take place; return the plan as it was before."""
        plan = await self.clinic.get(f"/patients/{self.patient}/plan")
        at = at_ten(date.fromisoformat(plan["next_due_on"]))
        body = {"patient": self.patient, "starts_at": at.strftime("%Y-%m-%dT%H:%M"), "minutes": 60}
        session = await self.clinic.post("/sessions", body, status=201)
        await self.until(at.date(), items)
        await self.clinic.live_until(at + timedelta(hours=1))
        await self.clinic.post(f"/sessions/{session['id']}/attend")
        return dict(plan)


@asynccontextmanager
async def logged_in(clinic: Keepwell) -> AsyncIterator[aiohttp.ClientSession]:
    """Log in to the console as its administrator, with a password of their own."""
    code, output, complaint = await clinic.command("staff", "first-login", "--json")
    assert code == 0, complaint
    given, chosen = json.loads(output), "a longer word of my own 1"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:

        async def fill(path: str, **fields: str) -> None:
            async with http.get(f"{clinic.base}{path}") as form:
                mark = re.search(r'name="csrf" value="(\w+)"', await form.text())
            assert mark is not None, path
            async with http.post(f"{clinic.base}{path}", data={"csrf": mark[1], **fields}) as answer:
                assert answer.status == 200, await answer.text()

        await fill("/console/login", login=given["login"], password=given["password"])
        await fill("/console/password", old=given["password"], new=chosen, again=chosen)
        yield http


@pytest.mark.timeout(420)
async def test_what_no_service_has_heard_of_is_due_reminded_asked_scored_proposed_and_shown(
    clinic: Keepwell, network: TinyTwilio
) -> None:
    patient = await enrol(clinic)
    life = Life(clinic, network, patient)
    today = await life.today()
    start = {"protocol": PROTOCOL, "start_on": (today + timedelta(days=7)).isoformat()}
    await clinic.post(f"/patients/{patient}/plans", start, status=201)

    # Due and reminded: each session of each phase on its day, four reminders before the first.
    walked = []
    for turn in range(4):
        plan = await life.attend_next(BEFORE if turn == 0 else WELL)
        walked.append((plan["phase"], (date.fromisoformat(plan["next_due_on"]) - today).days))
        if turn == 0:
            await network.settled()
            reminded = [text for text in network.to(PHONE) if "10:00" in text and "/c/" not in text]
            assert len(reminded) == len(REMINDER_DAYS), network.to(PHONE)
    assert walked == [("induction", 7), ("induction", 13), ("consolidation", 19), ("consolidation", 26)]
    plan = await clinic.get(f"/patients/{patient}/plan")
    assert (plan["phase"], plan["interval_days"], plan["induction_complete"]) == ("maintenance", 30, True)

    # Asked and scored: also by an instrument that nobody knew.
    body = {"patient": patient, "instruments": [INSTRUMENT]}
    await clinic.post("/checkins", body, status=201)
    before = len(network.to(PHONE))
    await clinic.live_until((await clinic.now()) + timedelta(minutes=5))
    await network.settled()
    (text,) = [body for body in network.to(PHONE)[before:] if "/c/" in body]
    assert "<form" not in await answer(link_in(text), (4,))
    await clinic.live_until(await clinic.now())
    scores = (await clinic.get(f"/patients/{patient}/scores?limit=500"))["items"]
    assert INSTRUMENT in {score["instrument"] for score in scores}

    # A text that asks for what nobody knew is kept and shown.
    assert await text_in(clinic.base, PHONE, "Where is the parking?") == 200
    await clinic.live_until(await clinic.now())

    # Proposed: on the protocol's own ladder.
    await life.until(today + timedelta(days=26 + 15), WELL)
    await life.until(today + timedelta(days=26 + 29), UNWELL)
    proposals = (await clinic.get(f"/patients/{patient}/proposals"))["items"]
    (proposal,) = [one for one in proposals if one["state"] == "open"]
    assert (proposal["direction"], proposal["from_days"], proposal["to_days"]) == ("shorten", 30, 20)

    # Shown.
    async with logged_in(clinic) as http, http.get(f"{clinic.base}/console/patients/{patient}") as answered:
        page = await answered.text()
    for said in ("maintenance", "Five good days", MoreIntents.ASKS_THE_WAY.replace("-", " "), "every 30 days"):
        assert said in page, page

    async def quiet() -> bool:
        status = await clinic.get("/status")
        return bool(status["quiet"]) and status["dead_letters"] == 0 and not status["problems"]

    await eventually(quiet, seconds=30)
