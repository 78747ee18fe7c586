"""Alembic for a service: its own history, in its own schema, under its own role; and the drift check.

A history comes in two parts, so that it can be brought in while processes of the version before still work: each
revision says `PHASE = "before"` (it only adds: the older code neither misses nor fails on it) or `PHASE = "after"` (it
takes away what only the older code needed, and waits until none of it runs). See docs/operations.md.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from shared.database.address import engine_at
from shared.database.history import History, Part, Step, UpgradeError, revisions, working_name
from shared.telemetry.log import get_logger

T = TypeVar("T")

log = get_logger(__name__)

_LOCK = 0x6B656571
_PROCESSES: Final = text(
    "SELECT DISTINCT application_name FROM pg_stat_activity"
    " WHERE datname = current_database() AND split_part(application_name, ' ', 1) = :name"
)


async def upgrade(url: URL, history: History, part: Part = Part.WHOLE) -> list[str]:
    """Bring a service's schema to its newest version, or a part of the way; a second caller waits for the first.

    A schema that is newer than this code is left as it is: the part of an upgrade that comes before lets the version
    before go on working.

    Returns:
        the revisions that were brought in.

    Raises:
        UpgradeError: the part asked for must wait.
    """
    return await _with_connection(url, history, lambda connection: _upgrade(connection, history, part))


async def pending(url: URL, history: History) -> list[Step] | None:
    """Return the revisions that a schema does not have yet, oldest first; None where it is newer than this code."""
    return await _with_connection(url, history, lambda connection: _pending(connection, history))


async def older_processes(url: URL, history: History) -> list[str]:
    """Return how processes of older code that work on the schema call themselves."""
    return await _with_connection(url, history, lambda connection: _older(connection, history))


async def drift(url: URL, history: History) -> list[str]:
    """Return what differs between the migrated schema and the tables in the code; nothing when they agree."""

    def compare(connection: Connection) -> list[str]:
        options: dict[str, Any] = {
            "include_schemas": True,
            "include_name": _only(history.service),
            "version_table_schema": history.service,
            "compare_server_default": False,
        }
        migration = MigrationContext.configure(connection, opts=options)
        return [str(difference) for difference in compare_metadata(migration, history.tables())]

    return await _with_connection(url, history, compare)


async def _with_connection(url: URL, history: History, work: Callable[[Connection], T]) -> T:
    # No search path: with the schema in it, reflection would report tables as schemaless and all would seem to drift.
    engine = engine_at(url, poolclass=NullPool, connect_args={"server_settings": {"search_path": "public"}})
    try:
        async with engine.begin() as connection:
            lock = text("SELECT pg_advisory_xact_lock(:key, hashtext(:service))")
            await connection.execute(lock, {"key": _LOCK, "service": history.service})
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, history: History, part: Part) -> list[str]:
    steps = _pending(connection, history)
    if steps is None:
        log.warning("schema.newer", service=history.service, known=history.head)
        return []
    wanted = _wanted(connection, history, steps, part)
    if wanted:
        config = _config(history.folder)
        config.attributes["connection"] = connection
        command.upgrade(config, wanted[-1].revision)
    return [step.revision for step in wanted]


def _wanted(connection: Connection, history: History, steps: Sequence[Step], part: Part) -> Sequence[Step]:
    """Return the steps of a part: histories are one line, so a part is a beginning of what is pending."""
    first_after = next((place for place, step in enumerate(steps) if step.phase == Part.AFTER), len(steps))
    if part == Part.WHOLE or first_after == len(steps):
        return steps if part != Part.AFTER else ()
    older = _older(connection, history)
    blocked = any(step.phase == Part.BEFORE for step in steps[first_after:])
    if part == Part.AFTER:
        if first_after > 0:
            raise UpgradeError(
                f"{history.service} has not got what comes before {steps[first_after].revision} yet: "
                "run `keepwell migrate --before`, then replace every process, then `keepwell migrate --after`."
            )
        if older:
            raise UpgradeError(
                f"Older processes still work on {history.service}: {', '.join(older)}. Replace them first; "
                f"{steps[0].revision} takes away what they need."
            )
        return steps[: next((n for n, step in enumerate(steps) if step.phase == Part.BEFORE), len(steps))]
    if part == Part.FITTING and not older:
        return steps
    if blocked:
        raise UpgradeError(
            f"{history.service} still has the after part of an earlier version ahead ({steps[first_after].revision}), "
            "and more comes behind it. Finish that upgrade first (`keepwell migrate --after` of that version), or stop "
            "every process and run `keepwell migrate`."
        )
    return steps[:first_after]


def _pending(connection: Connection, history: History) -> list[Step] | None:
    opts: dict[str, Any] = {"version_table_schema": history.service}
    current = MigrationContext.configure(connection, opts=opts).get_current_revision()
    steps = revisions(history.folder)
    if current is None:
        return steps
    known = [step.revision for step in steps]
    return steps[known.index(current) + 1 :] if current in known else None


def _older(connection: Connection, history: History) -> list[str]:
    ours = working_name(history.service)
    known = {working_name(history.service, step.revision) for step in revisions(history.folder)}
    older = {ours} | known - {working_name(history.service, history.head)}
    found = connection.execute(_PROCESSES, {"name": ours}).scalars()
    return sorted(name for name in found if name in older)


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    return config


def _only(schema: str) -> Any:
    def include(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == schema
        if kind == "table" and name == "alembic_version":
            return False
        return not parents.get("schema_name") or parents["schema_name"] == schema

    return include


def run(service: str, metadata: MetaData) -> None:
    """Run migrations inside Alembic; the only line that a service's `env.py` holds besides its imports."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("Migrations are run by `keepwell migrate`, which gives Alembic its connection.")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=service,
        include_schemas=True,
        include_name=_only(service),
    )
    with context.begin_transaction():
        context.run_migrations()
