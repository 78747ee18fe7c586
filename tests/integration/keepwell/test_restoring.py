"""Schemas put aside, loaded from a dump, and taken back; by an operator's role that is no superuser."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from keepwell.backups.archive import Manifest
from keepwell.backups.errors import BackupError
from keepwell.backups.programs import dump_program, run
from keepwell.backups.restoring import put_back, refuse_while_running, replace_schemas
from keepwell.host import registry
from shared.clock import SteppedClock
from shared.database import Database
from shared.database.address import async_url
from shared.database.database_roles import prepare, role_of, service_url
from shared.database.migrate import drift, upgrade
from shared.settings import SERVICES
from tests.conftest import TUESDAY_NOON
from tests.support.databases import PASSWORD, Databases

MAJOR = 18
MANIFEST = Manifest("0", TUESDAY_NOON, TUESDAY_NOON, {}, MAJOR, MAJOR, "", {}, 0, [], "", None)


async def do(url: URL | str, *statements: str) -> None:
    engine = create_async_engine(async_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def schemas(url: URL) -> set[str]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        names = await connection.execute(
            text("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information|public)'")
        )
        found = set(names.scalars())
    await engine.dispose()
    return found


@pytest.fixture
async def operator(databases: Databases) -> URL:
    """The address of a migrated database under a role that may make roles, and is no superuser."""
    superuser = make_url(await databases.empty())
    database = superuser.database
    await prepare(superuser, dict.fromkeys(SERVICES, PASSWORD))
    made = "CREATE ROLE operator LOGIN CREATEROLE PASSWORD 'o'; EXCEPTION WHEN duplicate_object THEN NULL;"
    await do(superuser, f"DO $$ BEGIN {made} END $$", f"ALTER DATABASE {database} OWNER TO operator")
    for name in SERVICES:
        await do(superuser, f"GRANT {role_of(name)} TO operator WITH ADMIN OPTION", f"DROP SCHEMA {name}")
    url = async_url(superuser).set(username="operator", password="o")
    await prepare(url, dict.fromkeys(SERVICES, PASSWORD))
    for history in registry.histories():
        await upgrade(service_url(url, history.service, PASSWORD), history)
    return url


async def dumped(url: URL, file: Path) -> Path:
    wanted = [f"--schema={name}" for name in SERVICES]
    await run(dump_program(MAJOR), "--format=custom", "--no-password", f"--file={file}", *wanted, url=url)
    return file


async def note(url: URL, words: str) -> None:
    await do(service_url(url, "scheduler", PASSWORD), f"COMMENT ON TABLE scheduler.inbox IS '{words}'")


async def noted(url: URL) -> str:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.scalar(text("SELECT obj_description('scheduler.inbox'::regclass)"))
    await engine.dispose()
    return str(found)


async def test_what_was_dumped_takes_the_place_of_what_is_there(operator: URL, tmp_path: Path) -> None:
    await note(operator, "then")
    dump = await dumped(operator, tmp_path / "dump")
    await note(operator, "now")
    await do(service_url(operator, "clinic", PASSWORD), "CREATE TABLE clinic.later (one int)")
    await replace_schemas(operator, MANIFEST, dump)
    assert await noted(operator) == "then"
    assert await schemas(operator) == set(SERVICES)
    await do(service_url(operator, "scheduler", PASSWORD), "COMMENT ON TABLE scheduler.inbox IS NULL")
    for history in registry.histories():
        assert await drift(service_url(operator, history.service, PASSWORD), history) == []


async def test_where_loading_fails_the_schemas_that_were_there_come_back(operator: URL, tmp_path: Path) -> None:
    await note(operator, "now")
    dump = await dumped(operator, tmp_path / "dump")
    dump.write_bytes(dump.read_bytes()[:-2000])
    with pytest.raises(BackupError, match="pg_restore ended with code 1"):
        await replace_schemas(operator, MANIFEST, dump)
    assert await noted(operator) == "now"
    assert await schemas(operator) == set(SERVICES)


async def test_schemas_that_a_broken_restore_had_put_aside_are_taken_back(operator: URL) -> None:
    await note(operator, "now")
    await do(operator, *(f"ALTER SCHEMA {name} RENAME TO {name}_replaced" for name in SERVICES))
    await put_back(operator)
    assert await noted(operator) == "now"


async def test_a_database_that_somebody_works_with_is_left_alone(operator: URL, clock: SteppedClock) -> None:
    await refuse_while_running(operator)
    working = Database(service_url(operator, "clinic", PASSWORD), schema="clinic", clock=clock)
    async with working.reading() as reader:
        await reader.scalar(text("SELECT 1"))
        with pytest.raises(BackupError, match=r"keepwell\.clinic\): stop every process first"):
            await refuse_while_running(operator)
    await working.close()


async def test_a_program_that_fails_says_why_and_no_password(operator: URL, tmp_path: Path) -> None:
    wrong = operator.set(password="secret-word")
    with pytest.raises(BackupError, match="authentication failed") as failed:
        await dumped(wrong, tmp_path / "dump")
    assert "secret-word" not in str(failed.value)


def test_a_server_that_is_newer_than_every_program_is_told_with_the_remedy() -> None:
    with pytest.raises(BackupError, match="postgresql-client-99"):
        dump_program(99)
