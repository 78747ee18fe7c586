"""What the commands' options have in common."""

import atexit
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import uvloop

from shared.connections import Loop
from shared.settings import Settings, load
from shared.telemetry.log import configure

LOG: Final = "keepwell.log"
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the data lies; KEEPWELL_DATA_DIR otherwise.")]

Admin = Annotated[
    str | None,
    typer.Option("--admin", help="The first administrator: 'Dana Ruiz'; KEEPWELL_ADMIN_NAME."),
]
AdminLogin = Annotated[str | None, typer.Option("--admin-login", help="Their login; the name's otherwise.")]


def settings(**overrides: Any) -> Settings:
    """Read the settings and set up the log; overrides that are None leave the environment's value."""
    chosen = load(**{name: value for name, value in overrides.items() if value is not None})
    configure(level=chosen.log_level)
    return chosen


def log_aside(chosen: Settings) -> None:
    """Write the log into a file of the data directory: a person at a terminal reads what is done, not each line."""
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    stream = (chosen.data_dir / LOG).open("a", encoding="utf-8", buffering=1)
    atexit.register(stream.close)
    configure(level=chosen.log_level, stream=stream)


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Run a command's work on uvloop and leave with its exit code."""
    code = uvloop.run(work(), loop_factory=Loop)
    raise typer.Exit(code)
