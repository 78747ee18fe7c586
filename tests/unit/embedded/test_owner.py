import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.embedded.errors import AlreadyOwnedError, DataDirectoryError
from shared.embedded.owner import owned


def test_a_second_start_is_told_who_holds_the_folder_and_since_when(tmp_path: Path) -> None:
    with owned(tmp_path), pytest.raises(AlreadyOwnedError) as refused, owned(tmp_path):
        pass
    assert refused.value.pid == os.getpid()
    assert refused.value.since.endswith("UTC")
    assert f"process {os.getpid()}" in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_the_folder_is_free_again_when_its_owner_lets_go(tmp_path: Path) -> None:
    with owned(tmp_path / "new"):
        pass
    with owned(tmp_path / "new"):
        pass


def test_a_child_that_lives_on_does_not_keep_the_lock(tmp_path: Path) -> None:
    with owned(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    with child, owned(tmp_path):
        assert child.poll() is None
        child.kill()


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match="name another directory"), owned(tmp_path / "file" / "inside"):
        pass
