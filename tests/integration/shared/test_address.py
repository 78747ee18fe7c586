"""Addresses as hosters hand them out: behind TLS, and with a pooler in between."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from services.scheduler.history import HISTORY
from shared.database import Database
from shared.database.address import PoolerError, engine_at, refusal_of
from shared.database.history import is_newest
from shared.database.migrate import pending
from tests.support.certificates import certificates
from tests.support.pgbouncer import pooled
from tests.support.tls_front import with_tls

IGNORED = "search_path,jit,tcp_keepalives_idle,tcp_keepalives_interval,tcp_keepalives_count,tcp_user_timeout"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: as root, PgBouncer runs under an account that must pass through the folders above."""
    with TemporaryDirectory(prefix="kwp", dir="/tmp") as place:
        yield Path(place)


async def answers(url: URL) -> bool:
    engine = engine_at(url, poolclass=NullPool, connect_args={"server_settings": {"search_path": "public"}})
    try:
        async with engine.connect() as connection:
            return bool(await connection.scalar(text("SELECT true")))
    finally:
        await engine.dispose()


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("ignored", ["", IGNORED], ids=["as-installed", "told-to-ignore"])
async def test_a_pooler_in_between_is_never_taken_for_a_wrong_password_or_waited_for(
    database: Database, folder: Path, mode: str, ignored: str
) -> None:
    async with pooled(database.url, folder, mode=mode, ignored=ignored) as url:
        for attempt in (answers(url), is_newest(url, HISTORY), pending(url, HISTORY)):
            with pytest.raises(PoolerError) as refused:
                await attempt
            assert f"{url.port} is a connection pooler" in str(refused.value)


async def test_a_pooler_that_lends_anothers_connection_is_never_a_traceback(database: Database, folder: Path) -> None:
    async with pooled(database.url, folder, mode="transaction", ignored=IGNORED) as url:
        other = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        # What the driver of another process would leave with the server: it counts its names from one.
        await other.execute(";".join(f"PREPARE __asyncpg_stmt_{number:x}__ AS SELECT 1" for number in range(1, 5_000)))
        await other.close()
        with pytest.raises(PoolerError):
            await answers(url)


async def test_postgresql_itself_is_never_taken_for_a_pooler(database: Database) -> None:
    assert await answers(database.url)
    assert await is_newest(database.url, HISTORY)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_tls_in_an_address_is_used_as_it_says(database: Database, folder: Path, mode: str) -> None:
    certificates(folder / "tls")
    root = str(folder / "tls" / "ca.pem")
    async with with_tls(database.url, folder / "tls") as url:
        assert await answers(url.update_query_dict({"sslmode": mode, "sslrootcert": root}))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_certificate_that_somebody_else_signed_is_never_taken(
    database: Database, folder: Path, mode: str
) -> None:
    certificates(folder / "tls")
    certificates(folder / "another")
    root = str(folder / "another" / "ca.pem")
    async with with_tls(database.url, folder / "tls") as url:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await answers(url.update_query_dict({"sslmode": mode, "sslrootcert": root}))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_tls_that_was_asked_for_is_never_left_out_where_the_server_has_none(
    database: Database, folder: Path, mode: str
) -> None:
    certificates(folder / "tls")
    wanted = {"sslmode": mode, "sslrootcert": str(folder / "tls" / "ca.pem")}
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError), match="rejected SSL"):
        await answers(database.url.update_query_dict(wanted))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong"}, "does not let this role in; check user and password"),
        ({"database": "nowhere"}, "no database of this name; make it"),
        ({"query": {"sslmode": "require"}}, "rejected SSL upgrade; check sslmode"),
        ({"query": {"sslmode": "verify-full", "sslrootcert": "/no/such.pem"}}, "such.pem"),
    ],
)
async def test_what_no_waiting_mends_is_never_waited_for(database: Database, change: dict[str, Any], said: str) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - whatever it is, it must be told
        await answers(database.url.set(**change))
    assert said in str(refusal_of(refused.value))


async def test_a_server_that_is_away_is_waited_for(database: Database) -> None:
    with pytest.raises(OSError) as away:  # noqa: PT011 - its kind is the machine's
        await answers(database.url.set(port=1))
    assert refusal_of(away.value) is None
