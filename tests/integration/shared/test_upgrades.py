"""The two parts of an upgrade: what may come while older processes work, and what must wait for their end."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, text
from sqlalchemy.engine import URL

from keepwell.host import registry
from shared.clock import SteppedClock
from shared.database import Database
from shared.database.database_roles import prepare, service_url
from shared.database.history import History, Part, Step, UpgradeError, is_newest, revisions
from shared.database.history import working_name as name_of
from shared.database.migrate import older_processes, pending, upgrade
from tests.support.databases import PASSWORD, Databases

ENV = """
from sqlalchemy import MetaData
from shared.database.migrate import run
run("clinic", MetaData(schema="clinic"))
"""
REVISION = """
from alembic import op
revision = "{number}"
down_revision = {before!r}
PHASE = "{phase}"

def upgrade():
    op.execute("CREATE TABLE clinic.step_{number} (one int)")
"""

Write = Callable[..., History]


@pytest.fixture
def history(tmp_path: Path) -> Write:
    """Write a history of so many revisions, each with its phase."""

    def write(*phases: str, folder: str = "new") -> History:
        place = tmp_path / folder
        (place / "versions").mkdir(parents=True)
        (place / "env.py").write_text(ENV)
        for number, phase in enumerate(phases, start=1):
            before = f"{number - 1:04}" if number > 1 else None
            said = REVISION.format(number=f"{number:04}", before=before, phase=phase)
            (place / "versions" / f"{number:04}.py").write_text(said)
        return History("clinic", place, MetaData)

    return write


@pytest.fixture
async def url(databases: Databases) -> URL:
    """A database with the schema of one service, and nothing in it."""
    admin = await databases.empty()
    await prepare(admin, {"clinic": PASSWORD})
    return service_url(admin, "clinic", PASSWORD)


@pytest.fixture
async def older(url: URL, clock: SteppedClock) -> AsyncIterator[Database]:
    """A process of the version whose newest revision was 0001, at work."""
    database = Database(url, schema="clinic", clock=clock, name=name_of("clinic", "0001"))
    async with database.reading() as reader:
        await reader.scalar(text("SELECT 1"))
        yield database
    await database.close()


async def tables(url: URL, clock: SteppedClock) -> list[str]:
    database = Database(url, schema="clinic", clock=clock, name="a look")
    async with database.reading() as reader:
        found = await reader.all(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'clinic' AND tablename LIKE 'step%' ORDER BY 1")
        )
    await database.close()
    return [row.tablename for row in found]


async def test_the_part_before_ends_where_the_part_after_begins(url: URL, clock: SteppedClock, history: Write) -> None:
    new = history("before", "before", "after")
    assert await upgrade(url, new, Part.BEFORE) == ["0001", "0002"]
    assert await tables(url, clock) == ["step_0001", "step_0002"]
    assert await upgrade(url, new, Part.BEFORE) == []
    assert await upgrade(url, new, Part.AFTER) == ["0003"]
    assert await tables(url, clock) == ["step_0001", "step_0002", "step_0003"]


async def test_the_part_after_waits_until_no_older_process_works(
    url: URL, older: Database, clock: SteppedClock, history: Write
) -> None:
    new = history("before", "after")
    await upgrade(url, new, Part.BEFORE)
    with pytest.raises(UpgradeError, match=r"Older processes still work on clinic: keepwell\.clinic 0001"):
        await upgrade(url, new, Part.AFTER)
    assert await tables(url, clock) == ["step_0001"]
    assert await older_processes(url, new) == ["keepwell.clinic 0001"]


async def test_a_start_brings_in_only_what_older_processes_can_work_with(
    url: URL, older: Database, clock: SteppedClock, history: Write
) -> None:
    assert await upgrade(url, history("before", "after"), Part.FITTING) == ["0001"]
    assert await tables(url, clock) == ["step_0001"]


async def test_a_start_without_older_processes_brings_in_all(url: URL, clock: SteppedClock, history: Write) -> None:
    assert await upgrade(url, history("before", "after"), Part.FITTING) == ["0001", "0002"]
    assert await tables(url, clock) == ["step_0001", "step_0002"]


async def test_a_process_that_tells_no_version_counts_as_older(url: URL, clock: SteppedClock, history: Write) -> None:
    new = history("before", "after")
    await upgrade(url, new, Part.BEFORE)
    nameless = Database(url, schema="clinic", clock=clock)
    async with nameless.reading() as reader:
        await reader.scalar(text("SELECT 1"))
        with pytest.raises(UpgradeError, match=r"keepwell\.clinic\."):
            await upgrade(url, new, Part.AFTER)
    await nameless.close()


async def test_an_upgrade_over_an_unfinished_one_says_what_to_finish(url: URL, older: Database, history: Write) -> None:
    new = history("before", "after", "before")
    with pytest.raises(UpgradeError, match="the after part of an earlier version ahead"):
        await upgrade(url, new, Part.BEFORE)
    assert len(await pending(url, new) or []) == 3


async def test_older_code_leaves_a_newer_schema_as_it_is(url: URL, clock: SteppedClock, history: Write) -> None:
    await upgrade(url, history("before", "before"))
    old = history("before", folder="old")
    assert await pending(url, old) is None
    assert await upgrade(url, old, Part.FITTING) == []
    assert await tables(url, clock) == ["step_0001", "step_0002"]


def test_a_revision_without_a_phase_is_refused(history: Write) -> None:
    with pytest.raises(UpgradeError, match="does not say PHASE"):
        revisions(history("soon").folder)


def test_revisions_that_are_no_single_line_are_refused(history: Write) -> None:
    branched = history("before", "before", "before")
    third = branched.folder / "versions" / "0003.py"
    third.write_text(third.read_text().replace("down_revision = '0002'", "down_revision = '0001'"))
    with pytest.raises(UpgradeError, match="no single line"):
        revisions(branched.folder)


async def test_a_look_tells_the_newest_schema_from_any_other(url: URL, history: Write) -> None:
    known, next_one = history("before"), history("before", "before", folder="next")
    assert not await is_newest(url, known)
    await upgrade(url, known)
    assert await is_newest(url, known)
    assert not await is_newest(url, next_one)
    await upgrade(url, next_one)
    assert await is_newest(url, next_one)
    assert not await is_newest(url, known)


async def test_a_look_that_is_not_let_in_takes_no_schema_for_the_newest(url: URL, history: Write) -> None:
    known = history("before")
    await upgrade(url, known)
    assert not await is_newest(url.set(password="another"), known)
    assert not await is_newest(url.set(port=1), known)


@pytest.mark.parametrize("history", registry.histories(), ids=lambda history: history.service)
def test_revisions_are_read_as_alembic_reads_them(history: History) -> None:
    config = Config()
    config.set_main_option("script_location", str(history.folder))
    scripts = reversed(list(ScriptDirectory.from_config(config).walk_revisions()))
    assert revisions(history.folder) == [Step(script.revision, script.module.PHASE) for script in scripts]


@pytest.mark.parametrize("history", registry.histories(), ids=lambda history: history.service)
def test_every_revision_of_the_product_says_its_phase(history: History) -> None:
    assert revisions(history.folder)
