import pytest

from services.assessments.model.name_hint import name_hint


@pytest.mark.parametrize(
    ("name", "others", "shown"),
    [
        ("Ana", [], None),
        ("Ana", ["Ben"], "A."),
        ("Ana", ["Anton", "Ben"], "Ana"),
        ("Anton", ["Ana"], "Ant."),
        ("Ana", ["ana"], "Ana"),
        ("Ángel", ["Ana"], "Á."),
        ("José", ["Josefa"], "José"),
        ("Josefa", ["José"], "Jose."),
        ("  Ana ", ["Ben"], "A."),
        ("X", ["Xavier"], "X"),
    ],
)
def test_no_more_of_a_name_is_shown_than_tells_people_apart(name: str, others: list[str], shown: str | None) -> None:
    assert name_hint(name, others) == shown
