"""SQL stays in the store, and what is published comes from a command, a handler or a route."""

import ast
from pathlib import Path

import pytest

NOTIFIER = Path(__file__).parent.parent.parent.parent / "services" / "notifier"
FILES = sorted(file for file in NOTIFIER.rglob("*.py") if "migrations" not in file.parts and file.stem != "tables")


def name_of(file: Path) -> str:
    return file.relative_to(NOTIFIER).as_posix()


def imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def sql_in(source: str) -> set[str]:
    ways = ("sqlalchemy", "asyncpg", "services.notifier.tables")
    return {name for name in imported(source) if name.startswith(ways)}


def published_in(source: str) -> set[str]:
    return {name for name in imported(source) if name.startswith(("shared.bus", "services.notifier.commands"))}


# What a service is made of, and what it forgets in time, its composition says by its tables.
OUTSIDE = [file for file in FILES if "store" not in file.parts and name_of(file) != "service.py"]
STORE = [file for file in FILES if "store" in file.parts]


@pytest.mark.parametrize("file", OUTSIDE, ids=name_of)
def test_no_sql_is_written_outside_the_store(file: Path) -> None:
    assert not sql_in(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", STORE, ids=name_of)
def test_the_store_decides_nothing_and_publishes_nothing(file: Path) -> None:
    assert not published_in(file.read_text(encoding="utf-8"))


def test_sql_and_publishing_that_came_back_would_be_found() -> None:
    assert sql_in("from sqlalchemy import text")
    assert sql_in("from services.notifier.tables import MESSAGES")
    assert published_in("from shared.bus import publish")
