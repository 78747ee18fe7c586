"""The process as an operator knows it: started, stopped, killed, started again, and asked."""

import asyncio
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tests.support.bench import eventually
from tests.support.running import COMMAND, Keepwell, clean_environment, keepwell, run_command

TRIAL = {"KEEPWELL_CLOCK": "steps", "KEEPWELL_TRIAL": "true", "KEEPWELL_SANDBOX__PROFILE": "calm"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kwp", dir="/tmp", ignore_cleanup_errors=True) as place:
        yield Path(place)


@pytest.fixture(scope="module")
async def clinic() -> AsyncIterator[Keepwell]:
    async with keepwell(TRIAL) as running:
        yield running


def family(pid: int) -> list[psutil.Process]:
    me = psutil.Process(pid)
    return [me, *me.children(recursive=True)]


async def gone(processes: list[psutil.Process]) -> None:
    async def all_gone() -> bool:
        return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)

    await eventually(all_gone, seconds=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_every_process_it_started(folder: Path, number: signal.Signals) -> None:
    async with keepwell(TRIAL, folder=folder, loaded=False) as running:
        processes = family(running.process.pid)
        assert {"java", "postgres"} <= {process.name() for process in processes}
        running.process.send_signal(number)
        assert await asyncio.wait_for(running.process.wait(), 40) == 0
        await gone(processes)


async def test_a_signal_while_it_starts_ends_it_too(folder: Path) -> None:
    environment = clean_environment(KEEPWELL_DATA_DIR=str(folder), KEEPWELL_HTTP_PORT="0")
    process = await asyncio.create_subprocess_exec(*COMMAND, "up", "--json", env=environment, stdout=-1, stderr=-1)

    async def child_started() -> bool:
        return len(family(process.pid)) > 1

    await eventually(child_started, seconds=30)
    processes = family(process.pid)
    process.terminate()
    output, _ = await asyncio.wait_for(process.communicate(), 40)
    assert (process.returncode, output) == (0, b"")
    await gone(processes)


async def test_after_a_kill_the_next_start_recovers_and_what_fell_due_is_sent(folder: Path) -> None:
    async with keepwell(TRIAL, folder=folder, loaded=False) as running:
        patient = await running.post(
            "/patients",
            {
                "given_name": "Ana",
                "family_name": "Rivera",
                "zone": "Africa/Abidjan",
                "language": "en",
                "contacts": [
                    {
                        "kind": "sms",
                        "value": "+12025550160",
                        "consents": [{"purpose": "reminders", "how": "paper", "at": "2026-11-01T12:00:00Z"}],
                    }
                ],
            },
            status=201,
        )
        now = await running.now()
        starts = (now + timedelta(days=5)).replace(hour=12, minute=0)
        body = {
            "patient": patient["id"],
            "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
            "minutes": 60,
            "zone": "Africa/Abidjan",
        }
        await running.post("/sessions", body, status=201)
        running.process.kill()
        await running.process.wait()
    async with keepwell(TRIAL, folder=folder, loaded=False) as running:
        await running.live_until(starts - timedelta(days=2))
        messages = (await running.get(f"/patients/{patient['id']}/messages"))["items"]
        assert [(one["purpose"], one["state"]) for one in messages] == [("reminder", "delivered")]


async def test_a_second_start_in_the_same_folder_says_who_holds_it(clinic: Keepwell) -> None:
    code, output, complaint = await clinic.command("up", "--json")
    assert (code, output) == (2, "")
    assert str(clinic.process.pid) in json.loads(complaint.splitlines()[-1])["error"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KEEPWELL_HTTP_PORT", "eighty", "KEEPWELL_HTTP_PORT is 'eighty'"),
        ("KEEPWELL_CLOCK", "steps", "set KEEPWELL_TRIAL=true with it"),
        ("KEEPWELL_HTTP_PROT", "80", "did you mean KEEPWELL_HTTP_PORT?"),
    ],
)
async def test_a_wrong_setting_stops_the_start_with_one_clear_line(
    folder: Path, name: str, value: str, said: str
) -> None:
    environment = clean_environment(KEEPWELL_DATA_DIR=str(folder)) | {name: value}
    code, output, complaint = await run_command("up", environment=environment)
    assert (code, output) == (2, "")
    (line,) = complaint.splitlines()
    assert said in line


async def test_the_doctor_finds_nothing_wrong_with_a_healthy_clinic(clinic: Keepwell) -> None:
    code, output, complaint = await clinic.command("doctor", "--json")
    findings = json.loads(output)
    assert code == 0, (findings, complaint)
    looked_at = {finding["what"] for finding in findings}
    assert {"process", "database", "roles", "schema notifier", "kafka", "topics", "webhooks", "mail"} <= looked_at
    (webhooks,) = [finding for finding in findings if finding["what"] == "webhooks"]
    assert "a signed call is taken" in webhooks["detail"]


async def test_the_doctor_says_that_nothing_runs_and_how_to_start_it(folder: Path) -> None:
    environment = clean_environment(KEEPWELL_DATA_DIR=str(folder))
    code, output, _ = await run_command("doctor", "--json", environment=environment)
    assert code == 1
    process = next(finding for finding in json.loads(output) if finding["what"] == "process")
    assert not process["well"]
    assert process["remedy"] == "keepwell up"


async def test_there_are_no_dead_letters_in_a_new_clinic(clinic: Keepwell) -> None:
    code, output, _ = await clinic.command("dead-letters", "list", "--json")
    assert (code, json.loads(output)) == (0, [])


async def test_a_lost_password_can_be_replaced(clinic: Keepwell) -> None:
    code, output, complaint = await clinic.command("staff", "reset-password", "--json")
    assert code == 0, complaint
    made = json.loads(output)
    assert made["login"] == clinic.lines["login"]["login"]
    assert made["password"] != clinic.lines["login"]["password"]


async def test_a_token_without_a_scope_is_refused_what_needs_it(clinic: Keepwell) -> None:
    code, output, _ = await clinic.command("token", "create", "--name", "reader", "--scope", "read", "--json")
    assert code == 0
    reader = json.loads(output)["token"]
    status, problem = await clinic.call("POST", "/patients", {}, Authorization=f"Bearer {reader}")
    assert status == 403
    assert "'write'" in problem["detail"]
    status, _ = await clinic.call("GET", "/patients", Authorization=f"Bearer {reader}")
    assert status == 200


async def test_without_a_token_nothing_is_told(clinic: Keepwell) -> None:
    for path in ("/patients", "/status", "/alerts", "/protocols"):
        status, problem = await clinic.call("GET", path, Authorization="Bearer forged")
        assert (status, problem["status"]) == (401, 401), path


async def test_no_log_line_holds_a_name_or_a_number(folder: Path) -> None:
    async with keepwell(TRIAL, folder=folder) as running:
        contacts = [{"kind": "sms", "value": "+12025550161", "consents": []}]
        body = {"given_name": "Zenobia", "family_name": "Quillfeather", "zone": "Africa/Abidjan", "language": "en"}
        await running.post("/patients", body | {"contacts": contacts}, status=201)
        await running.live_until(await running.now() + timedelta(days=1))
    log = await asyncio.to_thread((folder / "process.log").read_text)
    for secret in ("Zenobia", "Quillfeather", "2025550161"):
        assert secret not in log
