"""Alembic for a service: its own history, in its own schema, under its own role; and the drift check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_LOCK = 0x6B656571


@dataclass(frozen=True)
class History:
    """Where a service keeps its migrations, and the tables that they must lead to."""

    service: str
    folder: Path
    metadata: MetaData


async def upgrade(url: URL, history: History, revision: str = "head") -> None:
    """Bring a service's schema to a revision; a second caller waits for the first."""
    await _with_connection(url, history, lambda connection: _upgrade(connection, history, revision))


async def drift(url: URL, history: History) -> list[str]:
    """Return what differs between the migrated schema and the tables in the code; nothing when they agree."""
    found: list[str] = []

    def compare(connection: Connection) -> None:
        options: dict[str, Any] = {
            "include_schemas": True,
            "include_name": _only(history.service),
            "version_table_schema": history.service,
            "compare_server_default": False,
        }
        migration = MigrationContext.configure(connection, opts=options)
        found.extend(str(difference) for difference in compare_metadata(migration, history.metadata))

    await _with_connection(url, history, compare)
    return found


async def _with_connection(url: URL, history: History, work: Any) -> None:
    # No search path: with the schema in it, reflection would report tables as schemaless and all would seem to drift.
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"server_settings": {"search_path": "public"}})
    try:
        async with engine.begin() as connection:
            lock = text("SELECT pg_advisory_xact_lock(:key, hashtext(:service))")
            await connection.execute(lock, {"key": _LOCK, "service": history.service})
            await connection.run_sync(work)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, history: History, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(history.folder))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


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
