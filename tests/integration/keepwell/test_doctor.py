"""The doctor before databases, mail servers and providers that are well, and before some that are not."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from keepwell.doctor import databases as database_checks
from keepwell.doctor.finding import Finding, Installation
from keepwell.doctor.outside import outside
from keepwell.host import infrastructure
from keepwell.host.data_directory import DataDirectory
from shared.database.address import async_url
from shared.database.database_roles import prepare, service_url
from shared.database.history import working_name
from shared.settings import SERVICES, ServiceSettings, Settings
from tests.support.databases import PASSWORD, Databases, cluster

ACCOUNT = "AC" + "0" * 32


def installation(folder: Path, **settings: Any) -> Installation:
    return Installation(DataDirectory(folder), Settings(data_dir=folder, **settings), None)


async def run(admin: str, statement: str) -> None:
    engine = create_async_engine(async_url(admin), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture(scope="module")
async def databases() -> AsyncIterator[Databases]:
    """A PostgreSQL of these tests alone: what they do to roles holds for every database of a server."""
    async with cluster() as url:
        yield Databases(url)


@pytest.fixture
async def admin(databases: Databases, tmp_path: Path) -> str:
    """The address of a database with every service's role and schema."""
    address = await databases.empty()
    here = installation(tmp_path, database_url=address)
    keyring = here.directory.keyring(here.settings)
    await prepare(address, {name: infrastructure.password(keyring, name) for name in SERVICES})
    return address


async def findings(here: Installation) -> dict[str, Finding]:
    return {finding.what: finding for finding in await database_checks.databases(here)}


async def migrated(here: Installation) -> None:
    from keepwell.host import registry  # noqa: PLC0415 - loads every service
    from shared.database.migrate import upgrade  # noqa: PLC0415 - see above

    for name, url in here.databases.items():
        await upgrade(url, registry.history(name))


async def test_a_database_as_it_should_be_has_no_flaw(admin: str, tmp_path: Path) -> None:
    here = installation(tmp_path, database_url=admin)
    await migrated(here)
    found = await findings(here)
    assert [finding.detail for finding in found.values() if not finding.well] == []
    assert {"database", "roles", *(f"schema {name}" for name in SERVICES)} == set(found)


async def test_a_schema_that_was_never_migrated_is_found_with_its_remedy(admin: str, tmp_path: Path) -> None:
    found = await findings(installation(tmp_path, database_url=admin))
    assert not found["schema clinic"].well
    assert "migrate --before" in found["schema clinic"].remedy


async def test_a_role_that_can_reach_anothers_schema_is_found(admin: str, tmp_path: Path) -> None:
    await run(admin, "GRANT USAGE ON SCHEMA clinic TO keepwell_notifier")
    found = (await findings(installation(tmp_path, database_url=admin)))["roles"]
    assert (found.well, found.detail) == (False, "keepwell_notifier can reach clinic too")


async def test_a_role_that_may_too_much_is_found(admin: str, tmp_path: Path) -> None:
    await run(admin, "ALTER ROLE keepwell_notifier CREATEDB")
    try:
        found = (await findings(installation(tmp_path, database_url=admin)))["roles"]
    finally:
        await run(admin, "ALTER ROLE keepwell_notifier NOCREATEDB")
    assert "may make roles or databases" in found.detail


async def test_one_service_with_its_own_role_alone_is_looked_at_without_the_others(admin: str, tmp_path: Path) -> None:
    keyring = DataDirectory(tmp_path).keyring(Settings(data_dir=tmp_path))
    own = service_url(admin, "assessments", infrastructure.password(keyring, "assessments"))
    address = own.render_as_string(hide_password=False)
    settings = ServiceSettings.model_validate({"database_url": address})
    found = await findings(installation(tmp_path, assessments=settings.model_dump()))
    assert {"database", "roles", "schema assessments"} == set(found)
    assert found["roles"].well


async def test_a_role_whose_password_is_wrong_is_named_with_its_setting(admin: str, tmp_path: Path) -> None:
    wrong = make_url(admin).set(username="keepwell_assessments", password=PASSWORD + "!")
    settings = ServiceSettings.model_validate({"database_url": wrong.render_as_string(hide_password=False)})
    found = await findings(installation(tmp_path, assessments=settings.model_dump()))
    (finding,) = found.values()
    assert not finding.well
    assert "KEEPWELL_ASSESSMENTS__DATABASE_URL" in finding.remedy
    assert PASSWORD not in finding.detail


async def test_a_column_that_somebody_added_by_hand_is_found(admin: str, tmp_path: Path) -> None:
    here = installation(tmp_path, database_url=admin)
    await migrated(here)
    await run(admin, "ALTER TABLE scheduler.inbox ADD COLUMN surprise text")
    found = (await findings(here))["schema scheduler"]
    assert not found.well
    assert "surprise" in found.detail


async def test_an_older_process_does_not_disturb_a_schema_that_is_up_to_date(admin: str, tmp_path: Path) -> None:
    here = installation(tmp_path, database_url=admin)
    await migrated(here)
    named = {"server_settings": {"application_name": working_name("clinic", "0001")}}
    engine = create_async_engine(here.databases["clinic"], poolclass=NullPool, connect_args=named)
    async with engine.connect():
        assert (await findings(here))["schema clinic"].well
    await engine.dispose()


class Porter:
    """Lets one user in."""

    def __call__(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        return AuthResult(success=(login.login, login.password) == (b"clinic", b"right"), handled=False)


class Mailbox:
    """Takes the sender of the clinic and keeps whatever mail comes, which must be none."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_MAIL(self, _s: Any, _n: Any, envelope: Any, address: str, _o: Any) -> str:  # noqa: N802 - aiosmtpd's
        if address != "clinic@example.org":
            return "550 not from here"
        envelope.mail_from = address
        return "250 ok"

    async def handle_DATA(self, _s: Any, _n: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        self.mails.append(envelope.content)
        return "250 ok"


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    """A mail server without TLS that asks for a login."""
    box, loop = Mailbox(), asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(
            box,
            hostname="mail.example",
            authenticator=Porter(),
            auth_required=True,
            auth_require_tls=False,
            loop=loop,
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it takes a password in clear, which is what it is here for
        server = await loop.create_server(session, "127.0.0.1", 0)
        yield box, server.sockets[0].getsockname()[1]
        server.close()


async def mail(tmp_path: Path, **settings: Any) -> Finding:
    given = {"smtp_host": "127.0.0.1", "smtp_from": "clinic@example.org", "smtp_tls": "none"} | settings
    (found,) = [finding for finding in await outside(installation(tmp_path, **given)) if finding.what == "mail"]
    return found


async def test_mail_is_tried_without_sending_any(mailbox: tuple[Mailbox, int], tmp_path: Path) -> None:
    box, port = mailbox
    found = await mail(tmp_path, smtp_port=port, smtp_username="clinic", smtp_password="right")
    assert found.well, found.detail
    assert "logged in as clinic" in found.detail
    assert box.mails == []


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"smtp_username": "clinic", "smtp_password": "wrong"}, "KEEPWELL_SMTP_PASSWORD"),
        ({"smtp_username": "clinic", "smtp_password": "right", "smtp_from": "x@example.net"}, "KEEPWELL_SMTP_FROM"),
        ({"smtp_username": "clinic", "smtp_password": "right", "smtp_tls": "starttls"}, "KEEPWELL_SMTP_TLS"),
    ],
)
async def test_what_is_wrong_with_mail_is_told_with_its_remedy(
    mailbox: tuple[Mailbox, int], tmp_path: Path, settings: dict[str, str], remedy: str
) -> None:
    found = await mail(tmp_path, smtp_port=mailbox[1], **settings)
    assert not found.well
    assert remedy in found.remedy, found


async def test_a_mail_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = await mail(tmp_path, smtp_port=9)
    assert not found.well
    assert "KEEPWELL_SMTP_HOST" in found.remedy


@asynccontextmanager
async def provider(status: int, *, ahead: timedelta = timedelta()) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"].startswith("Basic ")
        now = datetime.now(UTC) + ahead  # noqa: TID251 - a server of its own, with a clock of its own
        return web.json_response({"messages": []}, status=status, headers={"Date": format_datetime(now, usegmt=True)})

    app = web.Application()
    app.router.add_get(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def asked(tmp_path: Path, url: str) -> Finding:
    settings = {"twilio_account_sid": ACCOUNT, "twilio_auth_token": "t", "twilio_from": "+15550100000"}
    here = installation(tmp_path, twilio_base_url=url, **settings)
    return (await outside(here))[0]


async def test_a_provider_that_knows_the_account_is_well(tmp_path: Path) -> None:
    async with provider(200) as url:
        assert (await asked(tmp_path, url)).well


@pytest.mark.parametrize(("status", "remedy"), [(401, "KEEPWELL_TWILIO_AUTH_TOKEN"), (503, "status page")])
async def test_a_provider_that_refuses_us_is_told_with_its_remedy(tmp_path: Path, status: int, remedy: str) -> None:
    async with provider(status) as url:
        found = await asked(tmp_path, url)
    assert not found.well
    assert remedy in found.remedy


async def test_a_provider_whose_clock_is_far_from_ours_is_told(tmp_path: Path) -> None:
    async with provider(200, ahead=timedelta(minutes=5)) as url:
        found = await asked(tmp_path, url)
    assert not found.well
    assert "s from ours" in found.detail


async def test_a_provider_that_does_not_answer_is_told(tmp_path: Path) -> None:
    found = await asked(tmp_path, "http://127.0.0.1:9")
    assert "does not answer" in found.detail


async def test_something_else_at_the_public_address_is_told(tmp_path: Path) -> None:
    async with provider(200) as url:
        (found,) = [one for one in await outside(installation(tmp_path, public_url=url)) if one.what == "webhooks"]
    assert not found.well
    assert "something else answers there" in found.detail
