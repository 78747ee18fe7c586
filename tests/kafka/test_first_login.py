"""The first person gets in, and what lets them in stands in no log."""

import asyncio
import json
import tempfile
from pathlib import Path

from tests.support.running import keepwell


async def test_the_named_administrator_gets_in_once_and_nothing_secret_stays_in_a_log() -> None:
    settings = {"KEEPWELL_ADMIN_NAME": "Dana Ruiz", "KEEPWELL_SANDBOX__ENABLED": "true"}
    with tempfile.TemporaryDirectory(prefix="kwl", dir="/tmp", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        async with keepwell(settings, folder=folder) as running:
            assert running.lines["login"]["login"] == "dana.ruiz"
            assert running.lines["login"]["password"] is None
            secret = folder / "first-login.json"
            assert secret.stat().st_mode & 0o077 == 0
            code, output, complaint = await running.command("staff", "first-login", "--json")
            assert code == 0, complaint
            shown = json.loads(output)
            assert shown["login"] == "dana.ruiz"
            code, output, complaint = await running.command("staff", "first-login")
            assert (code, output) == (2, "")
            assert "already" in complaint
        written = await asyncio.to_thread(lambda: (folder / "process.log").read_text() + secret.read_text())
        assert shown["password"] not in written


async def test_without_a_name_nobody_can_log_in_until_the_operator_gives_one() -> None:
    with tempfile.TemporaryDirectory(prefix="kwl", dir="/tmp", ignore_cleanup_errors=True) as place:
        async with keepwell({"KEEPWELL_SANDBOX__ENABLED": "true"}, folder=Path(place)) as running:
            assert running.lines["login"]["login"] is None
            code, _, complaint = await running.command("staff", "first-login")
            assert code == 2
            assert "--admin 'Dana Ruiz'" in complaint
            code, output, complaint = await running.command("staff", "first-login", "--admin", "Dana Ruiz", "--json")
            assert code == 0, complaint
            assert json.loads(output)["login"] == "dana.ruiz"
            code, _, complaint = await running.command("staff", "first-login", "--admin", "Eve Moss")
            assert code == 2
            assert "Somebody can log in already" in complaint
