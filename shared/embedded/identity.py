"""Telling a process from a later one with the same number.

A pid is used again; the pair of pid and birth is not. The birth is opaque text: on Linux the boot's id and the start in
clock ticks since that boot (proc(5), field 22 of stat), elsewhere the start to the second, as ps prints it.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_STATE: Final = 0
_START: Final = 19
"""Positions in /proc/PID/stat counted after the command's closing bracket, since a command may hold blanks."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, for as long as the machine is up."""

    pid: int
    born: str


def identify(pid: int) -> Identity | None:
    """Return who runs under a pid now; None if nobody does, or only the rest of one that has ended."""
    return _from_proc(pid) if sys.platform == "linux" else _from_ps(pid)


def is_alive(identity: Identity) -> bool:
    return identify(identity.pid) == identity


def running_with(argument: str) -> list[Identity]:
    """Return the processes that were started with exactly this argument."""
    if sys.platform == "linux":
        pids = [int(folder.name) for folder in _PROC.iterdir() if folder.name.isdigit()]
        pids = [pid for pid in pids if argument in _arguments(pid)]
    else:
        pids = _pids_by_ps(argument)
    found = [identify(pid) for pid in pids if pid != os.getpid()]
    return [identity for identity in found if identity is not None]


def _from_proc(pid: int) -> Identity | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    if fields[_STATE] in {"Z", "X"}:
        return None
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return Identity(pid, f"{boot}:{fields[_START]}")


def _arguments(pid: int) -> list[str]:
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []  # gone meanwhile, or hidden from us and so none of ours
    return os.fsdecode(raw).split("\0")


def _ps(*arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - fixed program, arguments of our own
        ["/bin/ps", *arguments], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    ).stdout


def _from_ps(pid: int) -> Identity | None:
    state, _, start = _ps("-o", "stat=,lstart=", "-p", str(pid)).strip().partition(" ")
    if not start or state.startswith("Z"):
        return None
    return Identity(pid, " ".join(start.split()))


def _pids_by_ps(argument: str) -> list[int]:
    lines = (line.strip().partition(" ") for line in _ps("-axww", "-o", "pid=,command=").splitlines())
    return [int(pid) for pid, _, command in lines if f" {argument} " in f"{command} "]
