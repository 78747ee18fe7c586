"""Whose data directory it is: the process that holds a lock in it, until that process is gone."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from shared.embedded.errors import AlreadyOwnedError, DataDirectoryError

LOCK: Final = "owner.lock"


def data_folder(path: Path) -> Path:
    """Return the one name of a data directory: absolute, without links and `~`."""
    return path.expanduser().resolve()


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold a data directory, making it if need be.

    The kernel gives the lock back however this process ends; children never inherit it. The file stays: removing it
    would let two processes lock two files of one name.

    Raises:
        AlreadyOwnedError: if another start, of this or of another process, holds it.
        DataDirectoryError: if it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise DataDirectoryError(
            f"{folder} cannot be used as a data directory ({error.strerror}). Start as the account that owns it, "
            "or name another directory."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(folder, file) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid()}))
        file.flush()
        yield


def _held(folder: Path, file: TextIO) -> AlreadyOwnedError:
    """Read the holder's note; the file's own time says since when."""
    file.seek(0)
    note = file.read()
    taken = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    pid = json.loads(note)["pid"] if note else None  # empty for the instant between lock and note
    return AlreadyOwnedError(folder, pid=pid, since=f"{taken:%Y-%m-%d %H:%M:%S} UTC")
