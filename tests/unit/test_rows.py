"""A row of the database is made into what is meant where it is read, and goes no further."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parent.parent.parent
FILES = sorted(file for file in (ROOT / "services").rglob("*.py") if "migrations" not in file.parts)
ROWS = {"Row", "RowMapping", "asyncpg"}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def names_in(annotation: ast.expr | None) -> set[str]:
    """Return every name of an annotation, also of one in quotes."""
    found: set[str] = set()
    for node in ast.walk(annotation) if annotation is not None else ():
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"\w+", node.value))
    return found


def anything_at_all(annotation: ast.expr | None) -> bool:
    """Tell whether an annotation is a row by another name: a tuple of anything."""
    tuples = (node for node in (ast.walk(annotation) if annotation is not None else ()) if is_tuple(node))
    return any(isinstance(each, ast.Name) and each.id == "Any" for one in tuples for each in parts_of(one))


def is_tuple(node: ast.AST) -> TypeGuard[ast.Subscript]:
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "tuple"


def parts_of(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def rows_that_cross(source: str, *, in_store: bool) -> Iterator[str]:
    """Yield where a row is handed on: by a signature, or kept in a field.

    One signature may take a row: that of a plain function of the store, which makes of it what is meant.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            arguments += [each for each in (node.args.vararg, node.args.kwarg) if each is not None]
            takes = any(ROWS & names_in(each.annotation) for each in arguments)
            makes = in_store and isinstance(node, ast.FunctionDef)
            gives = ROWS & names_in(node.returns) or anything_at_all(node.returns)
            loose = any(anything_at_all(each.annotation) for each in arguments)
            if gives or loose or (takes and not makes):
                yield f"{node.lineno}: {node.name}"
        elif isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and ROWS & names_in(field.annotation):
                    yield f"{field.lineno}: a field of {node.name}"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_row_leaves_the_function_that_reads_it(file: Path) -> None:
    in_store = "store" in {*file.parts, file.stem}
    found = list(rows_that_cross(file.read_text(encoding="utf-8"), in_store=in_store))
    assert not found, f"{name_of(file)} hands on rows of which no type says what is in them: {found}"


@pytest.mark.parametrize(
    "signature",
    [
        "def decide(row: Row[Any]) -> bool: ...",
        "def decide(rows: 'Sequence[Row[Any]]') -> bool: ...",
        "async def decide(tx: Transaction, *, row: sqlalchemy.Row) -> None: ...",
        "async def message(reader: Reader) -> Row[Any] | None: ...",
        "def messages(reader: Reader) -> Sequence[RowMapping]: ...",
        "def pair(reader: Reader) -> tuple[Any, ...]: ...",
        "class Held:\n    row: Row[Any]",
    ],
)
def test_a_row_that_came_back_would_be_found(signature: str) -> None:
    assert list(rows_that_cross(signature, in_store=False))


def test_only_a_plain_function_of_the_store_makes_something_of_a_row() -> None:
    maker = "def message_of(row: Row[Any]) -> Message: ..."
    assert not list(rows_that_cross(maker, in_store=True))
    assert list(rows_that_cross(maker, in_store=False))
    assert list(rows_that_cross(f"async {maker}", in_store=True))
    assert list(rows_that_cross("def first(rows: list[Row[Any]]) -> Row[Any]: ...", in_store=True))
