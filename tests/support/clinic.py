"""A whole clinic that runs, in trial time, as those outside reach it: by REST, by webhook, by page and by phone."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4
from zoneinfo import ZoneInfo

import aiohttp
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from services.sandbox.model.forms import read_forms
from tests.support.bench import eventually
from tests.support.running import Keepwell, keepwell
from tests.support.tiny_twilio import NUMBER, TOKEN, link_in

ZONE = ZoneInfo("America/New_York")
ON_CALL = "+12025550199"
PURPOSES = ("reminders", "checkins", "booking")
SCOPES = ("read", "write", "decide", "alerts:close", "trial")
DEALT_WITH = "Called the patient, safe at home with her sister."
PATIENCE = 60
"""Real seconds for a page, beside busy neighbours too."""
_LETTERS = "abcdefghij"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Person:
    """A patient, with the phone that is theirs."""

    id: str
    name: str
    number: str


class Desk:
    """A browser without scripts, logged in to the console."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self._base = base
        self._http = http

    async def look(self, path: str) -> tuple[int, str]:
        """Return status and text of a page."""
        status, text = await self._asked(path)
        return status, unescape(text)

    async def get(self, path: str) -> str:
        """Return the text of a page that must be there."""
        return unescape(await self._shown(path))

    async def submit(self, path: str, action: str, **typed: str) -> tuple[int, str]:
        """Fill in a form that stands on a page, send it, and return status and text of the page that it leads to."""
        page = await self._shown(path)
        where = path.partition("?")[0]
        form = next(each for each in read_forms(page) if urljoin(where, each.action or where) == action)
        held = {one.name: one.values[0] for one in form.fields if one.kind == "hidden" and one.values}
        return await self.post(action, held | typed)

    async def post(self, action: str, typed: dict[str, str]) -> tuple[int, str]:
        """Send a form as it is."""
        async with self._http.post(self._base + action, data=typed) as answer:
            return answer.status, unescape(await answer.text())

    async def _shown(self, path: str) -> str:
        """Return a page that must be there; one that a busy machine puts off is asked for again."""

        async def shown() -> str | None:
            status, text = await self._asked(path)
            assert status in {200, 503}, (path, status, text)
            return text if status == 200 else None

        return str(await eventually(shown, seconds=PATIENCE))

    async def _asked(self, path: str) -> tuple[int, str]:
        async with self._http.get(self._base + path) as answer:
            return answer.status, await answer.text()

    async def log_in(self, login: str, password: str) -> None:
        async def entered() -> bool:
            status, page = await self.submit("/console/login", "/console/login", login=login, password=password)
            assert status in {200, 503}, page
            return status == 200

        await eventually(entered, seconds=PATIENCE)


@dataclass
class Clinic:
    """A clinic with its console, its phones and its time."""

    keepwell: Keepwell
    desk: Desk
    sandbox: str | None

    # --- people

    async def enrol(
        self, name: str = "Pat", *, number: str | None = None, settled: bool = True, **changes: Any
    ) -> Person:
        """Enrol somebody of a name of their own, who agrees to all texts; until that has settled they are strangers."""
        index = next(_NUMBERS)
        phone = number or f"+1646557{index:04d}"
        family = "".join(_LETTERS[int(digit)] for digit in str(index)).capitalize()
        consents = [{"purpose": one, "how": "paper form", "at": "2026-11-01T15:00:00Z"} for one in PURPOSES]
        body = {
            "given_name": name,
            "family_name": f"Doe{family}",
            "zone": ZONE.key,
            "language": "en",
            "contacts": [{"kind": "sms", "value": phone, "consents": consents}],
        }
        made = await self.keepwell.post("/patients", body | changes, status=201)
        if settled:
            await self.settle()
        return Person(made["id"], f"{made['given_name']} {made['family_name']}".strip(), phone)

    async def enrol_each(self, things: Iterable[Any]) -> list[Person]:
        """Enrol a patient for each of these."""
        people = list(await asyncio.gather(*(self.enrol(settled=False) for _ in things)))
        await self.settle()
        return people

    # --- time

    async def now(self) -> datetime:
        return await self.keepwell.now()

    async def settle(self) -> None:
        """Return once all that was begun is done."""
        await self.keepwell.live_until(await self.now())

    async def live(self, **span: float) -> None:
        """Live for a while."""
        await self.keepwell.live_until(await self.now() + timedelta(**span))

    async def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        """Return an instant of the clinic's day, some days from now."""
        day = (await self.now()).astimezone(ZONE).date() + timedelta(days=days)
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE)

    async def until(self, hour: int, minute: int = 0, *, days: int = 0) -> None:
        """Live until an hour of the clinic's day."""
        await self.keepwell.live_until(await self.at(days, hour, minute))

    # --- phones

    async def text(self, number: str, words: str) -> None:
        """Have a handset of the sandbox send a text."""
        form = {"From": number, "Body": words}
        async with self.keepwell.http.post(f"{self.sandbox}/sandbox/inbound", data=form) as answer:
            assert answer.status == 201, await answer.text()
            assert (await answer.json())["answer"] == 200

    async def webhook(self, number: str, words: str, *pairs: tuple[str, str], token: str = TOKEN) -> int:
        """Hand a text over as the provider does, signed, on a connection of its own; return the status.

        Args:
            number: whose text it is.
            words: of the text.
            pairs: parameters beside these; a name may come more than once.
            token: it is signed with.
        """
        form = MultiDict({"MessageSid": f"SM{uuid4().hex}", "From": number, "To": NUMBER, "Body": words})
        form.extend(pairs)
        url = f"{self.keepwell.base}/webhooks/twilio/inbound"
        signed = {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, form)}
        async with self.keepwell.http.post(url, data=form, headers=signed) as answer:
            return answer.status

    async def ledger(self) -> dict[str, Any]:
        """Return what the sandbox has on record."""
        async with self.keepwell.http.get(f"{self.sandbox}/sandbox/ledger") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def sent(self, number: str) -> list[dict[str, Any]]:
        """Return the texts that we sent to a number, oldest first."""
        return [one for one in (await self.ledger())["messages"] if one["to"] == number and one["origin"] == "api"]

    async def to(self, number: str) -> list[str]:
        """Return the words of the texts that we sent to a number."""
        return [one["body"] for one in await self.sent(number)]

    async def links(self, number: str) -> list[str]:
        """Return the check-in links that a number got, oldest first."""
        return [link_in(words) for words in await self.to(number) if "/c/" in words]

    # --- work

    async def book(self, person: Person, at: datetime, **more: Any) -> dict[str, Any]:
        """Book a session of an hour at an instant, said by the clinic's clock."""
        wall = at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
        body = {"patient": person.id, "starts_at": wall, "minutes": 60}
        booked: dict[str, Any] = await self.keepwell.post("/sessions", body | more, status=201)
        return booked

    async def sessions(self, person: Person) -> list[dict[str, Any]]:
        return list((await self.keepwell.get(f"/patients/{person.id}/sessions"))["items"])

    async def alerts(self, person: Person | None = None, *, state: str = "") -> list[dict[str, Any]]:
        """Return the alerts about somebody, or about nobody known, the newest first."""
        asked = f"&state={state}" if state else ""
        found = (await self.keepwell.get(f"/alerts?limit=500{asked}"))["items"]
        return [one for one in found if one["patient"] == (person.id if person else None)]

    async def acknowledge(self, alert: dict[str, Any]) -> None:
        await self.keepwell.post(f"/alerts/{alert['id']}/acknowledge")

    async def close(self, alert: dict[str, Any]) -> None:
        await self.keepwell.post(f"/alerts/{alert['id']}/close", {"disposition": DEALT_WITH})

    async def close_all(self) -> None:
        """Close what nobody has closed yet, so that it pages in no other test."""
        for state in ("open", "acknowledged"):
            for alert in (await self.keepwell.get(f"/alerts?limit=500&state={state}"))["items"]:
                await self.close(alert)
        await self.settle()

    async def ask(self, person: Person, *instruments: str) -> tuple[str, str]:
        """Ask somebody now; return the check-in and the link that arrived on their phone."""
        body = {"patient": person.id, "instruments": instruments or ("phq-9",)}
        opened = await self.keepwell.post("/checkins", body, status=201)
        await self.settle()
        return opened["id"], (await self.links(person.number))[-1]

    async def enter(self, checkin: str, answers: list[int], instrument: str = "phq-9") -> dict[str, Any]:
        """Enter answers taken by phone."""
        body = {"instrument": instrument, "answers": answers, "entered_by": "Nurse"}
        entered: dict[str, Any] = await self.keepwell.post(f"/checkins/{checkin}/answers", body)
        return entered

    async def score(self, person: Person, answers: list[int]) -> str:
        """Ask a PHQ-9 and enter its answers; return the check-in."""
        body = {"patient": person.id, "instruments": ["phq-9"]}
        opened = await self.keepwell.post("/checkins", body, status=201)
        await self.enter(opened["id"], answers)
        await self.settle()
        return str(opened["id"])

    async def page(self, link: str) -> tuple[int, str]:
        """Return status and text of a patient's page."""
        async with self.keepwell.http.get(link) as shown:
            return shown.status, unescape(await shown.text())

    async def send(self, link: str, answers: dict[str, int], *, shown: str | None = None) -> tuple[int, str]:
        """Send a patient's form with these answers, and no others, from a page that was `shown` before or is now."""
        page = shown or (await self.page(link))[1]
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        data = hidden | {f"q-{item}": str(value) for item, value in answers.items()}
        async with self.keepwell.http.post(link, data=data) as answer:
            text = unescape(await answer.text())
        await self.settle()
        return answer.status, text

    async def patient_page(self, person: Person) -> str:
        return await self.desk.get(f"/console/patients/{person.id}")

    async def waiting(self, kind: str) -> str:
        """Return every page of what waits for somebody, one after the other."""
        pages: list[str] = []
        for number in count(1):
            pages.append(await self.desk.get(f"/console/waiting/{kind}?page={number}"))
            if f"page={number + 1}" not in pages[-1]:
                return "\n".join(pages)
        raise AssertionError("a count ends")


def row_of(page: str, *words: str) -> str:
    """Return the innermost row of a list in which all these words stand; nothing where there is none."""
    rows = re.findall(r"<li\b(?:(?!<li\b).)*?</li>", page, re.DOTALL)
    return next((row for row in rows if all(each in row for each in words)), "")


async def gathered(do: Callable[..., Awaitable[Any]], *many: Iterable[Any]) -> list[Any]:
    """Do something with each, all at once."""
    return list(await asyncio.gather(*(do(*each) for each in zip(*many, strict=True))))


def _fresh() -> aiohttp.TCPConnector:
    """Have each call made on a connection of its own, as far apart as a test lives: an old one may be closing."""
    return aiohttp.TCPConnector(force_close=True, limit=0)


@asynccontextmanager
async def clinic(
    settings: Mapping[str, str] | None = None,
    *,
    sandbox: bool = True,
    folder: Path | None = None,
    module: str = "keepwell",
) -> AsyncIterator[Clinic]:
    """Run a clinic until a block ends; it begins on a Monday at nine, by its own clock.

    Args:
        settings: that differ from the usual ones.
        sandbox: whether the sandbox stands in for the provider; else the settings name another one.
        folder: where its data lies, right below /tmp; its own where None.
        module: what is run; Keepwell's own, or one that plants something in it first.
    """
    usual = {
        "KEEPWELL_CLOCK": "steps",
        "KEEPWELL_TRIAL": "true",
        "KEEPWELL_ZONE": ZONE.key,
        "KEEPWELL_SANDBOX__PROFILE": "calm",
        "KEEPWELL_TWILIO_AUTH_TOKEN": TOKEN,
    }
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        keepwell(usual | dict(settings or {}), folder=folder, program=(sys.executable, "-m", module)) as running,
        aiohttp.ClientSession(connector=_fresh(), timeout=aiohttp.ClientTimeout(total=280)) as http,
        aiohttp.ClientSession(connector=_fresh(), cookie_jar=jar, headers={"Accept": "text/html"}) as browser,
    ):
        await running.http.close()
        running.http = http
        asked = [word for scope in SCOPES for word in ("--scope", scope)]
        code, output, complaint = await running.command("token", "create", "--name", "Nurse", *asked, "--json")
        assert code == 0, complaint
        running.token = json.loads(output)["token"]
        desk = Desk(running.base, browser)
        await desk.log_in(running.lines["login"]["login"], running.lines["login"]["password"])
        made = Clinic(running, desk, running.lines["phone"].removesuffix("/sandbox/phone") if sandbox else None)
        today = (await made.now()).astimezone(ZONE)
        await made.until(9, days=7 - today.weekday())
        yield made
