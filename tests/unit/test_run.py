import os
import re
import sys
from pathlib import Path
from threading import Barrier

import pytest

from tests import run
from tests.conftest import LONGEST
from tests.containers.conftest import SHARING
from tests.run import Outcome


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    ran: list[str] = []

    def pretend(suite: str, extra: list[str], mark: str = "") -> Outcome:
        del extra, mark
        ran.append(suite)
        return Outcome(suite, 1, 0, 0, 0.0, 0)

    monkeypatch.setattr(run, "run", pretend)
    monkeypatch.setattr(run, "answers", lambda: False)
    monkeypatch.setattr(run, "TIMES", tmp_path / "cache" / "suites.json")
    return ran


def code_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["tests.run", *arguments])
    return run.main()


def test_without_a_docker_engine_the_other_suites_run_and_a_line_says_what_did_not(
    nothing_runs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(monkeypatch) == 0
    assert "containers" not in nothing_runs
    assert {"unit", "kafka"} <= set(nothing_runs)
    assert "NOT RUN: no Docker engine" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("--whole",), ("containers",)])
def test_what_was_asked_for_and_could_not_run_is_a_failure(
    nothing_runs: list[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    assert code_of(monkeypatch, *arguments) == 1


def test_the_variables_of_the_compose_file_reach_the_containers_suite_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEEPWELL_IMAGE", "KEEPWELL_KAFKA_IMAGE", "KEEPWELL_PULL_POLICY", "KEEPWELL_LOG_LEVEL"):
        monkeypatch.setenv(name, "x")
    left = {name for name in run.environment("unit") if name.startswith("KEEPWELL_")}
    assert "KEEPWELL_LOG_LEVEL" in left
    assert not left & {"KEEPWELL_IMAGE", "KEEPWELL_KAFKA_IMAGE", "KEEPWELL_PULL_POLICY"}
    assert run.environment("containers")["KEEPWELL_KAFKA_IMAGE"] == "x"


def test_suites_of_two_lanes_run_side_by_side_and_what_kills_and_counts_alone_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, running, seen = Barrier(2), set[str](), dict[str, set[str]]()
    pair = ("integration", "kafka")
    asked = ("unit", "integration", "kafka", "containers", "torment")

    def pretend(suite: str, extra: list[str], mark: str = "") -> Outcome:
        del extra
        running.add(suite)
        if suite in pair:
            both.wait(timeout=20)
            assert mark.strip() == f"{suite:<11} |"
        seen[suite] = running - {suite}
        if suite in pair:
            both.wait(timeout=20)
        running.remove(suite)
        return Outcome(suite, 1, 0, 0, 0.0, 0)

    monkeypatch.setattr(run, "run", pretend)
    ran = run.run_all(asked, [])
    assert [outcome.suite for outcome in ran] == list(asked)
    assert seen[pair[0]] == {pair[1]}
    assert seen["containers"] == seen["torment"] == set()


def test_a_suite_never_runs_without_the_rounds_naming_it() -> None:
    named = [suite for lanes in run.ROUNDS for lane in lanes for suite in lane]
    assert sorted(named) == sorted((*run.SUITES, run.FAULTS, run.TORMENT))


def test_what_a_suite_begins_with_is_there() -> None:
    root = Path(__file__).parents[2]
    assert [path for path in LONGEST if not (root / path).exists()] == []


def test_each_line_of_a_suite_beside_another_says_whose_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    command = (
        sys.executable,
        "-c",
        "import sys; print('one'); sys.stdout.flush(); print('two', file=sys.stderr); exit(3)",
    )
    code, _ = run._said(command, dict(os.environ), "unit | ")
    assert code == 3
    assert sorted(capfd.readouterr().out.splitlines()) == ["unit | one", "unit | two"]


def test_the_processor_that_a_suites_processes_took_is_never_left_out(
    nothing_runs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass"
    started = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    code, processor = run._said((sys.executable, "-c", started), dict(os.environ), "")
    assert code == 0
    assert processor > 0.3
    monkeypatch.setattr(run, "run", lambda suite, *_: Outcome(suite, 1, 0, 0, 9.0, 0, processor=12.3))
    code_of(monkeypatch, "unit")
    assert "9.0 s    12.3 s of processor" in capsys.readouterr().out


def test_what_will_run_is_said_beforehand_with_the_time_that_it_took_last(
    nothing_runs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code_of(monkeypatch, "unit", "kafka", "torment")
    first = capsys.readouterr().out
    assert "Side by side: unit (not timed here yet); kafka (not timed here yet)" in first
    assert "Alone: torment (not timed here yet)" in first
    assert first.index("Side by side") < first.index("=== what ran")
    code_of(monkeypatch, "unit", "kafka")
    assert "unit (0 s last time); kafka (0 s last time)" in capsys.readouterr().out


def test_a_part_of_a_suite_says_nothing_of_how_long_the_whole_takes(
    nothing_runs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code_of(monkeypatch, "unit", "--exitfirst")
    assert not run.TIMES.exists()
    run.TIMES.parent.mkdir()
    run.TIMES.write_text("no JSON", encoding="utf-8")
    code_of(monkeypatch, "unit")
    assert "unit (not timed here yet)" in capsys.readouterr().out


def test_a_file_that_a_suite_runs_by_name_is_there() -> None:
    root = Path(__file__).parents[2]
    named = {
        (path.relative_to(root).as_posix(), name)
        for path in (root / "tests").rglob("*.py")
        for name in re.findall(r'"(tests/[a-z0-9_/]+\.py)"', path.read_text(encoding="utf-8"))
    }
    assert named
    assert {(where, name) for where, name in named if not (root / name).is_file()} == set()


def test_a_kafka_that_is_there_already_is_never_shared_by_two_processes() -> None:
    assert "--numprocesses=2" in run.processes("kafka", {})
    assert run.processes("kafka", {"TEST_KAFKA": "127.0.0.1:9092"}) == ()
    assert run.processes("unit", {}) == ()


def test_no_file_of_the_containers_brings_up_the_shared_stack_a_second_time() -> None:
    asking = [file.name for file in Path("tests/containers").glob("test_*.py") if "(stack: Stack" in file.read_text()]
    assert sorted(asking) == sorted(SHARING)
