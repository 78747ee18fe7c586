"""SIGTERM in the middle of sending: what is in flight ends, nothing is lost, nothing is said twice."""

import asyncio
import json
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import eventually
from tests.support.running import Keepwell, keepwell

SPEED = 60
SETTINGS = {"KEEPWELL_CLOCK": f"x{SPEED}", "KEEPWELL_TRIAL": "true", "KEEPWELL_SANDBOX__PROFILE": "calm"}
STOP_SECONDS = 20
"""The setting's default."""
MORNING = "2026-12-01T09:00:00+00:00"
"""Where trial time begins: nobody is texted at night."""
DUE_IN = timedelta(minutes=40)
"""Time to book: forty real seconds."""
NUMBERS = [f"+120255502{index:02}" for index in range(40)]
FEW_CALLS = {"KEEPWELL_NOTIFIER__CONCURRENCY": "8"}
"""Few calls at once, so that the signal finds some under way, some waiting and some not begun."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kws", dir="/tmp", ignore_cleanup_errors=True) as place:
        yield Path(place)


def phones(running: Keepwell) -> str:
    return str(running.lines["phone"]).removesuffix("/phone")


async def texts(running: Keepwell) -> list[Any]:
    async with running.http.get(f"{phones(running)}/ledger") as answer:
        return [text for text in (await answer.json())["messages"] if text["origin"] == "api"]


async def book(running: Keepwell, number: str, starts: datetime) -> None:
    agreed = [{"purpose": "reminders", "how": "paper", "at": "2026-11-01T12:00:00Z"}]
    contacts = [{"kind": "sms", "value": number, "consents": agreed}]
    person = {
        "given_name": "Ana",
        "family_name": "Rivera",
        "zone": "Africa/Abidjan",
        "language": "en",
        "contacts": contacts,
    }
    patient = (await running.post("/patients", person, status=201))["id"]
    body = {
        "patient": patient,
        "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
        "minutes": 60,
        "zone": "Africa/Abidjan",
        "odd_hour": True,
    }
    await running.post("/sessions", body, status=201)


@pytest.mark.timeout(600)
async def test_a_stop_in_the_middle_of_sending_loses_nothing_and_repeats_nothing(folder: Path) -> None:
    await asyncio.to_thread((folder / "clock.json").write_text, json.dumps({"trial": MORNING}))
    async with keepwell(SETTINGS | FEW_CALLS, folder=folder) as running:
        now = datetime.fromisoformat((await running.get("/status"))["now"])
        starts = (now + DUE_IN + timedelta(days=3)).replace(second=0, microsecond=0)
        await asyncio.gather(*(book(running, number, starts) for number in NUMBERS))
        order = {"fault": "slow-answer", "times": 10_000}
        async with running.http.post(f"{phones(running)}/faults", json=order) as answer:
            assert answer.status == 204

        async def some_are_out() -> int:
            count = len(await texts(running))
            return count if count >= 5 else 0

        assert await eventually(some_are_out, seconds=150) < len(NUMBERS) - 8, "the stop would come after the work"
        loop = asyncio.get_running_loop()
        began = loop.time()
        running.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(running.process.wait(), STOP_SECONDS + 10)
        took = loop.time() - began
    assert code == 0
    assert took <= STOP_SECONDS
    async with keepwell(SETTINGS | FEW_CALLS, folder=folder) as running:
        assert (await running.get("/status"))["unknown_attempts"] == 0, "a call under way was cut off"

        async def all_are_out() -> bool:
            return len(await texts(running)) >= len(NUMBERS)

        await eventually(all_are_out, seconds=60)
        assert Counter(text["to"] for text in await texts(running)) == Counter(NUMBERS)
        assert (await running.get("/status"))["dead_letters"] == 0
