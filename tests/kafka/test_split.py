"""A service by itself, with its own role's address and nothing else, as in a container."""

import asyncio
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from shared.database.database_roles import role_of
from shared.embedded.ports import remembered_ports
from shared.protection import Keyring
from shared.settings import SERVICES
from tests.support.bench import eventually
from tests.support.databases import Databases, own_url
from tests.support.loaded import start
from tests.support.running import COMMAND, clean_environment, run_command


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kws", dir="/tmp", ignore_cleanup_errors=True) as place:
        yield Path(place)


@asynccontextmanager
async def process(folder: Path, name: str, **settings: str) -> AsyncIterator[str]:
    """Run `keepwell up NAME` and give its address at once, ready or not."""
    port = remembered_ports(folder / "ports.json", (name,))[name]
    environment = clean_environment(KEEPWELL_DATA_DIR=str(folder / name), KEEPWELL_HTTP_PORT=str(port), **settings)
    with (folder / f"{name}.log").open("wb") as log:
        running = await start((*COMMAND, "up", name), env=environment, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            await running.wait()


async def readiness(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as answer:
        return answer.status, (await answer.json())["problems"]


async def test_a_service_with_its_own_role_alone_waits_for_the_migration_and_says_so(
    folder: Path, kafka: str, databases: Databases
) -> None:
    admin = await databases.empty()
    common = {"KEEPWELL_KAFKA_BOOTSTRAP_SERVERS": kafka}
    own = {f"KEEPWELL_{name.upper()}__DATABASE_URL": own_url(admin, name) for name in SERVICES}
    alone = {name: value for name, value in own.items() if "NOTIFIER" in name}
    async with process(folder, "notifier", **common, **alone, KEEPWELL_KEYS=Keyring.generate()) as url:

        async def waits() -> bool:
            try:
                status, problems = await readiness(url)
            except aiohttp.ClientError:
                return False
            assert status == 503
            return "keepwell migrate" in problems[0] or "does not let it in" in problems[0]

        await eventually(waits, seconds=30)
        environment = clean_environment(
            KEEPWELL_DATA_DIR=str(folder / "migrate"), KEEPWELL_DATABASE_URL=admin, **common, **own
        )
        code, output, complaint = await run_command("migrate", "--json", environment=environment)
        assert code == 0, complaint
        assert json.loads(output)["migrated"]

        async def ready() -> bool:
            return await readiness(url) == (200, [])

        await eventually(ready, seconds=30)
    connection = await asyncpg.connect(own_url(admin, "notifier"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM notifier.messages") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetchval("SELECT count(*) FROM clinic.patients")
        assert await connection.fetchval("SELECT current_user") == role_of("notifier")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("service", "settings", "said"),
    [
        ("notifier", {}, "KEEPWELL_KEYS is missing"),
        ("clinic", {"KEEPWELL_KEYS": Keyring.generate()}, "KEEPWELL_CLINIC__DATABASE_URL is missing"),
    ],
)
async def test_a_service_that_lacks_what_it_shares_does_not_start(
    folder: Path, service: str, settings: dict[str, str], said: str
) -> None:
    environment = clean_environment(
        KEEPWELL_DATA_DIR=str(folder),
        KEEPWELL_HTTP_PORT="0",
        KEEPWELL_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9",
        KEEPWELL_NOTIFIER__DATABASE_URL="postgresql://keepwell_notifier:n@127.0.0.1:9/keepwell",
        **settings,
    )
    code, output, complaint = await run_command("up", service, environment=environment)
    assert (code, output) == (2, "")
    assert said in complaint


async def test_a_migration_without_an_address_that_may_make_roles_says_which_it_needs(folder: Path) -> None:
    environment = clean_environment(
        KEEPWELL_DATA_DIR=str(folder),
        KEEPWELL_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9",
        KEEPWELL_NOTIFIER__DATABASE_URL="postgresql://keepwell_notifier:n@127.0.0.1:9/keepwell",
    )
    code, _, complaint = await run_command("migrate", environment=environment)
    assert code == 2
    assert "KEEPWELL_DATABASE_URL is missing" in complaint


async def test_the_sandbox_by_itself_needs_neither_database_nor_kafka(folder: Path) -> None:
    account = {
        "KEEPWELL_TWILIO_BASE_URL": "http://127.0.0.1:9",
        "KEEPWELL_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "KEEPWELL_TWILIO_AUTH_TOKEN": "made-up",
        "KEEPWELL_TWILIO_FROM": "+15005550006",
        "KEEPWELL_PUBLIC_URL": "http://keepwell.localhost:8080",
    }
    async with process(folder, "sandbox", **account) as url:

        async def ready() -> bool:
            try:
                return await readiness(url) == (200, [])
            except aiohttp.ClientError:
                return False

        await eventually(ready, seconds=30)
        async with aiohttp.ClientSession() as http, http.get(f"{url}/sandbox/ledger") as answer:
            assert (await answer.json())["messages"] == []


async def test_the_sandbox_by_itself_asks_for_the_account_that_it_stands_in_for(folder: Path) -> None:
    environment = clean_environment(KEEPWELL_DATA_DIR=str(folder), KEEPWELL_HTTP_PORT="0")
    code, _, complaint = await run_command("up", "sandbox", environment=environment)
    assert code == 2
    assert "KEEPWELL_TWILIO_ACCOUNT_SID and KEEPWELL_TWILIO_AUTH_TOKEN and KEEPWELL_PUBLIC_URL" in complaint
