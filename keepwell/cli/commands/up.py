"""`keepwell up` and `keepwell migrate`."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any

from keepwell.cli.options import LOG
from keepwell.cli.output import show
from keepwell.host import infrastructure
from keepwell.host.collecting import settle_in
from keepwell.host.data_directory import DataDirectory
from keepwell.host.process import Host
from keepwell.host.process import up as host_up
from shared.database.history import Part
from shared.settings import Settings


class Stop:
    """What SIGINT and SIGTERM do: end a start that is under way, ask what runs to stop; the second ends it at once."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._starting = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask, loop)

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._starting is not None:
            self._starting.cancel()
        if self._asked.is_set():
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
        self._asked.set()

    def is_set(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> None:
        """Wait for a signal; from here on it no longer ends a start."""
        self._starting = None
        await self._asked.wait()


def stop_on_signal() -> Stop:
    """Return what a signal sets."""
    return Stop()


def progress(*, quiet: bool) -> Any:
    """Return a reporter of what the embedded parts are doing, on standard error."""
    said: set[str] = set()
    if quiet:
        return lambda _step: None
    from rich.console import Console  # noqa: PLC0415 - a process that prints JSON does without

    console = Console(stderr=True, highlight=False)

    def report(step: Any) -> None:
        if step.doing in said and not console.is_terminal:
            return
        said.add(step.doing)
        share = f" {step.done}/{step.of}" if step.of else ""
        console.print(f"  {step.doing}{share}", end="\r" if step.of and console.is_terminal else "\n")

    return report


def say(what: str, *, quiet: bool) -> None:
    """Say in a line on standard error what is being done; nothing where a program listens."""
    if not quiet:
        sys.stderr.write(f"  {what}\n")
        sys.stderr.flush()


def announce(host: Host, *, as_json: bool, more: Sequence[str] = ()) -> None:
    """Say where everything is, once it is ready; a real clinic's first password once, and to a terminal alone."""
    lines, real = host.lines(), host.settings.clock == "real"
    login = lines["login"]
    if as_json:
        show(lines | {"login": login and {**login, "password": None}} if real else lines, as_json=True)
        return
    from rich.console import Console  # noqa: PLC0415 - a process that prints JSON does without

    console = Console(highlight=False)
    console.print("\n[bold]Keepwell is ready.[/bold]  Ctrl-C stops it.\n")
    shown = {
        "Console": lines["console"],
        "  login": _way_in(host, login, once=real) if login else None,
        "Phones": lines["phone"],
        "Mail": lines["mail"],
        "API": lines["api"],
        "Log": _log_file(),
    }
    for name, value in shown.items():
        if value is not None:
            console.print(f"  {name:<9}{value}", soft_wrap=True)
    if more:
        console.print("\n[bold]Try this[/bold]")
        for number, step in enumerate(more, 1):
            console.print(f"  {number}. {step}", soft_wrap=True)
    console.print()


def _log_file() -> str | None:
    """Return the file that the log is written to, or None where it goes to standard error."""
    for handler in logging.getLogger().handlers:
        name = str(getattr(getattr(handler, "stream", None), "name", ""))
        if name.endswith(LOG):
            return name
    return None


def _way_in(host: Host, login: dict[str, str | None], *, once: bool) -> str | None:
    """Return how the first person gets in, or None where they have been told; what may end in a log holds no secret."""
    name, password = login["login"], login["password"]
    if not once:
        return f"{name}  {password}"
    if name is None:
        return "nobody can log in yet: keepwell staff first-login --admin 'Dana Ruiz'"
    if password is None:
        return None
    directory = DataDirectory(host.settings.data_dir)
    if not sys.stdout.isatty():
        return f"{name}; `keepwell staff first-login` shows the password once (it lies in {directory.login_file})"
    directory.forget_password()
    return f"{name}  {password}  (shown this once; you choose your own when you log in)"


async def serve(settings: Settings, names: Sequence[str], *, as_json: bool) -> int:
    """Host services until a signal."""
    stop = stop_on_signal()
    try:
        if list(names) == ["sandbox"]:
            await _sandbox_alone(settings, stop, as_json=as_json)
            return 0
        async with host_up(settings, names, progress(quiet=as_json)) as host:
            settle_in()
            announce(host, as_json=as_json)
            await stop.wait()
            if not as_json:
                sys.stderr.write("Stopping; what is in flight is finished first.\n")
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        sys.stderr.write("Stopped before it was ready.\n")
    return 0


async def _sandbox_alone(settings: Settings, stop: Stop, *, as_json: bool) -> None:
    """Host the stand-in network and mailbox and nothing else; it needs neither PostgreSQL nor Kafka."""
    from keepwell.host.stand_ins import alone  # noqa: PLC0415 - loads the sandbox

    async with alone(settings) as url:
        where = {"phone": f"{url}/sandbox/phone", "mail": f"{url}/sandbox/mail"}
        show(
            where if as_json else f"The sandbox is ready.  Phones {where['phone']}  Mail {where['mail']}",
            as_json=as_json,
        )
        await stop.wait()


async def migrate_only(settings: Settings, part: Part, *, as_json: bool) -> int:
    """Migrate a part, or all, and leave."""
    directory = DataDirectory(settings.data_dir)
    async with infrastructure.opened(settings, directory, progress(quiet=as_json)) as built:
        brought = await infrastructure.migrate(settings, directory.keyring(settings), built, part)
    said = "Every schema and topic is as this version needs it."
    if part != Part.WHOLE:
        said = f"The part {part} is in: {', '.join(brought) or 'nothing was missing'}."
    show({"migrated": True, "part": part, "revisions": brought} if as_json else said, as_json=as_json)
    return 0
