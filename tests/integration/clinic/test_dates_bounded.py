"""A day that no calendar shares is refused at the edge, by every door, before anything is stored."""

from typing import Any

import pytest
from sqlalchemy import func, select

from services.clinic.tables import BUS, PATIENTS
from shared.database import Database
from tests.integration.clinic.conftest import Browser, Home, a_body

EDGES = ["0001-01-01", "9999-12-31", "1899-12-31", "2200-01-01"]
MOMENTS = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1899-12-31T23:59:59Z",
    "2200-01-01T00:00:00+00:00",
]
WITHIN = "1900-01-01 to 2199-12-31"


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def stored(database: Database) -> list[int]:
    async with database.reading() as reader:
        return [await reader.scalar(select(func.count()).select_from(table)) for table in (PATIENTS, BUS.outbox)]


def enrolment(**changes: str) -> dict[str, str]:
    who = {"given_name": "Maya", "family_name": "Okafor", "zone": "America/New_York", "language": "en"}
    agreed = {"sms": "+12025550123", "sms-reminders": "on", "sms-how": "in person", "sms-at": "2026-12-01"}
    return {**who, **agreed, **changes}


@pytest.mark.parametrize("at", MOMENTS)
async def test_a_consent_at_the_edge_of_time_never_cuts_a_patient_off(home: Home, at: str) -> None:
    before = await stored(home.bench.database)
    consents = [{"purpose": "reminders", "how": "in person", "at": at}]
    contact = {"kind": "sms", "value": "+12025550123", "consents": consents}
    answer = await home.bench.call("POST", "/patients", a_body(contacts=[contact]))
    assert answer.status == 422
    assert WITHIN in answer.text
    assert await stored(home.bench.database) == before


@pytest.mark.parametrize("day", EDGES)
async def test_a_consent_typed_at_the_edge_of_time_never_cuts_a_patient_off(
    home: Home, browser: Browser, day: str
) -> None:
    before = await stored(home.bench.database)
    await browser.get("/console/patients/new")
    answer = await browser.post("/console/patients/new", **enrolment(**{"sms-at": day}))
    assert answer.status == 422
    assert WITHIN in answer.text
    assert await stored(home.bench.database) == before


@pytest.mark.parametrize("day", [*EDGES, "9" * 5000, "1700000000", "2026-12-01T00:00", "day"])
async def test_no_day_breaks_the_page_of_a_day(browser: Browser, day: str) -> None:
    assert (await browser.get(f"/console/today?day={day}")).status == 404
    assert (await browser.get("/console/today?day=2026-12-02")).status == 200


@pytest.mark.parametrize("moment", MOMENTS)
async def test_no_instant_breaks_the_word_that_a_booking_stays(
    home: Home, browser: Browser, patient: Any, moment: str
) -> None:
    await browser.get("/console/today")
    path = f"/console/bookings/{patient['id']}/stays"
    answer = await browser.post(path, due_on="2026-12-02", starts_at=moment)
    assert answer.status == 404


@pytest.mark.parametrize("login", ["\x00", "a\x00b", "9" * 5000])
async def test_no_login_breaks_the_way_in(home: Home, login: str) -> None:
    answer = await home.browser().login(login, "whatever it was")
    assert 400 <= answer.status < 500


@pytest.mark.parametrize("depth", [33, 950, 100_000])
async def test_no_depth_breaks_a_body(home: Home, depth: int) -> None:
    headers = {"Content-Type": "application/json"}
    body = "[" * depth + "]" * depth
    answer = await home.bench.call("POST", "/patients", data=body, headers=headers)
    assert answer.status == 422
    assert "brackets" in answer.text
