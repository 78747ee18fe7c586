"""What a service's migrations are, and how far a schema has come: read without Alembic, which takes its time to load.

Every start asks this; only one that finds something to bring in loads what brings it (`shared.database.migrate`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

import asyncpg
from sqlalchemy import MetaData
from sqlalchemy.engine import URL

from shared.database.address import connect

LOOK_WITHIN: Final = 10.0
"""Real seconds that a schema may take to say which version it has."""
_SAYS: Final = re.compile(
    r"^(?P<name>revision|down_revision|PHASE)\b(?:\s*:[^=\n]+)?\s*=\s*(?:None|['\"](?P<value>\w+)['\"])", re.MULTILINE
)
_FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Part(StrEnum):
    """Which part of a history is brought in."""

    BEFORE = "before"
    AFTER = "after"
    WHOLE = "whole"
    FITTING = "fitting"
    """The whole where no older process works on the schema, else what may come before."""


class UpgradeError(Exception):
    """A migration that must wait; the message says for what."""


@dataclass(frozen=True)
class History:
    """Where a service keeps its migrations, and the tables that they must lead to.

    Attributes:
        tables: loads the tables: a start does without those of the services that it does not host.
    """

    service: str
    folder: Path
    tables: Callable[[], MetaData]

    @property
    def head(self) -> str:
        """Return the newest revision that this code knows."""
        return _revisions(self.folder)[-1].revision


def metadata_in(module: str) -> Callable[[], MetaData]:
    """Return what loads a module, once it is asked, and gives the `METADATA` of the tables in it."""

    def load() -> MetaData:
        found: MetaData = import_module(module).METADATA
        return found

    return load


@dataclass(frozen=True)
class Step:
    """A revision of a schema, and the part that it belongs to."""

    revision: str
    phase: str


def working_name(service: str, head: str | None = None) -> str:
    """Return how a process calls itself to the server, so that others see which version works on a schema."""
    return f"keepwell.{service} {head}" if head else f"keepwell.{service}"


def revisions(folder: Path) -> list[Step]:
    """Return a history's revisions with their phases, oldest first.

    Raises:
        UpgradeError: a revision does not say to which part it belongs, or they are no single line.
    """
    return list(_revisions(folder))


@cache
def _revisions(folder: Path) -> tuple[Step, ...]:
    after: dict[str | None, Step] = {}
    files = sorted((folder / "versions").glob("*.py"))
    for file in files:
        said = {found["name"]: found["value"] for found in _SAYS.finditer(file.read_text(encoding="utf-8"))}
        revision, phase = said.get("revision"), said.get("PHASE")
        if phase not in {Part.BEFORE, Part.AFTER}:
            raise UpgradeError(f"{file} does not say PHASE = 'before' or 'after'.")
        if revision is None or "down_revision" not in said:
            raise UpgradeError(f"{file} does not say its revision and its down_revision, each a text in one line.")
        after[said["down_revision"]] = Step(revision, phase)
    line: list[Step] = []
    while step := after.get(line[-1].revision if line else None):
        line.append(step)
    if len(line) != len(files):
        raise UpgradeError(f"The revisions in {folder} are no single line from the first to the last.")
    return tuple(line)


async def is_newest(url: URL, history: History) -> bool:
    """Tell whether a schema lets its role in and is at the newest revision that this code knows.

    It waits for no migration that is under way: what that has brought in is seen all at once. False also says that it
    could not be told; whoever goes on from there meets the reason.

    Args:
        url: of the service's own role.
        history: of that service.
    """
    _, arguments = url.get_dialect()().create_connect_args(url)
    ours = {name: value for name, value in arguments.items() if name != "prepared_statement_cache_size"}
    try:
        connection = await connect(**(ours | {"timeout": LOOK_WITHIN, "command_timeout": LOOK_WITHIN}))
        try:
            found = await connection.fetch(f"SELECT version_num FROM {history.service}.alembic_version")  # noqa: S608 - a service's name
        finally:
            await connection.close()
    except _FAILURES:
        return False
    return [row["version_num"] for row in found] == [history.head]
