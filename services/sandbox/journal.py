"""The ledger's file: one JSON object a line, only ever appended to."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from services.sandbox.entries import ENTRIES, AnyEntry


class JournalUnreadableError(Exception):
    """A line in the middle of the sandbox's journal cannot be read. Move the file away to begin an empty ledger."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(f"{path}, line {line}: {self.__doc__}")


class Journal:
    """Appends entries to a file and reads them back after a restart.

    Each entry is handed to the operating system before `append` returns, so that a killed process loses none. A last
    line that was cut short by a kill was never answered for, and is taken off on opening. Only the owner can read the
    file: what people try out may be their own number.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        path.touch(mode=0o600)
        self._file = path.open("ab", buffering=0)

    def append(self, entry: AnyEntry) -> None:
        """Write one entry."""
        self._file.write(entry.model_dump_json().encode() + b"\n")

    def read(self) -> Iterator[AnyEntry]:
        """Yield what earlier processes wrote.

        Raises:
            JournalUnreadableError: where a line that is not the last is no entry.
        """
        written = self.path.read_bytes()
        whole = written[: written.rfind(b"\n") + 1]
        if len(whole) < len(written):
            self._file.truncate(len(whole))
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                yield ENTRIES.validate_json(line)
            except ValidationError as error:
                raise JournalUnreadableError(self.path, number) from error

    def clear(self) -> None:
        """Forget everything."""
        self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
