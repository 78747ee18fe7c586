"""Search: a clinic's patients listed and found by name, phone, birth date and record number, over real HTTP."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from time import perf_counter
from typing import Any, Final

import aiohttp

from benchmarks.figures import Report, percentile
from benchmarks.scale import Scale
from benchmarks.stand import CLOCK, Stand, child, first_line, stand
from services.clinic.commands.patients import PatientCommands
from services.clinic.model.contacts import ContactKind
from services.clinic.model.patient import GivenContact, GivenPatient
from services.clinic.store import clinics
from shared.database import Database
from shared.ids import ClinicId
from shared.languages import Language
from shared.web.tokens import ALL_SCOPES, Principal, Tokens

ASKED: Final = 60
TOGETHER: Final = 500
GIVEN: Final = ("José", "María", "Seán", "Zoë", "Anna-Lena", "Maya", "Søren", "Björn", "Li", "Ingrid")
FAMILY: Final = ("Muñoz", "O\u2019Connor", "García", "Łukasik", "Smith", "Okafor", "Núñez", "Weiß", "Chen", "Ahlström")
TYPED: Final = (
    "jose munoz",
    "O'Connor",
    "(202) 555-{last}",
    "{last}",
    "6/17/1984",
    "MRN-{last}",
    "ahlstrom bj",
    "nobody",
)


async def run(report: Report, scale: Scale) -> None:
    """Measure at the scale's number of patients."""
    async with stand() as here:
        log = here.folder / "clinic.log"
        async with child("keepwell", "up", "clinic", "--json", environment=here.environment(), log=log) as process:
            lines = json.loads(await first_line(process, log))
            clinic = await _enrol(here, scale.names)
            token = Tokens(here.keyring).create(Principal(clinic, "bench", ALL_SCOPES), life=timedelta(hours=1))
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
                await _measure(report, scale, _Desk(http, lines, token))


class _Desk:
    """A program and a browser at the same service."""

    def __init__(self, http: aiohttp.ClientSession, lines: dict[str, Any], token: str) -> None:
        self._http, self._lines = http, lines
        self._base = lines["api"].partition("/api/")[0]
        self._token = {"Authorization": f"Bearer {token}"}
        self._csrf = ""

    async def log_in(self) -> None:
        """Log in, and choose a password where the first one is for one login."""
        await self._page("GET", "/console/login")
        login = self._lines["login"]
        found = {"login": login["login"], "password": login["password"]}
        await self._page("POST", "/console/login", **found)
        await self._page("GET", "/console/patients")

    async def rest(self, typed: str) -> None:
        """Search by the interface for programs."""
        address = f"{self._base}/api/v1/patients"
        async with self._http.get(address, params={"q": typed, "limit": "50"}, headers=self._token) as answer:
            answer.raise_for_status()
            await answer.read()

    async def page(self, typed: str) -> None:
        """Search in the console."""
        await self._page("POST", "/console/patients", q=typed)

    async def listed(self, _typed: str) -> None:
        """Open the list in the console."""
        await self._page("GET", "/console/patients")

    async def _page(self, method: str, path: str, **form: str) -> None:
        data = {"csrf": self._csrf, **form} if method == "POST" else None
        async with self._http.request(method, self._base + path, data=data) as answer:
            answer.raise_for_status()
            text = await answer.text()
            if found := re.search(r'name="csrf" value="(\w+)"', text):
                self._csrf = found[1]


async def _measure(report: Report, scale: Scale, desk: _Desk) -> None:
    began = perf_counter()
    await desk.rest("nobody")
    report.add(f"the first search after {scale.names} were enrolled", "ms", [1000 * (perf_counter() - began)])
    await desk.log_in()
    for what, ask in (("a search by REST", desk.rest), ("a search page", desk.page), ("the list", desk.listed)):
        waits = [await _waits(ask, scale.names) for _ in range(scale.runs)]
        for share in (0.5, 0.99):
            figures = [percentile(each, share) for each in waits]
            report.add(f"{what}, p{round(100 * share)} among {scale.names} patients", "ms", figures)


async def _waits(ask: Callable[[str], Awaitable[None]], patients: int) -> list[float]:
    found = []
    for number in range(ASKED):
        typed = TYPED[number % len(TYPED)].format(last=f"{number * 7919 % patients:04d}")
        began = perf_counter()
        await ask(typed)
        found.append(1000 * (perf_counter() - began))
    return found


async def _enrol(here: Stand, number: int) -> ClinicId:
    """Enrol people as the service would, without its HTTP."""
    database, patient_commands = (
        Database(here.url_of("clinic"), schema="clinic", clock=CLOCK),
        PatientCommands(here.keyring),
    )
    try:
        async with database.reading() as reader:
            clinic = await clinics.first(reader)
        if clinic is None:
            raise RuntimeError("The service set up no clinic.")
        principal = Principal(clinic, "bench", ALL_SCOPES)
        for start in range(0, number, TOGETHER):
            async with database.transaction() as tx:
                for each in range(start, min(start + TOGETHER, number)):
                    await patient_commands.enrol(tx, principal, _person(each))
        return clinic
    finally:
        await database.close()


def _person(number: int) -> GivenPatient:
    phone = f"+1{202 + number // 10_000}555{number % 10_000:04d}"
    return GivenPatient(
        given_name=GIVEN[number % len(GIVEN)],
        family_name=f"{FAMILY[number // len(GIVEN) % len(FAMILY)]} {'abcdefghij'[number // 1000 % 10]}",
        birth_date=date(1950, 1, 1) + timedelta(days=number % 18_000),
        zone="America/New_York",
        language=Language.EN,
        external_id=f"MRN-{number:05d}",
        contacts=(GivenContact(ContactKind.SMS, phone, ()),),
    )
