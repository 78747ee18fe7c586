"""Run the suites one after the other and say what ran: `python -m tests.run [SUITE ...]`.

A suite that ran nothing, or skipped something, has failed. The containers need a Docker engine: where none answers,
that suite is left out and a line says so; `--whole`, and asking for it by name, make that a failure.

Suites of different lanes run side by side, for each waits most of its time; every line then says whose it is. The
containers and the torment, which kill and count, come after the others, each alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.containers.engine import answers

SUITES = ("unit", "contracts", "integration", "kafka", "browser", "containers")
FAULTS, TORMENT = "faults", "torment"
"""Named places to die at, clocks, a full disk; and 60 kills under five thousand texts. Both take long, so they are run
where they are asked for: by `make faults`, and in CI."""
CONTAINERS = "containers"
WHERE = {
    FAULTS: ("tests/faults", "--ignore=tests/faults/test_torment.py"),
    TORMENT: ("tests/faults/test_torment.py", "-s"),
}
"""What pytest is given for a suite whose folder has not its name; the torment says how far it is, and what it saw."""
PROCESSES = {"integration": 3, "kafka": 2, "containers": 2}
"""Suites that wait more than they count, each with its processes: each has a PostgreSQL and a Kafka of its own, and of
the containers one the stack that most tests share, one those that bring up their own."""
TEST_KAFKA = "TEST_KAFKA"
"""Names a Kafka that is there already: one process alone can make its topics anew."""
ROUNDS = (
    (("unit", "contracts", "integration"), ("kafka",), (FAULTS, "browser")),
    ((CONTAINERS,),),
    ((TORMENT,),),
)
"""Round by round, the suites that run side by side, lane by lane. The last two need the whole machine: beside each
other they take as long as one after the other."""
TIMES = Path(__file__).parent.parent / ".pytest_cache" / "suites.json"
"""How many seconds each suite took when it last ran whole, on this machine."""


def last_times() -> dict[str, float]:
    """Return how long suites took when they last ran; none where nothing is on record or it cannot be read."""
    try:
        found = json.loads(TIMES.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: float(seconds) for name, seconds in found.items()} if isinstance(found, dict) else {}


def keep_times(outcomes: Sequence["Outcome"]) -> None:
    """Keep how long the suites took that ran whole."""
    known = last_times() | {outcome.suite: round(outcome.seconds, 1) for outcome in outcomes if outcome.well}
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def announce(suites: Sequence[str]) -> None:
    """Say what will run, what beside what, and how long that took last time."""
    known = last_times()

    def took(suite: str) -> str:
        return f"{suite} ({known[suite]:.0f} s last time)" if suite in known else f"{suite} (not timed here yet)"

    for lanes in rounds_of(suites):
        how = "Side by side" if len(lanes) > 1 else "Alone"
        print(f"{how}: " + "; ".join(", then ".join(map(took, lane)) for lane in lanes))
    sys.stdout.flush()


@dataclass(frozen=True)
class Outcome:
    """What a suite's run came to.

    Attributes:
        seconds: of the clock.
        processor: seconds of it, of all processes that the suite started and that ended as they should; what was
            killed above others counts for itself alone.
    """

    suite: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    code: int
    processor: float = 0.0

    @property
    def well(self) -> bool:
        """Tell whether it ran, whole, and passed."""
        return self.code == 0 and self.passed > 0 and not self.failed and not self.skipped


def run(suite: str, extra: list[str], mark: str = "") -> Outcome:
    """Run one suite in a process of its own; `mark` begins each of its lines."""
    print(f"{mark}=== {suite}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        where = WHERE.get(suite, (f"tests/{suite}",))
        command = [
            sys.executable,
            "-m",
            "pytest",
            *where,
            "-q",
            "--durations=8",
            "--durations-min=5",
            f"--junitxml={report}",
            *processes(suite, os.environ),
            *extra,
        ]
        began = time.monotonic()
        code, processor = _said(command, environment(suite), mark)
        seconds = time.monotonic() - began
        counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        if report.exists():
            for node in ET.parse(report).iter("testsuite"):  # noqa: S314 - pytest's own report
                for name in counts:
                    counts[name] += int(node.get(name, 0))
    failed = counts["failures"] + counts["errors"]
    passed = counts["tests"] - failed - counts["skipped"]
    return Outcome(suite, passed, failed, counts["skipped"], seconds, code, processor)


def _said(command: Sequence[str], environment: dict[str, str], mark: str) -> tuple[int, float]:
    """Run a command, pass on what it says line by line, and return its code and the processor seconds that it took."""
    told = {"PYTHONUNBUFFERED": "1", **environment} if mark else environment
    output, errors = (subprocess.PIPE, subprocess.STDOUT) if mark else (None, None)
    with subprocess.Popen(command, env=told, stdout=output, stderr=errors) as process:
        for line in process.stdout or ():
            sys.stdout.write(f"{mark}{line.decode(errors='replace')}")
            sys.stdout.flush()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def rounds_of(suites: Sequence[str]) -> list[list[list[str]]]:
    """Return the rounds that these suites fill: in each its lanes, in each lane its suites in order."""
    rounds = [[lane for every in lanes if (lane := [suite for suite in every if suite in suites])] for lanes in ROUNDS]
    return [lanes for lanes in rounds if lanes]


def run_all(suites: Sequence[str], extra: list[str]) -> list[Outcome]:
    """Run suites round after round, those of different lanes side by side; return what they came to."""
    width = max(map(len, suites), default=0)
    outcomes: list[Outcome] = []
    for lanes in rounds_of(suites):

        def drive(lane: Sequence[str], *, beside: bool = len(lanes) > 1) -> list[Outcome]:
            return [run(suite, extra, f"{suite:<{width}} | " if beside else "") for suite in lane]

        with ThreadPoolExecutor(max_workers=len(lanes)) as drivers:
            outcomes += [outcome for lane in drivers.map(drive, lanes) for outcome in lane]
    return outcomes


def processes(suite: str, given: Mapping[str, str]) -> Sequence[str]:
    """Return what has pytest run a suite in several processes, none where one alone can."""
    if suite not in PROCESSES or (suite == "kafka" and TEST_KAFKA in given):
        return ()
    # In the order of tests/conftest.py: xdist's own takes the number of a file's tests for the time that they take.
    return (f"--numprocesses={PROCESSES[suite]}", "--dist=loadfile", "--no-loadscope-reorder")


def environment(suite: str) -> dict[str, str]:
    """Return a suite's environment: docker-compose.yml's variables are no settings; only the containers know them."""
    if suite == CONTAINERS:
        return dict(os.environ)
    return {name: value for name, value in os.environ.items() if not _is_composes(name)}


def _is_composes(name: str) -> bool:
    return name.startswith("KEEPWELL_") and (name.endswith("_IMAGE") or name == "KEEPWELL_PULL_POLICY")


def main() -> int:
    """Run the suites that were asked for; return 0 when each ran whole and passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "suites", nargs="*", choices=[*SUITES, FAULTS, TORMENT, []], help="those of `make test` by default"
    )
    parser.add_argument("--whole", action="store_true", help="a suite that cannot run here fails")
    parser.add_argument("--", dest="extra", nargs="*", default=[], help="passed to pytest")
    asked, extra = parser.parse_known_args()
    wanted = list(asked.suites or SUITES)
    absent = CONTAINERS in wanted and not answers()
    running = [suite for suite in wanted if not (absent and suite == CONTAINERS)]
    announce(running)
    outcomes = run_all(running, extra)
    if not extra:  # a choice of tests says nothing of a whole suite
        keep_times(outcomes)
    print("\n=== what ran")
    for outcome in outcomes:
        verdict = "ok" if outcome.well else "FAILED" if outcome.failed or outcome.code else "NOT WHOLE"
        line = (
            f"  {outcome.suite:<12} {outcome.passed:>5} passed {outcome.failed:>4} failed {outcome.skipped:>4} skipped"
        )
        print(f"{line} {outcome.seconds:>7.1f} s {outcome.processor:>7.1f} s of processor  {verdict}")
    if absent:
        print("  containers   NOT RUN: no Docker engine with `docker compose` answers here")
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    needed = asked.whole or CONTAINERS in asked.suites
    return 0 if all(outcome.well for outcome in outcomes) and not (absent and needed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
