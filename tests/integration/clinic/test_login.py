import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from starlette.requests import Request

from services.clinic.authentication import (
    COOKIE,
    LOCKOUT_ACCOUNT_FAILURES,
    LOGOUT_AFTER,
    LOGOUT_WHEN_IDLE,
    Authentication,
    LoginRefusedError,
    TooManyLoginsError,
    hash_of,
)
from services.clinic.commands.first_start import (
    FirstLogin,
    administrator,
    ensure_first_clinic,
    first_member,
    forgotten_password,
)
from services.clinic.history import HISTORY
from services.clinic.model.roles import Role
from services.clinic.store import staff
from services.clinic.tables import AUDIT, LOGINS, STAFF
from shared.clock import SteppedClock
from tests.integration.clinic.conftest import CLINICIAN, Home
from tests.support.bench import KEYRING
from tests.support.databases import Databases


async def test_the_right_password_opens_the_console(home: Home) -> None:
    browser = await home.logged_in()
    today = await browser.get("/console/today")
    assert today.status == 200
    assert "Today, Tuesday, December 1" in today.text


async def test_without_a_login_every_page_leads_to_the_door(home: Home) -> None:
    for path in ("/console/today", "/console/patients", "/console/alerts", "/console/rules", "/console/settings"):
        answer = await home.browser().get(path)
        assert (answer.status, answer.headers["location"]) == (303, "/console/login"), path


async def test_the_bare_address_leads_to_the_day(home: Home) -> None:
    answer = await home.browser().get("/")
    assert (answer.status, answer.headers["location"]) == (303, "/console/today")


@pytest.mark.parametrize("login", ["clinician", "nobody"])
async def test_a_wrong_password_and_an_unknown_login_are_refused_alike(home: Home, login: str) -> None:
    browser = home.browser()
    answer = await browser.login(login, "wrong")
    assert answer.status == 401
    assert "Login or password is wrong" in answer.text
    assert COOKIE not in browser.cookies


async def test_a_login_form_without_its_token_is_refused(home: Home) -> None:
    browser = home.browser()
    answer = await browser.post("/console/login", login=home.login.login or "", password=home.login.password or "")
    assert answer.status == 403
    assert COOKIE not in browser.cookies


async def test_the_cookie_is_kept_from_scripts_and_other_sites(home: Home) -> None:
    browser = home.browser()
    answer = await browser.login(home.login.login or "", home.login.password or "")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_the_database_keeps_no_cookie_and_no_password(home: Home) -> None:
    browser = await home.logged_in()
    async with home.bench.database.reading() as reader:
        login = await reader.one(select(LOGINS))
        member = await reader.one(select(STAFF))
    assert login.token_hash == hash_of(browser.cookies[COOKIE])
    assert member.password_hash.startswith("$argon2id$")


async def test_logging_out_ends_the_session(home: Home) -> None:
    browser = await home.logged_in()
    kept = browser.cookies[COOKIE]
    assert (await browser.post("/console/logout")).status == 303
    browser.cookies[COOKIE] = kept
    assert (await browser.get("/console/today")).status == 303


@pytest.mark.parametrize("path", ["/console/patients/new", "/console/logout", "/console/patients"])
async def test_a_form_without_the_sessions_token_is_refused(home: Home, path: str) -> None:
    browser = await home.logged_in()
    browser.csrf = "0" * 64
    answer = await browser.post(path, given_name="Maya", family_name="Okafor")
    assert answer.status == 403
    assert "Open the page again" in answer.text


async def test_too_many_wrong_passwords_make_an_account_wait_even_with_the_right_one(home: Home) -> None:
    real = SteppedClock(datetime(2026, 12, 1, tzinfo=UTC))
    authentication = Authentication(home.bench.database, KEYRING, real, secure=True)
    for _ in range(LOCKOUT_ACCOUNT_FAILURES):
        with pytest.raises(LoginRefusedError):
            await authentication.login("clinician", "wrong", "192.0.2.1")
    with pytest.raises(TooManyLoginsError):
        await authentication.login("Clinician ", home.login.password or "", "192.0.2.7")
    await real.move_by(timedelta(minutes=16))
    assert await authentication.login("clinician", home.login.password or "", "192.0.2.1")


async def test_a_session_ends_after_an_idle_hour_and_after_twelve_hours_of_use(home: Home) -> None:
    real = SteppedClock(datetime(2026, 12, 1, tzinfo=UTC))
    authentication = Authentication(home.bench.database, KEYRING, real, secure=True)
    token = await authentication.login("clinician", home.login.password or "", "192.0.2.1")
    request = _request(token)
    for _ in range(int(LOGOUT_AFTER / LOGOUT_WHEN_IDLE)):
        assert await authentication.user(request)
        await real.move_by(LOGOUT_WHEN_IDLE)
    await real.move_by(timedelta(minutes=1))
    assert await authentication.user(request) is None
    other = await authentication.login("clinician", home.login.password or "", "192.0.2.1")
    await real.move_by(LOGOUT_WHEN_IDLE + timedelta(minutes=1))
    assert await authentication.user(_request(other)) is None


async def test_what_a_page_fetches_by_itself_keeps_no_session_alive(home: Home) -> None:
    real = SteppedClock(datetime(2026, 12, 1, tzinfo=UTC))
    authentication = Authentication(home.bench.database, KEYRING, real, secure=True)
    token = await authentication.login("clinician", home.login.password or "", "192.0.2.1")
    for _ in range(2):
        await real.move_by(timedelta(minutes=40))
        found = await authentication.user(_request(token, live=True))
    assert found is None


async def test_logins_and_refusals_stand_in_the_audit_trail(home: Home) -> None:
    await home.browser().login("clinician", "wrong")
    await home.logged_in()
    async with home.bench.database.reading() as reader:
        rows = await reader.all(select(AUDIT.c.what).order_by(AUDIT.c.id))
    assert [row.what for row in rows] == ["clinic.set-up", "clinic.first-member", "login.refused", "login", "day.read"]


async def test_a_second_start_sets_up_nothing_and_gives_no_password(home: Home) -> None:
    async with home.bench.database.transaction() as tx:
        again = await ensure_first_clinic(tx, KEYRING, zone="America/Denver", member=CLINICIAN)
    assert (again.clinic, again.password) == (home.login.clinic, None)


async def test_a_forgotten_password_is_replaced_and_ends_every_session(home: Home) -> None:
    browser = await home.logged_in()
    async with home.bench.database.transaction() as tx:
        fresh = await forgotten_password(tx, "clinician")
    assert (await browser.get("/console/today")).status == 303
    assert (await home.browser().login("clinician", home.login.password or "")).status == 401
    assert (await home.browser().login("clinician", fresh.password or "")).status == 303


async def test_a_forgotten_password_needs_somebody_active_who_has_the_login(home: Home) -> None:
    async with home.bench.database.transaction() as tx:
        with pytest.raises(LookupError, match="Settings in the console lists the logins"):
            await forgotten_password(tx, "nobody")
        assert (await forgotten_password(tx, " Clinician ")).login == "clinician"


async def test_before_the_first_start_there_is_no_password_to_forget(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORY, clock)
    async with database.transaction() as tx:
        with pytest.raises(LookupError, match="keepwell up"):
            await forgotten_password(tx, "clinician")
    await database.close()


async def test_a_member_who_left_is_let_in_no_more(home: Home) -> None:
    browser = await home.logged_in()
    async with home.bench.database.transaction() as tx:
        await tx.execute(STAFF.update().values(active=False))
        assert await staff.by_login(tx, "clinician") is None
    assert (await browser.get("/console/today")).status == 303


def _request(token: str, *, live: bool = False) -> Request:
    headers = [(b"cookie", f"{COOKIE}={token}".encode())]
    if live:
        headers.append((b"x-keepwell-live", b"1"))
    return Request({"type": "http", "headers": headers})


async def test_two_first_starts_at_once_make_one_clinic(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORY, clock)

    async def start() -> FirstLogin:
        async with database.transaction() as tx:
            return await ensure_first_clinic(tx, KEYRING, zone="America/New_York", member=CLINICIAN)

    one, two = await asyncio.gather(start(), start())
    await database.close()
    assert one.clinic == two.clinic
    assert [one.password, two.password].count(None) == 1


async def test_nobody_whom_the_operator_did_not_name_can_log_in(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORY, clock)
    async with database.transaction() as tx:
        made = await ensure_first_clinic(tx, KEYRING, zone="America/New_York", member=None)
        assert await staff.of_clinic(tx, made.clinic) == []
        assert (made.login, made.password) == (None, None)
        let_in = await first_member(tx, administrator("Dana Ruiz", None))
        (dana,) = await staff.of_clinic(tx, made.clinic)
        assert (dana.name, dana.login, dana.role, dana.must_change) == ("Dana Ruiz", "dana.ruiz", Role.ADMIN, True)
        assert let_in.password
        with pytest.raises(LookupError, match="Somebody can log in already"):
            await first_member(tx, administrator("Eve", None))
    await database.close()


async def test_there_is_nobody_to_let_in_before_there_is_a_clinic(databases: Databases, clock: SteppedClock) -> None:
    database = await databases.fresh(HISTORY, clock)
    async with database.transaction() as tx:
        with pytest.raises(LookupError, match="keepwell up"):
            await first_member(tx, administrator("Dana Ruiz", None))
    await database.close()
