"""PostgreSQL's own `pg_dump` and `pg_restore`: found, chosen by version, run without a password in sight."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from keepwell.backups.errors import BackupError
from shared.embedded.errors import NotInstalledError
from shared.embedded.wheels import postgres_programs

_DEBIAN: Final = Path("/usr/lib/postgresql")
_TAIL: Final = 1500
_LIBPQ: Final[Mapping[str, str]] = {
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "options": "PGOPTIONS",
    "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
"""What an address may say beyond host and name, each with the variable that says it to PostgreSQL's own programs."""


def dump_program(server: int) -> Path:
    """Return a `pg_dump` that can read a server of this major version: the oldest that is new enough."""
    return _choose("pg_dump", server)


def restore_program(server: int, dumped_with: int) -> Path:
    """Return a `pg_restore` that reads what `pg_dump` of a major version wrote, for a server of another."""
    return _choose("pg_restore", max(server, dumped_with))


def major_of(program: Path) -> int:
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if found is None:
        raise BackupError(f"{program} does not tell its version: {said.strip()!r}.")
    return int(found.group(1))


async def run(program: Path, *arguments: str, url: URL) -> None:
    """Run a program on a database.

    Raises:
        BackupError: it failed; the message has the end of what it said.
    """
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env=_environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise BackupError(
            f"{program.name} ended with code {process.returncode}: {said.decode(errors='replace')[-_TAIL:]}"
        )


def _environment(url: URL) -> Mapping[str, str]:
    """Return the variables that lead a program to a database; a command line would show the password to everybody."""
    query = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    named = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("ssl") or query.get("sslmode"),
        **{variable: query.get(name) for name, variable in _LIBPQ.items()},
    }
    passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "PGSSLROOTCERT") if name in os.environ}
    return passed_on | {name: value for name, value in named.items() if value}


@cache
def _choose(name: str, needed: int) -> Path:
    found = {major_of(program): program for program in reversed(_candidates(name))}
    fitting = sorted(version for version in found if version >= needed)
    if not fitting:
        have = ", ".join(f"{program} ({version})" for version, program in sorted(found.items())) or "none"
        raise BackupError(
            f"This needs {name} of PostgreSQL {needed} or newer; found: {have}. "
            f"Install the client programs (Debian: postgresql-client-{needed}) and put them on PATH."
        )
    return found[fitting[0]]


def _candidates(name: str) -> list[Path]:
    """Return the programs of a name: on PATH, of Debian's packages, and of the embedded PostgreSQL."""
    on_path = shutil.which(name)
    found = [Path(on_path)] if on_path else []
    found += sorted(_DEBIAN.glob(f"*/bin/{name}"))
    try:
        found.append(postgres_programs() / name)
    except NotInstalledError:
        return found
    return [program for program in found if os.access(program, os.X_OK)]
