"""Addresses of PostgreSQL as people have them, and the one way from an address to a connection.

A hoster's address carries libpq's parameters (`?sslmode=verify-full&sslrootcert=...`), which the driver knows in an
address of its own alone. They keep their usual meaning here: TLS is never weakened, and a parameter that cannot be
honoured is refused by name (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
"""

import os
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

DRIVER: Final = "postgresql+asyncpg"
_SCHEMES: Final = frozenset({"postgres", "postgresql", DRIVER})
_TLS: Final = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword", "sslnegotiation"}
    | {"ssl_min_protocol_version", "ssl_max_protocol_version"}
)
_FILES: Final = frozenset({"sslrootcert", "sslcert", "sslkey", "sslcrl"})
_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OF_THE_DRIVER: Final = frozenset({"ssl", "passfile", "target_session_attrs", "krbsrvname", "gsslib"})
_OURS: Final = frozenset(
    {"application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}
    | {"tcp_user_timeout", "client_encoding"}
)
"""Keepwell sets these itself: each process says its name, and a lost connection is given up after seconds."""
_HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    "channel_binding": frozenset({"disable", "prefer"}),
    "gssencmode": frozenset({"disable", "prefer"}),
}
_NO_TLS: Final = "rejected SSL upgrade"
_REFUSALS: Final[Mapping[str, str]] = {
    "28": "it does not let this role in; check user and password, and the server's pg_hba.conf",
    "3D": "there is no database of this name; make it, or correct the end of the address",
    "42501": "the role may not make what is needed; give it the right to make roles and schemas, or name one that has",
}
"""By the beginning of the SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html"""
_SYSTEM: Final = "system"
_UNKNOWN_AT_START: Final = "unsupported startup parameter"
_OF_ANOTHER_CLIENT: Final = (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError)
"""A new connection has prepared nothing: a name that is taken, or gone, was another client's, and a pooler lent it."""


class DatabaseAddressError(ValueError):
    """An address of PostgreSQL that cannot be used as it stands; the message never holds its password."""

    def __init__(self, why: str) -> None:
        super().__init__(f"KEEPWELL_DATABASE_URL, or a service's own, cannot be used: {why}.")


class PoolerError(Exception):
    """Between Keepwell and PostgreSQL stands a connection pooler."""

    def __init__(self, host: object, port: object) -> None:
        super().__init__(
            f"{host}:{port} is a connection pooler such as PgBouncer, not PostgreSQL. Keepwell keeps connections "
            "of its own and holds locks on them, which a pooler takes away: a text could go out twice. Set the address "
            "of the server behind it (often the same host, port 5432)."
        )


class DatabaseRefusedError(Exception):
    """PostgreSQL answers and does not let Keepwell in or work, which no waiting mends."""

    def __init__(self, url: URL, why: str) -> None:
        super().__init__(f"PostgreSQL at {url.host}:{url.port or 5432}, asked as {url.username}: {why}.")


def refusal_of(error: Exception) -> str | None:
    """Return in words, with the remedy, why an attempt was refused; None where waiting may help."""
    if isinstance(error, ssl.SSLError | asyncpg.ClientConfigurationError) or _NO_TLS in str(error):
        return f"{error}; check sslmode and sslrootcert in the address: the file must hold who signed its certificate"
    if isinstance(error, DatabaseAddressError):
        return str(error).rstrip(".")
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    return next((words for begins, words in _REFUSALS.items() if state.startswith(begins)), None)


def async_url(url: str | URL) -> URL:
    """Return an address with the one driver that is used here, asyncpg.

    Raises:
        DatabaseAddressError: it is no address of PostgreSQL, or has a parameter that cannot be honoured.
    """
    try:
        made = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseAddressError("it is no address such as postgresql://user:password@host:5432/database") from None
    if made.drivername not in _SCHEMES:
        raise DatabaseAddressError(f"it begins with {made.drivername}://, not with postgresql://")
    for name, value in made.query.items():
        _accept(name, value if isinstance(value, str) else value[-1])
    return made.set(drivername=DRIVER)


def _accept(name: str, value: str) -> None:
    if name == "sslmode" and value not in _MODES:
        raise DatabaseAddressError(f"sslmode is {value!r}; it is one of {', '.join(_MODES)}")
    if name == "connect_timeout" and not value.isdecimal():
        raise DatabaseAddressError(f"connect_timeout is {value!r}; it is a number of seconds")
    if name in _HARMLESS and value not in _HARMLESS[name]:
        raise DatabaseAddressError(
            f"{name}={value} cannot be honoured. Take it out; sslmode=verify-full with sslrootcert proves the server"
        )
    known = _TLS | _OF_THE_DRIVER | _OURS | _HARMLESS.keys() | {"connect_timeout", "options"}
    if name not in known:
        raise DatabaseAddressError(f"{name!r} is no parameter known here. Known are: {', '.join(sorted(known))}")


async def connect(**arguments: Any) -> asyncpg.Connection:
    """Open a connection with the driver's own arguments and libpq's parameters.

    Raises:
        PoolerError: it leads to a pooler.
        DatabaseAddressError: a file that it names cannot be read.
    """
    for name in sorted(_FILES & arguments.keys()):
        if arguments[name] != _SYSTEM and not os.access(arguments[name], os.R_OK):
            raise DatabaseAddressError(f"{name} is {arguments[name]!r}, which cannot be read here")
    try:
        connection = await asyncpg.connect(**arguments_of(arguments))
    except asyncpg.PostgresError as error:
        if _UNKNOWN_AT_START in str(error):
            raise PoolerError(arguments.get("host"), arguments.get("port")) from None
        raise
    try:
        # A pooler hands out process numbers of its own, for the one behind it changes.
        real = await connection.fetchval("SELECT pg_backend_pid()")
    except _OF_ANOTHER_CLIENT:
        connection.terminate()
        raise PoolerError(arguments.get("host"), arguments.get("port")) from None
    except BaseException:
        connection.terminate()
        raise
    if real != connection.get_server_pid():
        connection.terminate()
        raise PoolerError(arguments.get("host"), arguments.get("port"))
    return connection


def arguments_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the driver's arguments for its own and libpq's: TLS goes in an address, which it reads as libpq does."""
    left = {name: value for name, value in given.items() if name not in _OURS | _HARMLESS.keys()}
    tls = {name: left.pop(name) for name in sorted(_TLS & left.keys())}
    if (options := left.pop("options", None)) is not None:
        left["server_settings"] = {"options": options} | dict(left.get("server_settings") or {})
    if (seconds := left.pop("connect_timeout", None)) is not None and int(seconds) > 0:
        left["timeout"] = float(seconds)
    if tls.get("sslrootcert") == _SYSTEM:
        # As libpq: the system's authorities are for the strictest mode alone.
        left["ssl"] = ssl.create_default_context()
    elif tls:
        left["dsn"] = f"postgresql://?{urlencode(tls)}"
    return left


def engine_at(url: str | URL, **options: Any) -> AsyncEngine:
    """Return SQLAlchemy's engine for an address, with its `options`; each connection is opened by `connect`."""
    arguments = {**options.pop("connect_args", {}), "async_creator_fn": connect}
    return create_async_engine(async_url(url), connect_args=arguments, **options)
