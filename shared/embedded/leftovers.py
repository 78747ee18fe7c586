"""What a killed owner left running: found, and stopped, before the next start.

Two ways to find one, either is enough: the record written beside the data when a child was started (pid and birth), and
the argument that names this very data directory on its command line, for the instant before the record was written.
Nothing else is ever touched: a foreign process under a recycled pid has another birth.
"""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from signal import Signals
from typing import Final

from shared.embedded.errors import StopError
from shared.embedded.identity import Identity, identify, is_alive, running_with
from shared.embedded.pause import until
from shared.embedded.ports import write_durably

RECORD: Final = "process.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StopStep:
    """One signal, and the seconds it is given to work."""

    signal: Signals
    seconds: float


def record(folder: Path, pid: int) -> None:
    """Write down which child works on a folder; nothing if it has ended already."""
    identity = identify(pid)
    if identity is not None:
        write_durably(folder / RECORD, json.dumps(asdict(identity)))


def recorded(folder: Path) -> Identity | None:
    """Return the child that was written down for a folder, running or not."""
    file = folder / RECORD
    if not file.exists():
        return None
    noted = json.loads(file.read_text())
    return Identity(int(noted["pid"]), str(noted["born"]))


async def stop_leftovers(folder: Path, *, marker: str, steps: Sequence[StopStep]) -> int:
    """Stop the processes that still work on a folder; the caller holds its lock, so they are nobody's.

    Args:
        folder: where the record is.
        marker: the command-line argument that names this folder and no other.
        steps: the signals, mildest first.

    Returns:
        How many were stopped.

    Raises:
        StopError: if one of them is still there after the last step.
    """
    noted = recorded(folder)
    found = {*running_with(marker), *([noted] if noted is not None and is_alive(noted) else [])}
    for identity in found:
        _log.warning("stopping process %d, left over from an earlier run on %s", identity.pid, folder)
        await _stop(identity, steps)
    (folder / RECORD).unlink(missing_ok=True)
    return len(found)


async def _stop(identity: Identity, steps: Sequence[StopStep]) -> None:
    for step in (StopStep(Signals.SIGCONT, 0), *steps):
        if not is_alive(identity):
            return
        try:
            os.kill(identity.pid, step.signal)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise StopError(
                f"Process {identity.pid} works on this data directory and belongs to another account. Stop it there."
            ) from error
        if await until(lambda: not is_alive(identity), seconds=step.seconds):
            return
    raise StopError(f"Process {identity.pid}, left over from an earlier run, does not end. Stop it by hand.")
