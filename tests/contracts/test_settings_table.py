import re
from pathlib import Path

import pytest

from keepwell.tools.settings_table import FILE, placed
from shared.settings import known_names, names_and_fields

MANUAL = FILE.read_text(encoding="utf-8")
ROOT = Path(__file__).parent.parent.parent


def test_the_table_of_settings_in_the_manual_is_the_generated_one() -> None:
    assert placed(MANUAL) == MANUAL, "run `make settings`"


@pytest.mark.parametrize(("name", "field"), list(names_and_fields()), ids=lambda value: str(value)[:40])
def test_every_setting_says_what_it_means(name: str, field: object) -> None:
    assert getattr(field, "description", None), name


def test_a_manual_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        placed("# Operations")


def test_the_manual_names_no_setting_that_there_is_not() -> None:
    named = {name.removesuffix("_FILE").rstrip("_") for name in re.findall(r"KEEPWELL_[A-Z0-9_]+", MANUAL)}
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    unknown = {name for name in named - set(known_names()) if name not in compose}
    assert not unknown


def test_the_manual_links_to_files_that_are_there() -> None:
    for target in re.findall(r"\]\(([^)#h][^)#]*)", MANUAL):
        assert (FILE.parent / target).exists(), target


def test_the_manual_names_no_command_that_there_is_not() -> None:
    from keepwell.cli.main import app  # noqa: PLC0415 - only this test loads the commands

    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {group.name for group in app.registered_groups if group.name}
    blocks = re.findall(r"`(keepwell [^`]+)`", MANUAL) + re.findall(r"^    (keepwell .*)$", MANUAL, re.MULTILINE)
    named = {block.split()[1] for block in blocks}
    assert named <= known, named - known
    assert {"backup", "restore", "doctor", "migrate", "held"} <= named
