"""The disk of the database is full for a while: orders are refused, nothing is lost, nothing goes out twice."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import RealClock
from tests.faults.caller import UnansweredError
from tests.faults.record import Order
from tests.faults.stage import Stage, staged

pytestmark = pytest.mark.timeout(600)
MEGABYTE = 1 << 20
SIZE = 400
"""Megabytes; a new cluster needs about a quarter."""


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, which can be filled without harm."""
    if os.geteuid() != 0:
        pytest.fail("A disk of its own is mounted for this test, which takes root: run it as root, or `-k 'not disk'`.")
    with tempfile.TemporaryDirectory(prefix="kwf", dir="/tmp", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)
        disk = Path(place) / "disk"
        disk.mkdir()
        subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=755", "tmpfs", disk], check=True)
        try:
            yield disk
        finally:
            subprocess.run(["/usr/bin/umount", "-l", disk], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to the last byte and return the file that does it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return ballast


async def test_a_full_disk_loses_nothing_and_doubles_nothing(small_disk: Path) -> None:
    async with staged(database_folder=small_disk / "postgres") as stage:
        people = [await stage.patient() for _ in range(12)]
        sessions = {}
        for number, patient, zone in people:
            made = await stage.caller.order("POST", "/sessions", stage.booking(patient, zone), Order(RealClock().now()))
            sessions[number] = made["id"]
        await stage.settled()
        for session in list(sessions.values())[:6]:
            await stage.due_now(session)
        ballast = fill(small_disk)
        refused = await until_refused(stage)
        ballast.unlink()
        await stage.database_serves()
        for session in list(sessions.values())[6:]:
            await stage.due_now(session)
        await stage.settled()
        assert refused
        assert {number: await stage.reminders(number) for number in sessions} == dict.fromkeys(sessions, 1)


async def until_refused(stage: Stage) -> bool:
    """Enrol until there is no room for it; return whether that came."""
    for _ in range(5000):
        try:
            await stage.patient(within=5)
        except UnansweredError:
            return True
    return False
