"""Start: how long until all is ready, the first time and again, and how much memory that takes."""

import tempfile
from pathlib import Path
from time import perf_counter

import psutil

from benchmarks.figures import Report
from benchmarks.scale import Scale
from benchmarks.stand import child, clean_environment, first_line

MB = 1_000_000


async def run(report: Report, scale: Scale) -> None:
    first: list[float] = []
    again: list[float] = []
    memory: list[float] = []
    own: list[float] = []
    for _ in range(scale.runs):
        with tempfile.TemporaryDirectory(prefix="kwb", dir="/tmp", ignore_cleanup_errors=True) as name:
            for seconds in (first, again):
                environment = clean_environment(
                    KEEPWELL_DATA_DIR=f"{name}/data", KEEPWELL_HTTP_PORT="0", KEEPWELL_LOG_LEVEL="WARNING"
                )
                log = Path(name) / "start.log"
                began = perf_counter()
                async with child("keepwell", "up", "--json", environment=environment, log=log) as running:
                    await first_line(running, log)
                    seconds.append(perf_counter() - began)
                    if seconds is again:
                        mine = psutil.Process(running.pid)
                        own.append(mine.memory_full_info().pss / MB)
                        memory.append(own[-1] + sum(each.memory_full_info().pss for each in _below(mine)) / MB)
    report.add("ready after, the first time", "s", first, remark="a database, a Kafka and a clinic are made")
    report.add("ready after, again", "s", again)
    report.add("memory, everything", "MB", memory, remark="proportional set size: PostgreSQL and Java included")
    report.add("memory, Keepwell itself", "MB", own)


def _below(process: psutil.Process) -> list[psutil.Process]:
    found: list[psutil.Process] = process.children(recursive=True)
    return found
