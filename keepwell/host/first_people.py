"""Who can log in to a new clinic: the administrator whom the operator names, or the clinician of a demonstration."""

from typing import Final

from keepwell.host.data_directory import Login
from services.clinic.commands.first_start import FirstMember, administrator, ensure_first_clinic
from services.clinic.model.flaws import RefusedError
from services.clinic.model.roles import Role
from shared.database import Database
from shared.protection import Keyring
from shared.settings import Settings, SettingsError

MADE_UP: Final = FirstMember("Alma Reid", "clinician", Role.CLINICIAN, lasting=True)
"""Of demonstrations and trials, which live by a clock of their own: there the visitor decides too, and comes again."""


async def let_in(database: Database, keyring: Keyring, settings: Settings) -> Login:
    """Set up the clinic where there is none; return it with who was let in, if anybody was.

    Raises:
        SettingsError: the administrator that the settings name cannot be one.
    """
    async with database.transaction() as tx:
        made = await ensure_first_clinic(tx, keyring, zone=settings.zone, member=named(settings))
    return Login(clinic=str(made.clinic), login=made.login, password=made.password)


def named(settings: Settings) -> FirstMember | None:
    """Return who shall be let in first, or None where the operator named nobody.

    Raises:
        SettingsError: the administrator that the settings name cannot be one.
    """
    if settings.clock != "real":
        return MADE_UP
    if settings.admin_name is None:
        return None
    try:
        return administrator(settings.admin_name, settings.admin_login)
    except RefusedError as error:
        raise SettingsError(
            f"KEEPWELL_ADMIN_NAME is {settings.admin_name!r}, KEEPWELL_ADMIN_LOGIN {settings.admin_login!r}: {error}"
        ) from error
