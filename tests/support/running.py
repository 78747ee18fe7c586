"""Keepwell as a user has it: the command in a process of its own, with nothing but settings, and its interface."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import PIPE
from typing import Any

import aiohttp

from shared.settings import PREFIX
from tests.support.loaded import Process, start

COMMAND = (sys.executable, "-m", "keepwell")
START_WITHIN = 90


@dataclass
class Keepwell:
    """A Keepwell that runs."""

    process: Process
    lines: dict[str, Any]
    http: aiohttp.ClientSession
    environment: dict[str, str]
    token: str = ""

    @property
    def base(self) -> str:
        """Return the address that everything is below."""
        return str(self.lines["api"]).removesuffix("/api/v1")

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Call the interface for programs; return status and body."""
        sent = {"Authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        async with self.http.request(method, f"{self.lines['api']}{path}", json=body, headers=sent) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> Any:
        """Return what a GET answers, which must succeed."""
        status, body = await self.call("GET", path)
        assert status == 200, (status, body)
        return body

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Return what a POST answers, which must have this status."""
        found, answer = await self.call("POST", path, body or {})
        assert found == status, (found, answer)
        return answer

    async def live_until(self, instant: datetime) -> int:
        """Live in trial time; return how many events there were."""
        answer = await self.post("/trial/clock", {"to": instant.isoformat()})
        return int(answer["events"])

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self.get("/trial/clock"))["now"])

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command beside it; return exit code, output and errors."""
        return await run_command(*arguments, environment=self.environment)


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings of Keepwell and no others.

    Pages are given time: a busy machine is no database that stands still. What is set to nothing is left out.
    """
    bare = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {f"{PREFIX}PAGE_SECONDS": "60"} | settings
    return bare | {name: value for name, value in given.items() if value}


async def run_command(*arguments: str, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run `keepwell`; return exit code, output and errors."""
    process = await start((*COMMAND, *arguments), env=environment, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def _log_in(data_dir: Path) -> Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    return data_dir / "process.log"


@asynccontextmanager
async def keepwell(
    settings: Mapping[str, str],
    *arguments: str,
    folder: Path | None = None,
    program: Sequence[str] = COMMAND,
    loaded: bool = True,
) -> AsyncIterator[Keepwell]:
    """Start `keepwell up --json`, wait until it says that it is ready, and stop it by SIGTERM at the end.

    It starts loaded (see `loaded`), unless its own start is what is tested.

    Its data lies in a folder of its own right below /tmp: as root PostgreSQL runs as another account, which pytest's
    own temporary folders would keep out.
    """
    with tempfile.TemporaryDirectory(prefix="kwr", dir="/tmp", ignore_cleanup_errors=True) as place:
        async with _keepwell(
            folder or Path(place), (*program, *(arguments or ("up",))), settings, loaded=loaded
        ) as running:
            yield running


@asynccontextmanager
async def _keepwell(
    data_dir: Path, command: Sequence[str], settings: Mapping[str, str], *, loaded: bool
) -> AsyncIterator[Keepwell]:
    environment = clean_environment(**{"KEEPWELL_DATA_DIR": str(data_dir), "KEEPWELL_HTTP_PORT": "0"} | dict(settings))
    log = await asyncio.to_thread(_log_in, data_dir)
    with log.open("wb") as errors:
        process = await start((*command, "--json"), env=environment, stdout=PIPE, stderr=errors, loaded=loaded)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_WITHIN):
            line = await process.stdout.readline()
        assert line, f"Keepwell did not start:\n{log.read_text()[-4000:]}"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=280)) as http:
            running = Keepwell(process, json.loads(line), http, environment)
            code, output, complaint = await running.command("token", "create", "--name", "test", "--json")
            assert code == 0, complaint
            running.token = json.loads(output)["token"]
            yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                await process.wait()
