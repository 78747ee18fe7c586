"""The commands that keep and bring back a clinic's data."""

from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from keepwell.cli.options import DataDir, Json, run, settings
from keepwell.host.data_directory import DataDirectory

held_app = typer.Typer(help="Messages that a restore holds up until a person decides.", no_args_is_help=True)

Messages = Annotated[list[str] | None, typer.Argument(help="Ids of messages, as `keepwell held list` names them.")]
Everything = Annotated[bool, typer.Option("--all", help="Every message that waits for a person.")]
Who = Annotated[str | None, typer.Option("--by", help="Whose word it is, for the record; the login's name otherwise.")]


def register(app: typer.Typer) -> None:
    """Add the commands that stand by themselves."""
    app.command()(backup)
    app.command()(restore)


def backup(
    to: Annotated[
        Path | None, typer.Argument(help="File or folder; <data dir>/backups otherwise. Readable by its owner alone.")
    ] = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the keys into the file, in clear: whoever has it reads everything.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write every schema and the events on their way into one file; Keepwell may go on working."""
    from keepwell.cli.commands.backup import back_up  # noqa: PLC0415 - loads every service

    chosen = settings(data_dir=data_dir)
    run(lambda: back_up(chosen, to, with_keys=with_keys, as_json=as_json))


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the file, its checksums and its keys.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Put a backup in place of what is there; what may have been sent since is settled before anything goes out."""
    from keepwell.cli.commands.backup import restore as bring_back  # noqa: PLC0415 - loads every service

    chosen = settings(data_dir=data_dir)
    run(lambda: bring_back(chosen, file, only_check=check, as_json=as_json))


@held_app.command("list")
def held_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the messages that wait for a person, and why."""
    from keepwell.cli.commands.held import listed  # noqa: PLC0415 - loads the notifier

    chosen = settings(data_dir=data_dir)
    run(lambda: listed(DataDirectory(chosen.data_dir), chosen, as_json=as_json))


@held_app.command("release")
def held_release(
    messages: Messages = None,
    everything: Everything = False,
    who: Who = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Let messages go, though they may have gone out before the restore."""
    _decide(messages, data_dir, everything=everything, go=True, who=who, as_json=as_json)


@held_app.command("drop")
def held_drop(
    messages: Messages = None,
    everything: Everything = False,
    who: Who = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Keep messages from going out."""
    _decide(messages, data_dir, everything=everything, go=False, who=who, as_json=as_json)


@held_app.command("close")
def held_close(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Say that the clinic's record is up to date again: from now on nothing is held."""
    from keepwell.cli.commands.held import closed  # noqa: PLC0415 - loads the notifier

    chosen = settings(data_dir=data_dir)
    run(lambda: closed(DataDirectory(chosen.data_dir), chosen, as_json=as_json))


def _decide(
    messages: list[str] | None, data_dir: Path | None, *, everything: bool, go: bool, who: str | None, as_json: bool
) -> None:
    from keepwell.cli.commands.held import decided  # noqa: PLC0415 - loads the notifier

    chosen, by = settings(data_dir=data_dir), who or getuser()
    run(
        lambda: decided(
            DataDirectory(chosen.data_dir),
            chosen,
            messages or [],
            everything=everything,
            go=go,
            who=by,
            as_json=as_json,
        )
    )
