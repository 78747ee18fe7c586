"""Who read what stands in the audit trail, whatever the caller says of the request."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from services.clinic.authentication import LIVE_HEADER
from services.clinic.pages.console import OPENED_WITHIN
from services.clinic.tables import AUDIT
from tests.integration.clinic.conftest import Browser, Home

PAGES = {
    "/console/today": "day.read",
    "/console/patients": "patients.listed",
    "/console/patients/{patient}": "patient.read",
    "/console/patients/{patient}/change": "patient.read",
    "/console/alerts": "alerts.read",
    "/console/proposals": "proposals.read",
    "/console/waiting/answers": "answers.listed",
    "/console/settings/change": "clinic.oncall-read",
}


@pytest.fixture
async def browser(home: Home) -> Browser:
    browser = await home.logged_in()
    await home.bench.clock.move_to(home.bench.clock.now() + 2 * OPENED_WITHIN)
    return browser


async def lines(home: Home, what: str) -> int:
    async with home.bench.database.reading() as reader:
        return len(await reader.all(select(AUDIT).where(AUDIT.c.what == what)))


async def asked(home: Home, browser: Browser, path: str, *, live: str, method: str = "GET", **typed: str) -> int:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with home.bench.http.request(
        method,
        home.bench.base_url + path,
        headers={"Cookie": cookie} | ({LIVE_HEADER: live} if live else {}),
        data={"csrf": browser.csrf, **typed} if method == "POST" else None,
        allow_redirects=False,
    ) as answer:
        return answer.status


@pytest.mark.parametrize("live", ["1", "0", "true"])
@pytest.mark.parametrize("page", PAGES)
async def test_no_header_lets_a_page_be_read_without_a_line(
    home: Home, browser: Browser, patient: Any, page: str, live: str
) -> None:
    path, what = page.format(patient=patient["id"]), PAGES[page]
    before = await lines(home, what)
    assert await asked(home, browser, path, live=live) == 200
    assert await lines(home, what) == before + 1


async def test_a_page_that_stays_open_never_fills_the_trail_nor_falls_out_of_it(
    home: Home, browser: Browser, patient: Any
) -> None:
    path, before = f"/console/patients/{patient['id']}", await lines(home, "patient.read")
    for live in ("", "1", "1"):
        await asked(home, browser, path, live=live)
    assert await lines(home, "patient.read") == before + 1
    await home.bench.clock.move_to(home.bench.clock.now() + OPENED_WITHIN + timedelta(seconds=1))
    for live in ("1", "1"):
        await asked(home, browser, path, live=live)
    assert await lines(home, "patient.read") == before + 2


async def test_another_patients_page_never_counts_as_the_one_that_is_open(
    home: Home, browser: Browser, patient: Any
) -> None:
    other = {"given_name": "Other", "family_name": "Person", "zone": "America/New_York", "language": "en"}
    second = (await home.bench.call("POST", "/patients", other)).json["id"]
    before = await lines(home, "patient.read")
    await asked(home, browser, f"/console/patients/{patient['id']}", live="")
    await asked(home, browser, f"/console/patients/{second}", live="1")
    assert await lines(home, "patient.read") == before + 2


async def test_no_header_lets_a_form_be_sent_without_a_line(home: Home, browser: Browser, patient: Any) -> None:
    await browser.get("/console/patients")
    before = await lines(home, "patients.searched")
    for _ in range(2):
        assert await asked(home, browser, "/console/patients", live="1", method="POST", q=patient["given_name"]) == 200
    assert await lines(home, "patients.searched") == before + 2
