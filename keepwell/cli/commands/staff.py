"""`keepwell staff`: the way in to a new clinic, and the way back in when a password was lost."""

from keepwell.cli.output import fail, show
from keepwell.host import infrastructure
from keepwell.host.data_directory import DataDirectory, Login
from shared.database import Database
from shared.database.address import async_url
from shared.settings import Settings

_WHO = (
    "The first password was shown already, or nobody was named. Name the first administrator: "
    "keepwell staff first-login --admin 'Dana Ruiz'. A lost password: keepwell staff reset-password LOGIN."
)
_WHOSE = "Say whose password it is: keepwell staff reset-password LOGIN. Settings in the console lists the logins."


async def first_login(directory: DataDirectory, settings: Settings, *, as_json: bool) -> int:
    """Show the first login once; where nobody can log in yet, let in the administrator whom the operator names."""
    from keepwell.host.first_people import named  # noqa: PLC0415 - it alone needs the clinic
    from services.clinic.commands.first_start import first_member  # noqa: PLC0415 - likewise

    known = directory.login
    if known is None or known.password is None:
        member = named(settings)
        if member is None:
            fail(_WHO, as_json=as_json)
        database = _clinics(directory, settings, as_json=as_json)
        try:
            async with database.transaction() as tx:
                made = await first_member(tx, member)
        except LookupError as error:
            fail(str(error), as_json=as_json)
        finally:
            await database.close()
        known = Login(clinic=str(made.clinic), login=made.login, password=made.password)
    show({"login": known.login, "password": known.password}, as_json=as_json)
    directory.keep_login(Login(clinic=known.clinic, login=known.login, password=None))
    return 0


async def reset_password(directory: DataDirectory, settings: Settings, login: str | None, *, as_json: bool) -> int:
    """Give somebody a new password for one login, and end every session of theirs; without a login, the first one."""
    from services.clinic.commands.first_start import forgotten_password  # noqa: PLC0415 - it alone needs the clinic

    first = directory.login
    whose = login or (first.login if first is not None else None)
    if whose is None:
        fail(_WHOSE, as_json=as_json)
    database = _clinics(directory, settings, as_json=as_json)
    try:
        async with database.transaction() as tx:
            made = await forgotten_password(tx, whose)
    except LookupError as error:
        fail(str(error), as_json=as_json)
    finally:
        await database.close()
    if first is not None and first.login == made.login and first.password is not None:
        directory.keep_login(Login(clinic=first.clinic, login=made.login, password=None))
    show({"login": made.login, "password": made.password}, as_json=as_json)
    return 0


def _clinics(directory: DataDirectory, settings: Settings, *, as_json: bool) -> Database:
    given = settings.database_url
    common = given.get_secret_value() if given is not None else None
    if common is None and not settings.split:
        common = directory.running.database_url
    urls = infrastructure.database_urls(
        settings, directory.keyring(settings), None if common is None else async_url(common)
    )
    if "clinic" not in urls:
        fail("Logins are the clinic's: run this where it runs.", as_json=as_json)
    return Database(urls["clinic"], schema="clinic", clock=directory.clock(settings))
