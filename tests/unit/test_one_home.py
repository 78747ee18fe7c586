"""A clinical fact stands in one place of the code; whoever else needs it takes it from there, or learns it by event."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from services.assessments.model.interval.history import Code
from services.assessments.model.rules import with_bands
from services.assessments.packs import Packs
from services.scheduler.model.catalogue import IV_KETAMINE_2
from shared.evidence import Grade
from shared.instruments import PHQ_9

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted(
    file
    for package in ("keepwell", "services", "shared")
    for file in (ROOT / package).rglob("*.py")
    if "migrations" not in file.parts
)
CATALOGUE = "services/scheduler/model/catalogue.py"


@cache
def constants() -> Counter[tuple[str, object]]:
    """Count what each file writes down: every text and every tuple or list of constants."""
    return Counter((file.relative_to(ROOT).as_posix(), value) for file in SOURCES for value in written_in(file))


def written_in(file: Path) -> Iterator[object]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.Tuple | ast.List) and all(isinstance(one, ast.Constant) for one in node.elts):
            yield tuple(one.value for one in node.elts if isinstance(one, ast.Constant))


def homes_of(value: object) -> list[str]:
    return [file for (file, found), times in constants().items() for _ in range(times) if found == value]


def test_the_ladder_of_intervals_stands_once() -> None:
    assert homes_of(IV_KETAMINE_2.maintenance.ladder) == [CATALOGUE]


def test_the_days_of_the_induction_stand_once() -> None:
    assert homes_of(IV_KETAMINE_2.series[0].days) == [CATALOGUE]


def test_the_days_of_reminders_stand_once() -> None:
    assert homes_of(IV_KETAMINE_2.cadence.reminder_days) == [CATALOGUE]


def test_the_instrument_that_the_interval_follows_is_named_once() -> None:
    assert homes_of(PHQ_9) == ["shared/instruments.py"]


@pytest.mark.parametrize("code", [code.value for code in Code])
def test_the_code_of_a_reason_stands_once(code: str) -> None:
    assert homes_of(code) == ["services/assessments/model/interval/history.py"]


@pytest.mark.parametrize("grade", [grade.value for grade in Grade])
def test_a_grade_stands_once(grade: str) -> None:
    assert homes_of(grade) == ["shared/evidence.py"]


def test_the_bands_stand_in_the_pack_and_the_rule_says_just_those() -> None:
    packs = Packs.load()
    bands = packs.get(PHQ_9).bands
    said = next(rule.text for rule in with_bands(packs.newest) if rule.id == "phq-9-bands")
    assert re.findall(r"(\d+)-(\d+) ([a-z ]+)", said) == [(str(b.lowest), str(b.highest), b.name) for b in bands]
    named = [band.name for band in bands if " " in band.name]
    assert named
    assert not [file for name in named for file in homes_of(name)]
