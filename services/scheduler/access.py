"""What every command over HTTP has in common: whose patient it is, which row is held, and how a refusal is answered."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from fastapi import Response

from services.scheduler import store
from services.scheduler.model import refusals
from services.scheduler.model.patients import Patient
from services.scheduler.model.protocols import UnknownProtocolError
from services.scheduler.model.sessions import Session, SessionError
from services.scheduler.views import SessionView
from shared.database import Database, Reader, Transaction
from shared.ids import ClinicId
from shared.protection import Keyring
from shared.web.api import CommandCall
from shared.web.awaited import awaited
from shared.web.problems import Conflict, Invalid, NotFound

SessionCommand = Callable[[Transaction, Patient, Session], Awaitable[Session]]


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn what the decisions refuse into answers."""
    try:
        yield
    except UnknownProtocolError as error:
        raise Invalid.at("/protocol", str(error)) from error
    except (refusals.InPastError, refusals.TooFarError) as error:
        raise Invalid.at("/starts_at", str(error)) from error
    except refusals.NotAfterwardsError as error:
        raise Invalid.at("/entered_afterwards", str(error)) from error
    except refusals.OddHourError as error:
        raise Invalid.at("/odd_hour", str(error)) from error
    except (refusals.RefusedError, SessionError) as error:
        raise Conflict(str(error)) from error


@dataclass(frozen=True)
class Access:
    """Access to the patients and sessions of a clinic, and to no other's."""

    database: Database
    keyring: Keyring

    async def patient(self, clinic: ClinicId, patient: UUID) -> Patient:
        """Return a clinic's patient, waiting a moment for one who was enrolled just now.

        Raises:
            NotFound: there is no such patient, or it is another clinic's.
        """
        found = await awaited(self.database, lambda reader: store.find_patient(reader, patient))
        if found is None or found.clinic != clinic:
            raise NotFound(f"There is no patient {patient} in this clinic.")
        return found

    async def zone(self, clinic: ClinicId) -> str:
        """Return the zone of the clinic's clock, what a wall time without a zone means; waits as `patient` does.

        Raises:
            Invalid: the clinic has not been told of here, so that the zone has to be named.
        """
        zone = await awaited(self.database, lambda reader: store.clinic_zone(reader, clinic))
        if zone is None:
            raise Invalid.at("/zone", "The clinic's time zone is not known here yet. Name the zone beside the time.")
        return zone

    async def locked(self, tx: Transaction, patient: UUID) -> Patient:
        """Return a patient and hold the row until the transaction ends."""
        found = await store.lock_patient(tx, patient)
        if found is None:
            raise NotFound(f"There is no patient {patient} in this clinic.")
        return found

    async def session(self, reader: Reader, clinic: ClinicId, session: UUID) -> Session:
        """Return a clinic's session.

        Raises:
            NotFound: there is no such session, or it is another clinic's.
        """
        found = await store.find_session(reader, session)
        if found is None or found.clinic != clinic:
            raise NotFound(f"There is no session {session} in this clinic.")
        return found

    def sealed(self, words: str | None, context: str) -> str | None:
        """Return what staff wrote, sealed; None where they wrote nothing."""
        return self.keyring.seal(words, context=context) if words else None

    def view(self, session: Session) -> SessionView:
        """Return a session as programs see it, with what staff wrote opened."""
        return SessionView.of(session, self.keyring)

    async def change(self, session: UUID, command: CommandCall, session_command: SessionCommand) -> Response:
        """Run a command about a session: hold its patient, read it again, compare the version, and do it."""

        async def work(tx: Transaction) -> SessionView:
            clinic = command.principal.clinic
            patient = await self.locked(tx, (await self.session(tx, clinic, session)).patient)
            present = await self.session(tx, clinic, session)
            command.if_match(present.version)
            with as_problems():
                return self.view(await session_command(tx, patient, present))

        return await command.run(self.database, work)
