"""A schema and a role for each service; a role can read no other schema."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from shared.database.address import async_url, engine_at

_LOCK = 0x6B656570  # "keep": one process prepares or migrates at a time


def role_of(service: str) -> str:
    return f"keepwell_{service}"


def service_url(admin: str | URL, service: str, password: str) -> URL:
    """Return the address of the same database under a service's own role."""
    return async_url(admin).set(username=role_of(service), password=password)


async def prepare(admin: str | URL, passwords: Mapping[str, str]) -> None:
    """Create or repair schema and role of each service.

    Args:
        admin: address of a role that may create roles and schemas.
        passwords: the role's password by service.
    """
    engine = engine_at(admin, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            database = (await connection.execute(text("SELECT quote_ident(current_database())"))).scalar_one()
            await connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
            for service, password in passwords.items():
                await _prepare_one(connection, database, service, password)
    finally:
        await engine.dispose()


async def _prepare_one(connection: AsyncConnection, database: str, service: str, password: str) -> None:
    role = role_of(service)
    known = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    # An operator's role that is no superuser may not even take away what a role does not have: that is said once.
    verb, rights = ("ALTER", "") if known.scalar() else ("CREATE", "NOSUPERUSER NOCREATEROLE NOCREATEDB")
    # Role and schema names are our own constants; only the password is data. It goes to the server as a parameter, so
    # that it stands in no statement, which an error would show.
    await connection.execute(text("SELECT set_config('keepwell.password', :secret, true)"), {"secret": password})
    made = f"{verb} ROLE {role} LOGIN {rights} PASSWORD %L"
    await connection.execute(
        text(f"DO $$ BEGIN EXECUTE format('{made}', current_setting('keepwell.password')); END $$")
    )
    await connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {role}"))
    await connection.execute(text(f"REVOKE ALL ON SCHEMA {service} FROM PUBLIC"))
    await connection.execute(text(f"GRANT CONNECT ON DATABASE {database} TO {role}"))
