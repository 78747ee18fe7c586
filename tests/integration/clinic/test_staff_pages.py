"""Adding and deactivating staff, passwords for one login, and choosing one's own."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.clinic.authentication import LOCKOUT_ACCOUNT_FAILURES
from services.clinic.tables import AUDIT, STAFF
from tests.integration.clinic.conftest import Browser, Home

OWN = "a few words of my own"


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def added(browser: Browser, login: str = "kim", role: str = "staff") -> str:
    """Add a member of staff and return the password for their first login."""
    answer = await browser.post("/console/staff", login=login, name="Kim Lee", role=role)
    assert answer.status == 200, answer.text
    return found(answer.text)


def found(page: str) -> str:
    match = re.search(r'class="secret">([^<]+)<', page)
    assert match, page
    return match[1]


async def joined(home: Home, browser: Browser, role: str = "staff") -> Browser:
    """Add somebody who then logs in and chooses their password."""
    other = home.browser()
    password = await added(browser, role=role)
    assert (await other.login("kim", password)).status == 303
    await other.get("/console/password")
    assert (await other.post("/console/password", old=password, new=OWN, again=OWN)).status == 303
    return other


async def member_id(home: Home, login: str = "kim") -> str:
    async with home.bench.database.reading() as reader:
        return str(await reader.scalar(select(STAFF.c.id).where(STAFF.c.login == login)))


async def noted(home: Home) -> list[str]:
    async with home.bench.database.reading() as reader:
        rows = await reader.all(select(AUDIT.c.what).where(AUDIT.c.what.like("%staff.%")).order_by(AUDIT.c.id))
    return [row.what for row in rows]


async def test_somebody_is_added_with_a_password_for_one_login_and_then_chooses_their_own(
    home: Home, browser: Browser
) -> None:
    password = await added(browser)
    assert password not in (await browser.get("/console/settings")).text
    other = home.browser()
    assert (await other.login("Kim", password)).status == 303
    shut = await other.get("/console/patients")
    assert (shut.status, shut.headers["location"]) == (303, "/console/password")
    assert "for one login" in (await other.get("/console/password")).text
    done = await other.post("/console/password", old=password, new=OWN, again=OWN)
    assert (done.status, done.headers["location"]) == (303, "/console/today")
    assert (await other.get("/console/patients")).status == 200
    assert (await home.browser().login("kim", password)).status == 401
    assert (await home.browser().login("kim", OWN)).status == 303
    assert await noted(home) == ["staff.added", "staff.password-changed"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"login": "clinician"}, "login"),
        ({"login": "kim lee"}, "login"),
        ({"name": " "}, "name"),
        ({"role": "king"}, "role"),
    ],
)
async def test_what_is_wrong_about_somebody_new_stands_at_its_field(
    browser: Browser, fields: dict[str, str], field: str
) -> None:
    answer = await browser.post("/console/staff", **{"login": "kim", "name": "Kim Lee", "role": "staff", **fields})
    assert answer.status == 422
    assert f'id="e-{field}"' in answer.text
    assert "secret" not in answer.text


async def test_who_is_deactivated_is_out_at_once_and_stays_out(home: Home, browser: Browser) -> None:
    other = await joined(home, browser)
    path = f"/console/staff/{await member_id(home)}/deactivate"
    assert (await browser.post(path)).status == 303
    assert (await other.get("/console/today")).headers["location"] == "/console/login"
    assert (await home.browser().login("kim", OWN)).status == 401
    page = await browser.get("/console/settings")
    assert "They can log in no more." in page.text
    assert '<span class="chip plain">left</span>' in page.text
    assert (await browser.post(path)).status == 409
    assert (await noted(home))[-1] == "staff.deactivated"


async def test_a_colleague_who_forgot_gets_a_password_for_one_login(home: Home, browser: Browser) -> None:
    other = await joined(home, browser)
    handed = await browser.post(f"/console/staff/{await member_id(home)}/password")
    assert (await other.get("/console/today")).headers["location"] == "/console/login"
    assert (await other.login("kim", found(handed.text))).status == 303
    assert (await other.get("/console/today")).headers["location"] == "/console/password"
    assert (await noted(home))[-1] == "staff.new-password"


async def test_nobody_deactivates_themselves(home: Home, browser: Browser) -> None:
    answer = await browser.post(f"/console/staff/{await member_id(home, 'clinician')}/deactivate")
    assert answer.status == 409
    assert (await browser.get("/console/today")).status == 200


async def test_an_administrator_adds_no_clinician_and_deactivates_none(home: Home, browser: Browser) -> None:
    admin = await joined(home, browser, role="admin")
    await admin.get("/console/settings")
    assert (await admin.post("/console/staff", login="eve", name="Eve", role="clinician")).status == 422
    await added(admin, login="eve", role="staff")
    assert (await admin.post(f"/console/staff/{await member_id(home, 'clinician')}/password")).status == 403
    assert (await admin.get("/console/settings/change")).status == 200


async def test_the_desk_manages_neither_staff_nor_settings(home: Home, browser: Browser) -> None:
    desk = await joined(home, browser)
    page = (await desk.get("/console/settings")).text
    assert "Add somebody" not in page
    assert "Change the settings" not in page
    assert (await desk.post("/console/staff", login="eve", name="Eve", role="staff")).status == 403
    assert (await desk.post(f"/console/staff/{uuid4()}/deactivate")).status == 403
    assert (await desk.get("/console/settings/change")).status == 403


async def test_ones_own_password_is_changed_with_the_old_one_and_ends_sessions_elsewhere(
    home: Home, browser: Browser
) -> None:
    elsewhere = await home.logged_in()
    await browser.get("/console/password")
    old = home.login.password or ""
    for fields, field in (
        ({"old": "wrong", "new": OWN, "again": OWN}, "old"),
        ({"old": old, "new": "short", "again": "short"}, "new"),
        ({"old": old, "new": OWN, "again": "other words"}, "again"),
    ):
        answer = await browser.post("/console/password", **fields)
        assert answer.status == 422
        assert f'id="e-{field}"' in answer.text
        assert OWN not in answer.text
    assert (await browser.post("/console/password", old=old, new=OWN, again=OWN)).status == 303
    assert "Your password is changed." in (await browser.get("/console/settings")).text
    assert (await elsewhere.get("/console/today")).headers["location"] == "/console/login"
    assert (await home.browser().login("clinician", old)).status == 401
    assert (await home.browser().login("clinician", OWN)).status == 303


async def test_an_open_browser_does_not_let_anybody_guess_the_old_password(home: Home, browser: Browser) -> None:
    await browser.get("/console/password")
    for _ in range(LOCKOUT_ACCOUNT_FAILURES):
        await browser.post("/console/password", old="wrong", new=OWN, again=OWN)
    answer = await browser.post("/console/password", old=home.login.password or "", new=OWN, again=OWN)
    assert "Wait 15 minutes" in answer.text


async def test_a_new_clinics_administrator_adds_the_first_clinician_and_no_second(home: Home, browser: Browser) -> None:
    admin = await joined(home, browser, role="admin")
    assert (
        "clinician"
        not in (await admin.get("/console/settings")).text.partition('id="f-role"')[2].partition("</select>")[0]
    )
    async with home.bench.database.transaction() as tx:
        await tx.execute(STAFF.update().where(STAFF.c.login == "clinician").values(active=False))
    assert await added(admin, login="alma", role="clinician")
    refused = await admin.post("/console/staff", login="ben", name="Ben Ott", role="clinician")
    assert refused.status == 422
