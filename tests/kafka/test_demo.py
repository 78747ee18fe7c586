"""The demonstration as a user runs it: a clinic that fills and lives by itself, and goes on after a restart."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import aiohttp
import pytest

from tests.support.loaded import start
from tests.support.running import COMMAND, clean_environment, run_command

PATIENTS = 4
LIVED_WITHIN = 300
"""Seconds in which the past is lived, beside busy neighbours too."""


class Visit:
    """A visitor's view of a running demonstration."""

    def __init__(self, lines: dict[str, Any], token: str, http: aiohttp.ClientSession) -> None:
        self.lines = lines
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http = http

    async def get(self, path: str) -> Any:
        async with self._http.get(f"{self.lines['api']}{path}", headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def sessions(self) -> dict[str, list[str]]:
        """Return the states of each patient's sessions, by external id."""
        patients = (await self.get("/patients"))["items"]
        return {
            patient["external_id"]: [
                session["state"] for session in (await self.get(f"/patients/{patient['id']}/sessions"))["items"]
            ]
            for patient in patients
        }


@asynccontextmanager
async def demonstration(folder: Path) -> AsyncIterator[Visit]:
    environment = clean_environment(KEEPWELL_DATA_DIR=str(folder), KEEPWELL_HTTP_PORT="0")
    arguments = ("demo", "--patients", str(PATIENTS), "--json")
    process = await start((*COMMAND, *arguments), env=environment, stdout=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LIVED_WITHIN):
            lines = json.loads(await process.stdout.readline())
        place = environment | {"KEEPWELL_DATA_DIR": str(folder / "demo")}
        code, output, complaint = await run_command("token", "create", "--name", "t", "--json", environment=place)
        assert code == 0, complaint
        async with aiohttp.ClientSession() as http:
            yield Visit(lines, json.loads(output)["token"], http)
    finally:
        process.terminate()
        assert await process.wait() == 0


async def proposals(visit: Visit) -> dict[str, set[str]]:
    """Return the directions of each patient's proposals by state, over all patients."""
    found: dict[str, set[str]] = {}
    for patient in (await visit.get("/patients"))["items"]:
        for one in (await visit.get(f"/patients/{patient['id']}/proposals"))["items"]:
            found.setdefault(one["state"], set()).add(one["direction"])
    return found


@pytest.mark.timeout(600)
async def test_a_visitor_finds_a_proposal_each_way_and_an_alert_and_the_clinic_goes_on_after_a_restart() -> None:
    # As root PostgreSQL runs as another account, which pytest's own temporary folders would keep out.
    with tempfile.TemporaryDirectory(prefix="kwd", dir="/tmp", ignore_cleanup_errors=True) as place:
        async with demonstration(Path(place)) as visit:
            assert visit.lines["phone"]
            assert visit.lines["mail"]
            found = await proposals(visit)
            assert found["open"] == {"shorten", "lengthen"}
            assert "hold" in found["held"]
            taken_on = (await visit.get("/alerts?state=acknowledged"))["items"]
            assert "high" in {alert["level"] for alert in taken_on}
            before = await visit.sessions()
        async with demonstration(Path(place)) as visit:
            after = await visit.sessions()
    assert set(after) == {f"made-up-{index:04}" for index in range(PATIENTS)}
    assert all(len(after[who]) >= len(states) for who, states in before.items())
    assert sum(states.count("attended") for states in after.values()) > 20
