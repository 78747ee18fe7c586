"""Run the suites one after the other and say what ran: `python -m tests.run [SUITE ...]`.

A suite that ran nothing, or skipped something, has failed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

SUITES = ("unit", "contracts", "integration", "kafka", "browser")
NOTHING_RAN = 5


@dataclass(frozen=True)
class Outcome:
    """What a suite's run came to."""

    suite: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    code: int

    @property
    def well(self) -> bool:
        """Tell whether it ran, whole, and passed."""
        return self.code == 0 and self.passed > 0 and not self.failed and not self.skipped


def run(suite: str, extra: list[str]) -> Outcome:
    """Run one suite in a process of its own."""
    print(f"\n=== {suite}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"tests/{suite}", "-q", f"--junitxml={report}", *extra]
        began = time.monotonic()
        code = subprocess.run(command, check=False).returncode
        seconds = time.monotonic() - began
        counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        if report.exists():
            for node in ET.parse(report).iter("testsuite"):  # noqa: S314 - pytest's own report
                for name in counts:
                    counts[name] += int(node.get(name, 0))
    failed = counts["failures"] + counts["errors"]
    passed = counts["tests"] - failed - counts["skipped"]
    return Outcome(suite, passed, failed, counts["skipped"], seconds, code)


def main() -> int:
    """Run the suites that were asked for; return 0 when each ran whole and passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], help="all by default")
    parser.add_argument("--", dest="extra", nargs="*", default=[], help="passed to pytest")
    asked, extra = parser.parse_known_args()
    outcomes = [run(suite, extra) for suite in asked.suites or SUITES]
    print("\n=== what ran")
    for outcome in outcomes:
        verdict = "ok" if outcome.well else "FAILED" if outcome.failed or outcome.code else "NOT WHOLE"
        line = (
            f"  {outcome.suite:<12} {outcome.passed:>5} passed {outcome.failed:>4} failed {outcome.skipped:>4} skipped"
        )
        print(f"{line} {outcome.seconds:>7.1f} s  {verdict}")
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if all(outcome.well for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
