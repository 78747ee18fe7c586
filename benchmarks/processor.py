"""Processor time by part, of all processes below this one: what a figure is made of, on a busy machine too."""

from collections import Counter

import psutil

_PARTS = (
    ("benchmarks.provider", "provider"),
    ("benchmarks.relay", "relay"),
    ("notifier", "Keepwell"),
    ("assessments", "Keepwell"),
    ("benchmarks.rivals", "workers"),
)
"""What a command line holds, and what its process is called in a table."""


def spent() -> Counter[str]:
    """Return seconds of processor by part since each process began."""
    found: Counter[str] = Counter()
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            # Servers' processes come and go; those that have ended count with the one that started them.
            # A Counter adds fractions as well; its type knows whole numbers alone.
            found[_part(process)] += times.user + times.system + times.children_user + times.children_system  # type: ignore[assignment]
        except psutil.NoSuchProcess:
            continue
    return found


def _part(process: psutil.Process) -> str:
    name = process.name()
    if name.startswith("postgres"):
        return "PostgreSQL"
    if name == "java":
        return "Kafka"
    if name.startswith("redis"):
        return "Redis"
    line = " ".join(process.cmdline())
    return next((part for mark, part in _PARTS if mark in line), "others")
