import ast
from pathlib import Path

from services.assessments.model.rules import RULES
from services.scheduler.model.catalogue import PROTOCOLS
from shared.evidence import Grade

ROOT = Path(__file__).parent.parent.parent.parent


def test_the_grades_of_evidence_are_named_in_one_place_alone() -> None:
    homes = [
        file.relative_to(ROOT).as_posix()
        for package in ("keepwell", "services", "shared")
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name == "Grade"
    ]
    assert homes == ["shared/evidence.py"]


def test_protocols_and_rules_are_graded_by_the_same_words() -> None:
    graded = [rule.grade for rule in RULES] + [one.grade for p in PROTOCOLS for one in p.cadence.provenance]
    assert all(type(grade) is Grade for grade in graded)
