"""The code of before on the schema of now: an upgrade replaces processes one after the other, not all at once."""

import asyncio
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.running import clean_environment, keepwell, run_command

ROOT = Path(__file__).parent.parent.parent
TRIAL = {"KEEPWELL_CLOCK": "steps", "KEEPWELL_TRIAL": "true", "KEEPWELL_SANDBOX__PROFILE": "calm"}
REMEDY = "fetch more of the history (git fetch --unshallow; in CI fetch-depth: 0) and run this again"
NUMBER = "+12025550190"


def git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"git {' '.join(arguments)}: {done.stderr.strip()}; {REMEDY}")
    return done.stdout.strip()


def commit_before() -> str:
    """Return the last release, or the commit before this one where nothing was released yet."""
    tags = git("tag", "--list", "v*", "--sort=-version:refname").splitlines()
    return tags[0] if tags else git("rev-parse", "--verify", "HEAD~1")


def commit_before_the_newest_migration() -> str:
    """Return the last commit that did not know the newest revision of some schema."""
    newest = git("log", "-1", "--format=%H", "--", "services/*/migrations/versions/*")
    if not newest:
        pytest.fail(f"The history holds no migration; {REMEDY}")
    return git("rev-parse", "--verify", f"{newest}^")


@pytest.fixture(params=[commit_before, commit_before_the_newest_migration], ids=lambda which: which.__name__)
def old_code(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Give the variables under which the code of before runs, in this environment's Python."""
    revision = request.param()
    with tempfile.TemporaryDirectory(prefix="kwo", dir="/tmp") as place:
        packed = Path(place) / "code.tar"
        git("archive", "--output", str(packed), revision, "keepwell", "services", "shared")
        with tarfile.open(packed) as tar:
            tar.extractall(place, filter="data")
        # Without the working directory in front, which holds the code of now, and without settings of now.
        yield {"PYTHONPATH": place, "PYTHONSAFEPATH": "1", "KEEPWELL_PAGE_SECONDS": ""}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kwu", dir="/tmp", ignore_cleanup_errors=True) as place:
        yield Path(place)


async def where_from(environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import keepwell; print(keepwell.__path__[0])", env=environment, stdout=-1
    )
    output, _ = await process.communicate()
    return output.decode().strip()


@pytest.mark.timeout(600)
async def test_the_code_of_before_does_its_work_on_the_schema_of_now(folder: Path, old_code: dict[str, str]) -> None:
    here = clean_environment(KEEPWELL_DATA_DIR=str(folder))
    # What an older version had to take away is done before its successor comes, as docs/operations.md says.
    there = clean_environment(KEEPWELL_DATA_DIR=str(folder), **old_code)
    code, _, complaint = await run_command("migrate", "--json", environment=there)
    assert code == 0, complaint
    code, output, complaint = await run_command("migrate", "--before", "--json", environment=here)
    assert code == 0, complaint
    assert '"revisions"' in output
    async with keepwell(TRIAL | old_code, folder=folder) as running:
        assert (await where_from(running.environment)).startswith(old_code["PYTHONPATH"])
        agreed = [{"purpose": "reminders", "how": "paper", "at": "2026-11-01T12:00:00Z"}]
        contacts = [{"kind": "sms", "value": NUMBER, "consents": agreed}]
        person = {
            "given_name": "Ana",
            "family_name": "Rivera",
            "zone": "Africa/Abidjan",
            "language": "en",
            "contacts": contacts,
        }
        patient = (await running.post("/patients", person, status=201))["id"]
        starts = (await running.now() + timedelta(days=5)).replace(hour=12, minute=0)
        session = {
            "patient": patient,
            "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
            "minutes": 60,
            "zone": "Africa/Abidjan",
        }
        await running.post("/sessions", session, status=201)
        await running.live_until(starts - timedelta(days=2))
        messages = (await running.get(f"/patients/{patient}/messages"))["items"]
        assert [(one["purpose"], one["state"]) for one in messages] == [("reminder", "delivered")]
    code, output, complaint = await run_command("migrate", "--after", "--json", environment=here)
    assert code == 0, complaint


@pytest.mark.timeout(120)
async def test_without_history_the_test_says_what_to_do() -> None:
    with pytest.raises(pytest.fail.Exception, match="git fetch --unshallow"):
        git("rev-parse", "--verify", "HEAD~1000000")
