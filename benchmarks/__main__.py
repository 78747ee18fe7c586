"""`python -m benchmarks [NAME ...] [--quick] [--json FILE]`: measure, and print tables."""

import argparse
import asyncio
import json
import os
import platform
import signal
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from benchmarks.figures import Report
from benchmarks.scale import FULL, QUICK, Scale
from shared.telemetry.log import configure

NAMES = ("firing", "sending", "latency", "answers", "recovery", "start", "search", "simulation")
Run = Callable[[Report, Scale], Awaitable[None]]


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    model = platform.processor()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        names = [
            line.partition(":")[2].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "cores": os.cpu_count(),
        "processor": model,
        "python": platform.python_version(),
        "system": platform.platform(),
        "load_before": os.getloadavg()[0],
    }


async def measure(names: Sequence[str], scale: Scale, console: Console) -> list[dict[str, Any]]:
    """Run benchmarks one after the other and show each as it is done."""
    task = asyncio.current_task()
    if task is not None:
        # The servers that a benchmark started stop with it.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    found = []
    for name in names:
        report = Report(name)
        run: Run = import_module(f"benchmarks.{name}").run
        load = os.getloadavg()[0]
        await run(report, scale)
        report.show(console)
        found.append(report.as_json() | {"load_before": load})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--quick", action="store_true", help="fewer rows and messages: minutes, not a quarter of an hour"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's value there")
    chosen = parser.parse_args()
    configure(level="WARNING")
    console = Console(width=None if os.isatty(1) else 140)
    here = machine()
    console.print(
        f"{here['cores']} cores of {here['processor']}, Python {here['python']}, load {here['load_before']:.2f} before"
    )
    found = uvloop.run(measure(chosen.names or NAMES, QUICK if chosen.quick else FULL, console))
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": here, "benchmarks": found}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
