"""Simulation: patient-days a second of `keepwell simulate`, start and stop of all parts included."""

import json
import tempfile
from pathlib import Path

from benchmarks.figures import Report
from benchmarks.scale import Scale
from benchmarks.stand import child, clean_environment, first_line


async def run(report: Report, scale: Scale) -> None:
    rates, flaws = [], 0
    with tempfile.TemporaryDirectory(prefix="kwb", dir="/tmp", ignore_cleanup_errors=True) as name:
        log = Path(name) / "simulate.log"
        for seed in range(1, scale.runs + 1):
            options = ["--patients", str(scale.patients), "--days", str(scale.days), "--seed", str(seed), "--json"]
            async with child("keepwell", "simulate", *options, environment=clean_environment(), log=log) as running:
                result = json.loads(await first_line(running, log))
                flaws += await running.wait()
            rates.append(scale.patients * scale.days / result["wall_s"])
    remark = f"{scale.patients} patients, {scale.days} days, another seed each"
    report.add("patient-days", "1/s", rates, remark=f"{remark}; {flaws} runs with findings")
