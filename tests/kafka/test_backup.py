"""A clinic is backed up, goes on, loses its database, and is set back: nobody hears anything twice."""

import asyncio
import json
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import eventually
from tests.support.running import Keepwell, clean_environment, keepwell, run_command

TRIAL = {"KEEPWELL_CLOCK": "steps", "KEEPWELL_TRIAL": "true", "KEEPWELL_SANDBOX__PROFILE": "calm"}
REMINDED, STOPPED, REFUSED, ASKED, CANCELLED = (f"+120255501{number}" for number in range(70, 75))
STATE_OF_RESTORE = "restored to"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kwb", dir="/tmp", ignore_cleanup_errors=True) as place:
        yield Path(place)


@dataclass
class Clinic:
    """A clinic that runs, as its staff and its patients use it."""

    keepwell: Keepwell

    @property
    def phones(self) -> str:
        return str(self.keepwell.lines["phone"]).removesuffix("/phone")

    async def enrol(self, number: str) -> str:
        agreed = [
            {"purpose": purpose, "how": "paper", "at": "2026-11-01T12:00:00Z"}
            for purpose in ("reminders", "checkins", "booking")
        ]
        body = {
            "given_name": "Ana",
            "family_name": "Rivera",
            "zone": "Africa/Abidjan",
            "language": "en",
            "contacts": [{"kind": "sms", "value": number, "consents": agreed}],
        }
        patient: str = (await self.keepwell.post("/patients", body, status=201))["id"]
        return patient

    async def book(self, patient: str, starts: datetime) -> Any:
        body = {
            "patient": patient,
            "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
            "minutes": 60,
            "zone": "Africa/Abidjan",
            "odd_hour": True,
        }
        return await self.keepwell.post("/sessions", body, status=201)

    async def order(self, path: str) -> None:
        await self.keepwell.post(path, {"reason": "asked by phone"})

    async def ledger(self) -> Any:
        async with self.keepwell.http.get(f"{self.phones}/ledger") as answer:
            return await answer.json()

    async def texts(self) -> Counter[str]:
        """Return how many texts of ours each handset got; what the network itself answered does not count."""
        return Counter(text["to"] for text in (await self.ledger())["messages"] if text["origin"] == "api")

    async def asked_again(self) -> bool:
        """Tell whether the check-in's link went out a second time."""
        return (await self.texts())[ASKED] == 2

    async def say(self, number: str, words: str) -> None:
        async with self.keepwell.http.post(f"{self.phones}/inbound", data={"From": number, "Body": words}) as answer:
            assert answer.status == 201

    async def refuse_calls_to(self, number: str) -> None:
        wanted = {"to": number, "fault": "too-many", "times": 10_000}
        async with self.keepwell.http.post(f"{self.phones}/faults", json=wanted) as answer:
            assert answer.status == 204, await answer.text()

    async def states(self, patient: str) -> list[tuple[str, str, str | None]]:
        listed = (await self.keepwell.get(f"/patients/{patient}/messages"))["items"]
        return [(one["purpose"], one["state"], one["reason"]) for one in listed]

    async def notes(self) -> list[str]:
        async with self.keepwell.http.get(f"{self.keepwell.base}/readyz") as answer:
            told = await answer.json()
            assert answer.status == 200, told
            return list(told["notes"])

    async def run(self, *arguments: str, code: int = 0) -> Any:
        found, output, complaint = await self.keepwell.command(*arguments, "--json")
        assert found == code, (output, complaint)
        return json.loads(output or complaint.splitlines()[-1])


def command_in(folder: Path, **settings: str) -> dict[str, str]:
    return clean_environment(KEEPWELL_DATA_DIR=str(folder), KEEPWELL_HTTP_PORT="0", **settings)


async def restore(file: Path, environment: dict[str, str], *more: str) -> Any:
    code, output, complaint = await run_command("restore", str(file), *more, "--json", environment=environment)
    assert code == 0, complaint
    return json.loads(output)


@pytest.mark.timeout(600)
async def test_after_a_restore_nothing_goes_out_twice_and_nothing_is_forgotten_unseen(  # noqa: PLR0915 - one story
    folder: Path,
) -> None:
    async with keepwell(TRIAL, folder=folder) as running:
        clinic = Clinic(running)
        now = await running.now()
        noon = (now + timedelta(days=5)).replace(hour=12, minute=0, second=0, microsecond=0)
        patients = {number: await clinic.enrol(number) for number in (REMINDED, STOPPED, REFUSED, ASKED, CANCELLED)}
        await clinic.book(patients[REMINDED], noon)
        await clinic.book(patients[STOPPED], noon + timedelta(days=2))
        await clinic.book(patients[REFUSED], noon + timedelta(hours=1))
        cancelled = await clinic.book(patients[CANCELLED], noon + timedelta(days=3))
        today = await clinic.book(patients[ASKED], now + timedelta(hours=2))
        await running.live_until(now + timedelta(hours=4))
        await clinic.order(f"/sessions/{today['id']}/attend")
        made = await clinic.run("backup", str(folder / "clinic.backup"))
        assert await clinic.texts() == {}
        # What follows is lost with the database, but not with the phones.
        await clinic.say(STOPPED, "please stop texting me")
        await clinic.order(f"/sessions/{cancelled['id']}/cancel")
        await clinic.enrol("+12025550180")
        await running.live_until(noon - timedelta(days=3) + timedelta(minutes=30))
        await clinic.refuse_calls_to(REFUSED)
        await running.live_until(noon - timedelta(days=3) + timedelta(hours=1, seconds=3))
        before = await clinic.texts()
        assert before[REMINDED] == 1
        assert before[ASKED] == 1
        assert REFUSED not in before
        refused = await clinic.run("restore", made["file"], code=2)
        assert "stop it first" in refused["error"]
    file = Path(made["file"])
    assert stat.S_IMODE((await asyncio.to_thread(file.stat)).st_mode) == 0o600
    told = await restore(file, running.environment)
    assert told["stops_kept"] == 1
    assert told["patients_in_doubt"] == 1
    lost = json.loads(await asyncio.to_thread(Path(told["report"]).read_text))
    assert lost["types"]["session.cancelled"] == 1
    async with keepwell(TRIAL, folder=folder) as running:
        clinic = Clinic(running)
        await running.live_until(await running.now() + timedelta(minutes=10))
        after = await clinic.texts()
        # The provider shows that one went out and the other did not.
        assert (after[REMINDED], after[REFUSED]) == (1, 1)
        assert await clinic.states(patients[REMINDED]) == [("reminder", "delivered", None)]
        # A check-in's link is another one now: whether it is sent once more is a person's to say.
        assert after[ASKED] == 1
        (waiting,) = await clinic.run("held", "list")
        assert (waiting["purpose"], waiting["patient"]) == ("checkin", patients[ASKED])
        (note,) = await clinic.notes()
        assert STATE_OF_RESTORE in note
        assert (await clinic.run("held", "close", code=1))["held"] == 1
        assert await clinic.run("held", "release", waiting["id"], "--by", "Dr. A") == {"released": 1, "waiting": 0}
        await eventually(clinic.asked_again, seconds=30)
        # The stop holds, though the database had forgotten it; the cancelled session waits for a person.
        await running.live_until(noon + timedelta(hours=1))
        final = await clinic.texts()
        assert final[STOPPED] == before[STOPPED] == 1, "the one text that confirms the stop"
        assert ("reminder", "withheld", "opted_out") in await clinic.states(patients[STOPPED])
        assert CANCELLED not in final
        held = await clinic.run("held", "list")
        assert {one["patient"] for one in held} == {patients[CANCELLED]}
        assert (await clinic.run("held", "drop", "--all"))["dropped"] == len(held)
        assert await clinic.run("held", "close") == {"closed": True, "held": 0}
        assert await clinic.notes() == []
        # One of three days before, one of the day before, whatever happened to the database.
        assert final[REMINDED] == 2
        assert final[REFUSED] == 2


@pytest.mark.timeout(600)
async def test_a_backup_brings_a_clinic_to_another_machine_with_what_was_on_its_way(folder: Path) -> None:
    old, new = folder / "old", folder / "new"
    async with keepwell({}, "up", "clinic", "scheduler", "assessments", folder=old) as running:
        clinic = Clinic(running)
        patient = await clinic.enrol(REMINDED)
        await clinic.book(patient, await now_of(running) + timedelta(days=9))

        async def said() -> bool:
            status = await running.get("/status")
            return status["quiet"] and not any(status["outbox_age_seconds"].values())

        await eventually(said, seconds=30)
        made = await clinic.run("backup", str(folder / "clinic.backup"))
        assert made["events_on_their_way"] >= 3, "the notifier, which does not run, has not heard of anything"
        assert "not in the file" in made["keys"]
        keys = await asyncio.to_thread((old / "keys").read_text)
    code, _, complaint = await run_command("restore", made["file"], "--json", environment=command_in(new))
    assert code == 2
    assert "There are no keys here" in json.loads(complaint.splitlines()[-1])["error"]
    await asyncio.to_thread(shutil.copy, old / "keys", new / "keys")
    checked = await restore(Path(made["file"]), command_in(new), "--check")
    assert checked["whole"]
    told = await restore(Path(made["file"]), command_in(new))
    assert "does not have what was said after the backup" in told["held"]
    assert await asyncio.to_thread((new / "keys").read_text) == keys
    async with keepwell({}, folder=new) as running:
        clinic = Clinic(running)

        async def known() -> bool:
            status, _ = await running.call("GET", f"/patients/{patient}/messages")
            return status == 200

        await eventually(known, seconds=30)
        (session,) = (await running.get(f"/patients/{patient}/sessions"))["items"]
        assert session["state"] == "booked"
        assert len(await clinic.notes()) == 1


async def now_of(running: Keepwell) -> datetime:
    return datetime.fromisoformat((await running.get("/status"))["now"])


@pytest.mark.timeout(120)
async def test_where_there_is_no_clinic_there_is_nothing_to_back_up(folder: Path) -> None:
    code, output, complaint = await run_command("backup", "--json", environment=command_in(folder))
    assert (code, output) == (2, "")
    assert "nothing to back up" in json.loads(complaint.splitlines()[-1])["error"]
    assert not await asyncio.to_thread(lambda: list((folder / "backups").glob("*.backup*")))
