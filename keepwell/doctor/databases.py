"""PostgreSQL: reached, on the same time, each role in its own schema alone, each schema as this version needs it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from keepwell.doctor.finding import PATIENCE, Finding, Installation
from keepwell.host import registry
from shared.clock import RealClock
from shared.database.address import DatabaseAddressError, PoolerError, engine_at, refusal_of
from shared.database.history import Part
from shared.database.migrate import drift, older_processes, pending
from shared.settings import SERVICES

MOST_SKEW: Final = 2.0
"""Seconds between this machine's clock and the database's that may pass for network delay."""
FAULTS: Final = (
    DatabaseAddressError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
_ROLE: Final = text(
    """
    SELECT clock_timestamp() AS at, current_setting('server_version') AS version, r.rolname AS role,
           r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls AS mighty,
           ARRAY (SELECT n.nspname::text FROM pg_namespace AS n
                  WHERE n.nspname = ANY (:schemas) AND has_schema_privilege(n.nspname, 'USAGE') ORDER BY 1) AS uses
    FROM pg_roles AS r WHERE r.rolname = current_user
    """
)


async def databases(installation: Installation) -> list[Finding]:
    """Look at every role and schema that is known here."""
    urls = installation.databases
    if not urls:
        return [
            Finding("database", well=False, detail="nothing runs here, and no address is set", remedy="keepwell up")
        ]
    found: list[Finding] = []
    seen: dict[str, Any] = {}
    for name, url in urls.items():
        try:
            seen[name] = await _with(url, _look)
        except PoolerError as error:
            detail, _, remedy = str(error).partition(". ")
            found.append(Finding(f"database {name}", well=False, detail=detail, remedy=remedy))
        except FAULTS as error:
            setting = (
                f"KEEPWELL_{name.upper()}__DATABASE_URL" if installation.settings.split else "KEEPWELL_DATABASE_URL"
            )
            why, _, told = (refusal_of(error) or type(error).__name__).partition("; ")
            detail = f"{url.host}:{url.port or 5432} as {url.username}: {why}"
            mend = told or "check the server and the role's password"
            remedy = f"{mend} ({setting}); keepwell migrate makes the roles"
            found.append(Finding(f"database {name}", well=False, detail=detail, remedy=remedy))
    if seen:
        found += [_clock(seen), _roles(seen)]
    for name in seen:
        found += await _schema(name, urls[name])
    return found


async def _with(url: URL, look: Callable[[AsyncConnection], Any]) -> Any:
    arguments = {"server_settings": {"application_name": "keepwell doctor"}, "timeout": PATIENCE}
    engine = engine_at(url, poolclass=NullPool, connect_args=arguments)
    try:
        async with asyncio.timeout(PATIENCE), engine.connect() as connection:
            return await look(connection)
    finally:
        await engine.dispose()


async def _look(connection: AsyncConnection) -> Any:
    before = RealClock().now()
    row = (await connection.execute(_ROLE, {"schemas": list(SERVICES)})).one()
    return row, before, RealClock().now()


def _clock(seen: dict[str, Any]) -> Finding:
    row, before, after = next(iter(seen.values()))
    theirs: datetime = row.at.astimezone(UTC)
    skew = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    detail = f"PostgreSQL {row.version}; its clock and this machine's agree within {skew:.2f} s"
    if skew <= MOST_SKEW:
        return Finding("database", well=True, detail=detail)
    return Finding("clock", well=False, detail=f"the database's is {skew:.1f} s off", remedy="run NTP on both machines")


def _roles(seen: dict[str, Any]) -> Finding:
    flaws: list[str] = []
    for name, (row, _, _) in seen.items():
        others = [schema for schema in row.uses if schema != name]
        if others:
            flaws.append(f"{row.role} can reach {', '.join(others)} too")
        if name not in row.uses:
            flaws.append(f"{row.role} cannot reach {name}")
        if row.mighty:
            flaws.append(f"{row.role} may make roles or databases, or is a superuser")
    if flaws:
        remedy = "give each service a role of its own: keepwell migrate makes and repairs them"
        return Finding("roles", well=False, detail="; ".join(flaws), remedy=remedy)
    return Finding("roles", well=True, detail=f"{', '.join(seen)}: each reaches its own schema and no other")


async def _schema(name: str, url: URL) -> list[Finding]:
    history, what = registry.history(name), f"schema {name}"
    try:
        steps = await pending(url, history)
        older = await older_processes(url, history)
        differences = await drift(url, history) if steps == [] else []
    except FAULTS as error:
        return [Finding(what, well=False, detail=type(error).__name__, remedy="keepwell migrate")]
    if steps is None:
        detail = f"newer than this version, which knows {history.head}: an upgrade is under way"
        return [Finding(what, well=False, detail=detail, remedy="replace this process by the newer version")]
    if any(step.phase == Part.BEFORE for step in steps):
        detail = f"older than this version: {', '.join(step.revision for step in steps)} missing"
        return [Finding(what, well=False, detail=detail, remedy="keepwell migrate --before")]
    if steps:
        waits = f"; older processes still work: {', '.join(older)}" if older else ""
        detail = f"the part after is missing: {', '.join(step.revision for step in steps)}{waits}"
        return [Finding(what, well=False, detail=detail, remedy="replace every process, then keepwell migrate --after")]
    if differences:
        remedy = "somebody changed it by hand: undo that, or restore a backup"
        return [Finding(what, well=False, detail="; ".join(differences), remedy=remedy)]
    return [Finding(what, well=True, detail=f"at {history.head}, as this version needs it")]
