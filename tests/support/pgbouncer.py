"""A PgBouncer for the tests: one that is installed, else Debian's package, unpacked here.

`python -m tests.support.pgbouncer` brings it where there is none and says which one is used.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from shared.embedded.account import give, unprivileged
from shared.embedded.ports import remembered_ports
from tests.support.bench import eventually
from tests.support.packages import unpack

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".venv" / "pgbouncer"
PACKAGES = ("pgbouncer", "libcares2", "libevent-2.1-7")
REMEDY = "No PgBouncer was found. Install one (Debian: apt-get install pgbouncer; macOS: brew install pgbouncer)."
READY_WITHIN = 20.0


def find() -> Path | None:
    path = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=UNPACKED / "usr" / "sbin")
    installed = Path("/usr/sbin/pgbouncer")
    return Path(path) if path else installed if installed.exists() else None


def install() -> None:
    """Bring PgBouncer where there is none and Debian's packages are; say which one is used.

    Raises:
        FileNotFoundError: there is none; with the remedy.
    """
    if find() is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        print("Unpacking Debian's pgbouncer", flush=True)
        unpack(UNPACKED, *PACKAGES)
    print(f"PgBouncer for the tests: {needed()}")


def needed() -> Path:
    """Return PgBouncer; fail with the remedy where there is none."""
    found = find()
    if found is None:
        raise FileNotFoundError(REMEDY)
    return found


@asynccontextmanager
async def pooled(url: URL, folder: Path, *, mode: str, ignored: str = "") -> AsyncIterator[URL]:
    """Put a PgBouncer before a PostgreSQL and give the address by which it is reached.

    Args:
        url: of the PostgreSQL, with user and password.
        folder: for its files; its account must be able to pass through the folders above.
        mode: `session` or `transaction`.
        ignored: what it takes no notice of when a client begins, with commas, as operators set it when it complains.
    """
    port = remembered_ports(folder / "ports.json", ["pgbouncer"])["pgbouncer"]
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={url.host} port={url.port} user={url.username} password={url.password}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\nignore_startup_parameters = {ignored}\n",
        encoding="utf-8",
    )
    account = unprivileged()
    for path in (folder, config):
        give(account, path)
    process = await asyncio.create_subprocess_exec(
        str(needed()),
        "-q",
        str(config),
        env={"LD_LIBRARY_PATH": ":".join(str(found) for found in (UNPACKED / "usr" / "lib").glob("*-linux-*"))},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
    )
    try:
        await eventually(lambda: _listens(port, process), seconds=READY_WITHIN)
        yield url.set(host="127.0.0.1", port=port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process) -> bool:
    assert process.returncode is None, f"PgBouncer ended with {process.returncode}"
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


if __name__ == "__main__":
    try:
        install()
    except FileNotFoundError as error:
        sys.exit(str(error))
