"""PostgreSQL refuses to run as root: where we are root, it runs as an account that may nothing else."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.embedded.errors import USE_OWN_DATABASE, AccountError

NAME: Final = "keepwell"
_ON_MACOS: Final = "_postgres"
"""macOS brings this account, and no useradd."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the machine."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """Return the account to run PostgreSQL as: None, that is our own, unless we are root.

    Raises:
        AccountError: if we are root, and there is no such account and no way to make one.
    """
    if os.geteuid() != 0:
        return None
    name = _ON_MACOS if sys.platform == "darwin" else NAME
    return _find(name) or _make(name)


def give(account: Account | None, path: Path) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)


def let_reach(account: Account | None, path: Path) -> list[Path]:
    """Let an account pass through the folders above a path, by the search bit alone; nothing becomes readable.

    Returns:
        The folders that had to be changed.
    """
    if account is None:
        return []
    closed = [folder for folder in path.resolve().parents if not _may_pass(account, folder)]
    for folder in closed:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
    return closed


def _may_pass(account: Account, folder: Path) -> bool:
    about = folder.stat()
    if about.st_uid == account.uid:
        return bool(about.st_mode & stat.S_IXUSR)
    if about.st_gid == account.gid:
        return bool(about.st_mode & stat.S_IXGRP)
    return bool(about.st_mode & stat.S_IXOTH)


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid)


def _make(name: str) -> Account:
    useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    if useradd is not None:
        subprocess.run(  # noqa: S603 - fixed arguments
            [useradd, "--system", "--no-create-home", "--shell", "/bin/false", name], check=False, capture_output=True
        )
    account = _find(name)
    if account is None:
        raise AccountError(
            f"PostgreSQL does not run as root, and the account {name} is not there and could not be made. "
            f"Start as a normal user, make that account, or {USE_OWN_DATABASE}."
        )
    return account
