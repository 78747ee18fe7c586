"""A PostgreSQL 18 of this process, on a data directory of its own."""

import asyncio
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from tempfile import mkdtemp
from typing import Final
from urllib.parse import quote

import asyncpg

from shared.embedded.account import Account, give, let_reach, unprivileged
from shared.embedded.errors import DataDirectoryError, StartError
from shared.embedded.leftovers import StopStep, stop_leftovers
from shared.embedded.owner import data_folder, owned
from shared.embedded.ports import LOOPBACK, remembered_ports, write_durably
from shared.embedded.postgres_settings import DATABASE, INITDB, LOG_FOLDER, MAJOR, SUPERUSER, command, settings
from shared.embedded.progress import Progress, Report, silent
from shared.embedded.server import Program, Server
from shared.embedded.wheels import postgres_programs

STOPPING: Final = (
    StopStep(Signals.SIGINT, 15),  # "fast": sessions are ended, then a checkpoint
    StopStep(Signals.SIGQUIT, 5),  # "immediate": recovers from its log at the next start
    StopStep(Signals.SIGKILL, 5),
)

_START_SECONDS: Final = 60.0
"""Recovery after a crash replays at most `max_wal_size`; a first answer comes within a second otherwise."""

_CLUSTER: Final = "cluster"
_UNFINISHED: Final = "unfinished-"


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where the server is.

    Attributes:
        host: always the loopback address.
        port: the same at every start, unless it was taken.
        user: a superuser.
        password: its password, made for this data directory; never to be logged.
        database: an empty database, made at the first start.
        server: the child, for a test that plants faults and for figures.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    server: Server

    @property
    def url(self) -> str:
        """The address as SQLAlchemy wants it, for asyncpg."""
        return f"postgresql+asyncpg://{self.user}:{quote(self.password)}@{self.host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        return f"PostgresAddress({self.host}:{self.port}/{self.database})"


@asynccontextmanager
async def postgres(data_dir: Path, *, progress: Report | None = None) -> AsyncIterator[PostgresAddress]:
    """Run a PostgreSQL 18 while the context is open; the data outlives it.

    It listens on loopback alone. Roles that are made with a password log in with it (SCRAM). Where we are root it runs
    as the account `keepwell`, which is made if need be and is let through the folders above `data_dir`.

    Args:
        data_dir: its folder, made if need be; any length. One start at a time holds it.
        progress: told what the start is doing.

    Raises:
        NotInstalledError: if the wheel is not installed.
        AlreadyOwnedError: if another start holds the folder.
        DataDirectoryError: if the folder is not ours, or was made by another PostgreSQL.
        AccountError: if we are root and there is no account to run it as.
        StartError: if it does not start.
    """
    report = progress or silent
    programs = postgres_programs()
    folder = data_folder(data_dir)
    with owned(folder):
        cluster = folder / _CLUSTER
        if await stop_leftovers(folder, marker=str(cluster), steps=STOPPING):
            report(Progress("Stopped a PostgreSQL that an earlier run had left behind"))
        account = _prepare(folder, programs, report)
        password = _password(folder)
        if not cluster.exists():
            report(Progress("Making a database for the first time"))
            await asyncio.to_thread(_initialise, programs, folder, password, account)
        _check_version(cluster)
        port = remembered_ports(folder / "ports.json", ["postgres"])["postgres"]
        report(Progress("Starting PostgreSQL"))
        server = _server(programs, folder, port, password, account)
        try:
            await server.start()
            async with server.watched():
                await _ensure_database(port, password)
                yield PostgresAddress(LOOPBACK, port, SUPERUSER, password, DATABASE, server)
        finally:
            await server.stop()


def _prepare(folder: Path, programs: Path, report: Report) -> Account | None:
    """Make the folders; return the account to run as."""
    account = unprivileged()
    logs = folder / LOG_FOLDER
    logs.mkdir(exist_ok=True, mode=0o700)
    give(account, logs)
    for opened in (*let_reach(account, folder / _CLUSTER), *let_reach(account, programs / "postgres")):
        if account is not None and opened != folder:
            report(Progress(f"Let the account {account.name} pass through {opened}"))
    for unfinished in folder.glob(f"{_UNFINISHED}*"):
        # An initdb without its owner may be writing there still: then it goes the next time.
        shutil.rmtree(unfinished, ignore_errors=True)
    return account


def _password(folder: Path) -> str:
    """Return the superuser's password: made once, kept beside the cluster, readable by its owner alone."""
    file = folder / "password"
    if not file.exists():
        write_durably(file, secrets.token_urlsafe(32))
    return file.read_text()


def _initialise(programs: Path, folder: Path, password: str, account: Account | None) -> None:
    """Make a cluster, whole or not at all: it gets its name when it is done."""
    work = Path(mkdtemp(prefix=_UNFINISHED, dir=folder))
    secret = work / "password"
    write_durably(secret, password)
    give(account, secret)
    give(account, work)
    made = subprocess.run(  # noqa: S603 - a program of the wheel, arguments of our own
        [programs / "initdb", f"--pgdata={work / _CLUSTER}", f"--pwfile={secret}", *INITDB],
        cwd=work,
        env={"LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=() if account else None,
    )
    if made.returncode != 0:
        raise StartError("initdb", f"ended with code {made.returncode}", log=folder, tail=made.stdout + made.stderr)
    (work / _CLUSTER).rename(folder / _CLUSTER)
    shutil.rmtree(work)


def _check_version(cluster: Path) -> None:
    found = (cluster / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise DataDirectoryError(
            f"{cluster} was made by PostgreSQL {found}, this is {MAJOR}. Dump it with the older version and load it "
            "into an empty data directory."
        )


def _server(programs: Path, folder: Path, port: int, password: str, account: Account | None) -> Server:
    logs = folder / LOG_FOLDER
    program = Program(
        name="PostgreSQL",
        command=command(programs / "postgres", folder / _CLUSTER, settings(port, logs)),
        folder=folder,
        output=folder / "start.log",
        log=logs,
        stopping=STOPPING,
        start_seconds=_START_SECONDS,
        environment={"LC_ALL": "C", "TZ": "UTC"},
        account=account,
    )

    async def answers() -> bool:
        try:
            connection = await _connect(port, password)
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        await connection.close()
        return True

    return Server(program, answers)


async def _connect(port: int, password: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=LOOPBACK, port=port, user=SUPERUSER, password=password, database="postgres", ssl=False, timeout=5
    )


async def _ensure_database(port: int, password: str) -> None:
    connection = await _connect(port, password)
    try:
        if not await connection.fetchval("select exists (select from pg_database where datname = $1)", DATABASE):
            await connection.execute(f"create database {DATABASE}")
    finally:
        await connection.close()
