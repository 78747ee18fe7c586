"""The command `keepwell`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from keepwell.cli.data import held_app, register
from keepwell.cli.options import Admin, AdminLogin, DataDir, Json, log_aside, run, settings
from keepwell.cli.output import fail, show
from keepwell.host.data_directory import DataDirectory

app = typer.Typer(
    name="keepwell",
    help="Keeps patients of ketamine, esketamine and TMS clinics well between sessions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
token_app = typer.Typer(help="Tokens for programs.", no_args_is_help=True)
letters_app = typer.Typer(help="Events that a service could not handle.", no_args_is_help=True)
staff_app = typer.Typer(help="The people who log in to the console.", no_args_is_help=True)
app.add_typer(staff_app, name="staff")
app.add_typer(token_app, name="token")
app.add_typer(letters_app, name="dead-letters")
app.add_typer(held_app, name="held")
register(app)


@app.command()
def up(
    services: Annotated[list[str] | None, typer.Argument(help="Services to host; all of them by default.")] = None,
    admin: Admin = None,
    admin_login: AdminLogin = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Start the clinic, or the services named; a new clinic begins with the administrator that --admin names."""
    from keepwell.cli.commands.up import serve  # noqa: PLC0415 - a short command need not load every service

    chosen = settings(data_dir=data_dir, admin_name=admin, admin_login=admin_login)
    if not as_json and not services and chosen.clock == "real" and chosen.admin_name is None:
        chosen = settings(data_dir=data_dir, admin_name=_asked_for_admin(chosen.data_dir), admin_login=admin_login)
    if not as_json and sys.stdout.isatty():
        log_aside(chosen)
    run(lambda: serve(chosen, services or [], as_json=as_json))


def _asked_for_admin(folder: Path) -> str | None:
    """Ask whoever starts a new clinic at a terminal for the first administrator; None where nobody is there to ask."""
    if (folder / "first-login.json").exists() or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return typer.prompt("Name of the first administrator, such as Dana Ruiz", default="", show_default=False) or None


@app.command()
def demo(
    speed: Annotated[
        float, typer.Option(help="How many times as fast as real time the clinic lives by day; its nights are short.")
    ] = 240,
    patients: Annotated[int, typer.Option(min=1, max=200, help="How many patients the clinic has.")] = 12,
    seed: int = 1,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Start a made-up clinic that lives by itself, an hour in 15 seconds, to look at and to play with."""
    from keepwell.cli.commands.demo import serve  # noqa: PLC0415 - a short command need not load every service

    folder = (data_dir or settings().data_dir) / "demo"
    chosen = settings(data_dir=folder, clock=f"x{speed:g}", trial=True)
    if not as_json:
        log_aside(chosen)
    run(lambda: serve(chosen, patients=patients, seed=seed, as_json=as_json))


@app.command()
def populate(
    patients: Annotated[int, typer.Option(min=0, max=200, help="How many made-up patients there shall be.")] = 12,
    seed: int = 1,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Enrol made-up patients in a clinic that runs on the sandbox, with reminders due within minutes."""
    from keepwell.cli.commands.populate import populate as enrol  # noqa: PLC0415 - loads the HTTP client

    chosen = settings(data_dir=data_dir)
    run(lambda: enrol(DataDirectory(chosen.data_dir), chosen, patients=patients, seed=seed, as_json=as_json))


@app.command()
def simulate(
    patients: Annotated[int, typer.Option(min=1, max=5000)] = 50,
    days: Annotated[int, typer.Option(min=1, max=730)] = 30,
    seed: int = 1,
    profile: Annotated[str, typer.Option(help="How the phone network behaves: calm, lively or rough.")] = "lively",
    answering: Annotated[str, typer.Option(help="How patients answer check-ins: usual or everything.")] = "usual",
    as_json: Json = False,
) -> None:
    """Live days of a made-up clinic in trial time and count what was sent, measured, proposed and decided."""
    from keepwell.cli.commands.simulate import simulate as live  # noqa: PLC0415 - loads every service

    run(lambda: live(patients=patients, days=days, seed=seed, profile=profile, answering=answering, as_json=as_json))


@app.command()
def migrate(
    before: Annotated[
        bool, typer.Option("--before", help="Only what processes of the version before can work with.")
    ] = False,
    after: Annotated[bool, typer.Option("--after", help="Only what must wait until none of them runs.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make roles, schemas and topics, and bring every schema to its newest version."""
    from keepwell.cli.commands.up import migrate_only  # noqa: PLC0415 - loads every service
    from shared.database.history import Part  # noqa: PLC0415 - loads the database

    chosen = settings(data_dir=data_dir)
    part = Part.WHOLE if before == after else Part.BEFORE if before else Part.AFTER
    run(lambda: migrate_only(chosen, part, as_json=as_json))


@app.command()
def doctor(
    data_dir: DataDir = None,
    list_settings: Annotated[bool, typer.Option("--settings", help="List every setting and leave.")] = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong and say what to do about it."""
    from keepwell.cli.commands.doctor import examine, settings_table  # noqa: PLC0415 - loads every service

    if list_settings:
        show(settings_table(), as_json=as_json)
        return
    chosen = settings(data_dir=data_dir)
    run(lambda: examine(chosen, as_json=as_json))


@app.command()
def explain(message_id: str, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Tell why a message was or was not sent."""
    from keepwell.cli.commands.remote import explain as ask  # noqa: PLC0415 - loads the HTTP client

    chosen = settings(data_dir=data_dir)
    run(lambda: ask(DataDirectory(chosen.data_dir), chosen, message_id, as_json=as_json))


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="Who will use it; shown in the audit trail.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 90,
    scope: Annotated[
        list[str] | None, typer.Option(help="read, write, decide, trial, alerts:close; all but the last by default.")
    ] = None,
    clinic: Annotated[str | None, typer.Option(help="Clinic id; the first clinic by default.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a bearer token for a program."""
    from keepwell.cli.commands.remote import create_token  # noqa: PLC0415 - loads the token library

    chosen = settings(data_dir=data_dir)
    made = create_token(DataDirectory(chosen.data_dir), chosen, name=name, days=days, scopes=scope or [], clinic=clinic)
    show(made if as_json else made["token"], as_json=as_json)


@staff_app.command("first-login")
def staff_first_login(
    admin: Admin = None, admin_login: AdminLogin = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Show the first login, once; where nobody can log in yet, with --admin, let in the one who is named."""
    from keepwell.cli.commands.staff import first_login  # noqa: PLC0415 - loads the database

    chosen = settings(data_dir=data_dir, admin_name=admin, admin_login=admin_login)
    run(lambda: first_login(DataDirectory(chosen.data_dir), chosen, as_json=as_json))


@staff_app.command("reset-password")
def staff_reset_password(
    login: Annotated[str | None, typer.Argument(help="Whose; the first login's where absent.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Give somebody a new password, where theirs was lost; it is for one login and is then replaced by their own."""
    from keepwell.cli.commands.staff import reset_password  # noqa: PLC0415 - loads the database

    chosen = settings(data_dir=data_dir)
    run(lambda: reset_password(DataDirectory(chosen.data_dir), chosen, login, as_json=as_json))


@letters_app.command("list")
def letters_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the dead letters that were not replayed."""
    from keepwell.cli.commands.dead_letters import listed  # noqa: PLC0415 - loads the Kafka client

    chosen = settings(data_dir=data_dir)
    run(lambda: listed(DataDirectory(chosen.data_dir), chosen, as_json=as_json))


@letters_app.command("show")
def letters_show(letter_id: str, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one dead letter: where it came from, why it died, its headers and its size."""
    from keepwell.cli.commands.dead_letters import shown  # noqa: PLC0415 - loads the Kafka client

    chosen = settings(data_dir=data_dir)
    run(lambda: shown(DataDirectory(chosen.data_dir), chosen, letter_id, as_json=as_json))


@letters_app.command("replay")
def letters_replay(
    letter_ids: Annotated[list[str] | None, typer.Argument(help="Ids of letters.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every letter that was not replayed.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Bring dead letters back to their topics; who had handled them will not handle them again."""
    from keepwell.cli.commands.dead_letters import replayed  # noqa: PLC0415 - loads the Kafka client

    chosen = settings(data_dir=data_dir)
    run(
        lambda: replayed(
            DataDirectory(chosen.data_dir), chosen, letter_ids or [], everything=everything, as_json=as_json
        )
    )


@app.command()
def retell(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Have every owner say how things stand, after events were lost; sending then goes on."""
    from keepwell.cli.commands.retell import retell as tell  # noqa: PLC0415 - loads every service

    chosen = settings(data_dir=data_dir)
    run(lambda: tell(DataDirectory(chosen.data_dir), chosen, as_json=as_json))


def main() -> None:
    """Run the command; what a person can mend is one clear line on standard error and exit code 2."""
    try:
        app()
    except Exception as error:
        from keepwell.cli.errors import in_words  # noqa: PLC0415 - loads every part that has errors, which takes a while

        if (said := in_words(error)) is None:
            raise
        fail(said, as_json="--json" in sys.argv)
