"""`keepwell staff reset-password`: the way back in when the first password was lost."""

from keepwell import parts
from keepwell.output import fail, show
from keepwell.place import Login, Place
from shared.database import Database
from shared.database.address import async_url
from shared.settings import Settings


async def reset_password(place: Place, settings: Settings, login: str, *, as_json: bool) -> int:
    """Give somebody a new password for one login, and end every session of theirs."""
    from services.clinic.first_start import forgotten_password  # noqa: PLC0415 - only this command needs the clinic

    given = settings.database_url
    common = given.get_secret_value() if given is not None else None
    if common is None and not settings.split:
        common = place.running.database_url
    urls = parts.database_urls(settings, place.keyring(settings), None if common is None else async_url(common))
    if "clinic" not in urls:
        fail("Logins are the clinic's: run this where it runs.", as_json=as_json)
    url = urls["clinic"]
    database = Database(url, schema="clinic", clock=place.clock(settings))
    try:
        async with database.transaction() as tx:
            made = await forgotten_password(tx, login)
    except LookupError as error:
        fail(str(error), as_json=as_json)
    finally:
        await database.close()
    first = place.login
    if made.password is not None and first is not None and first.login == made.login:
        place.keep_login(Login(clinic=first.clinic, login=made.login, password=made.password))
    show({"login": made.login, "password": made.password}, as_json=as_json)
    return 0
