"""What a revision says of its phase is true: the part before takes nothing away."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
REVISIONS = sorted(ROOT.glob("services/*/migrations/versions/*.py"))
TAKES_AWAY = {"drop_table", "drop_column", "drop_constraint", "rename_table", "alter_column", "drop_table_comment"}


def flaws(source: str) -> Iterator[str]:
    """Yield what older code would miss or fail on in a revision that says it comes before."""
    tree = ast.parse(source)
    names = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if names.get("PHASE") != "before":
        return
    (upgrade,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in TAKES_AWAY and not _only_allows(call):
            yield name
        if name == "add_column" and _is_required(call):
            yield "add_column of a required one without a default"


def _only_allows(call: ast.Call) -> bool:
    """Tell whether more is allowed and nothing less: a column may be empty, or a check of its values is gone."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "drop_constraint":
        kinds = [word.value for word in call.keywords if word.arg == "type_"]
        return any(isinstance(kind, ast.Constant) and kind.value == "check" for kind in kinds)
    said = {word.arg: word.value for word in call.keywords if word.arg != "schema"}
    value = said.pop("nullable", None)
    return not said and isinstance(value, ast.Constant) and value.value is True


def _is_required(call: ast.Call) -> bool:
    column = call.args[1]
    assert isinstance(column, ast.Call)
    said = {word.arg: word.value for word in column.keywords}
    nullable = said.get("nullable")
    return isinstance(nullable, ast.Constant) and nullable.value is False and "server_default" not in said


@pytest.mark.parametrize("file", REVISIONS, ids=lambda file: f"{file.parts[-4]}-{file.stem[:4]}")
def test_a_revision_that_comes_before_takes_nothing_away(file: Path) -> None:
    assert list(flaws(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ('op.drop_column("a", "b")', ["drop_column"]),
        ('op.alter_column("a", "b", nullable=False)', ["alter_column"]),
        ('op.alter_column("a", "b", nullable=True, schema="c")', []),
        ('op.alter_column("a", "b", nullable=True, type_=sa.Text())', ["alter_column"]),
        ('op.drop_constraint("a", "b", type_="check")', []),
        ('op.drop_constraint("a", "b", type_="unique")', ["drop_constraint"]),
        ('op.drop_constraint("a", "b")', ["drop_constraint"]),
        ('op.add_column("a", sa.Column("b", nullable=False))', ["add_column of a required one without a default"]),
        ('op.add_column("a", sa.Column("b", nullable=False, server_default="x"))', []),
        ('op.add_column("a", sa.Column("b"))', []),
    ],
)
def test_what_takes_away_is_found(statement: str, found: list[str]) -> None:
    source = f'PHASE = "before"\n\ndef upgrade() -> None:\n    {statement}\n'
    assert list(flaws(source)) == found
    assert list(flaws(source.replace("before", "after"))) == []
