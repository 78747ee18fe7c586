"""What is done about a clinic's settings: a change with its row, its event and its line in the audit trail."""

from dataclasses import dataclass

from services.clinic import published_events
from services.clinic.commands.patients import refuse, who
from services.clinic.model.clinic import Clinic
from services.clinic.model.flaws import FlawedError
from services.clinic.model.settings import GivenClinic, check_settings
from services.clinic.store import audit, clinics
from shared.bus import publish
from shared.database import Reader, Transaction
from shared.ids import ClinicId
from shared.protection import Keyring
from shared.web.problems import NotFound
from shared.web.tokens import Principal


@dataclass(frozen=True)
class ClinicCommands:
    """Commands about clinics, with the keys that seal whom alerts page."""

    keyring: Keyring

    async def read(self, reader: Reader, clinic: ClinicId) -> Clinic:
        """Return a clinic; raises `NotFound` as `held` does."""
        return _found(await clinics.find(reader, clinic, self.keyring))

    async def held(self, tx: Transaction, clinic: ClinicId) -> Clinic:
        """Return a clinic and hold its row until the transaction ends.

        Raises:
            NotFound: there is no such clinic.
        """
        return _found(await clinics.find(tx, clinic, self.keyring, lock=True))

    async def change(self, tx: Transaction, principal: Principal, present: Clinic, given: GivenClinic) -> Clinic:
        """Change the settings of a clinic whose row is held.

        Raises:
            Invalid: with the place of every flaw.
        """
        try:
            changed = check_settings(given, present)
        except FlawedError as error:
            raise refuse(error) from error
        await clinics.change(tx, changed, self.keyring)
        await publish(tx, published_events.clinic_changed(changed, self.keyring))
        await audit.note(tx, changed.id, who(principal), "clinic.changed", thing=changed.id)
        return changed


def _found(clinic: Clinic | None) -> Clinic:
    if clinic is None:
        raise NotFound("The clinic of your token does not exist here. Make a new token.")
    return clinic
