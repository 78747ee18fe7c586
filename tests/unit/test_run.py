import pytest

from tests import run
from tests.run import Outcome


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ran: list[str] = []

    def pretend(suite: str, extra: list[str]) -> Outcome:
        del extra
        ran.append(suite)
        return Outcome(suite, 1, 0, 0, 0.0, 0)

    monkeypatch.setattr(run, "run", pretend)
    monkeypatch.setattr(run, "answers", lambda: False)
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
    for name in ("KEEPWELL_IMAGE", "KEEPWELL_KAFKA_IMAGE", "KEEPWELL_PULL_POLICY", "KEEPWELL_TEST_KAFKA"):
        monkeypatch.setenv(name, "x")
    left = {name for name in run.environment("unit") if name.startswith("KEEPWELL_")}
    assert "KEEPWELL_TEST_KAFKA" in left
    assert not left & {"KEEPWELL_IMAGE", "KEEPWELL_KAFKA_IMAGE", "KEEPWELL_PULL_POLICY"}
    assert run.environment("containers")["KEEPWELL_KAFKA_IMAGE"] == "x"
