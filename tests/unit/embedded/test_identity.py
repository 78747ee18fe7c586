import os
import subprocess
import sys

import pytest

from shared.embedded.identity import Identity, identify, is_alive, running_with

SLEEP = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]

both_ways = pytest.mark.parametrize("platform", ["linux", "darwin"])
"""The second way asks ps, which every Unix has."""


@both_ways
def test_a_process_keeps_its_identity(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    me = identify(os.getpid())
    assert me is not None
    assert me == identify(os.getpid())
    assert is_alive(me)


@both_ways
def test_the_same_pid_with_another_birth_is_another_process(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert not is_alive(Identity(os.getpid(), "another birth"))


@both_ways
def test_what_has_ended_is_not_alive_even_before_it_was_waited_for(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        who = identify(child.pid)
        assert who is not None
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.close()
        child.stdout.read()  # its end is closed when it ends
        while identify(child.pid) is not None:
            pass
        assert not is_alive(who)


@both_ways
def test_processes_are_found_by_one_exact_argument(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    command = [*SLEEP, "-Dfolder=/a b/one"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert [found.pid for found in running_with("-Dfolder=/a b/one")] == [child.pid]
        assert running_with("-Dfolder=/a b/on") == []
        assert child.stdin is not None
        child.stdin.close()
