"""What a clinic has before a round begins: patients, and the sessions that were booked in the weeks before.

They are written by the services' own orders, many in a transaction: over REST each costs 30 ms of processor, and a
round of twenty thousand texts would be one of waiting for bookings. What other services know of them comes by Kafka.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, TypeVar
from uuid import UUID

from services.clinic.api import NewPatient, given_patient
from services.clinic.commands.patients import PatientCommands
from services.scheduler import store
from services.scheduler.commands import booking as scheduler_booking
from services.scheduler.model import sessions
from shared.clock import RealClock
from shared.database import Database
from shared.protection import Keyring
from shared.web.tokens import Tokens
from tests.faults.deployment import KEYS, Deployment

T = TypeVar("T")
TOGETHER: Final = 100
"""Patients in a transaction."""


@dataclass(frozen=True)
class Booking:
    """A session to book for a patient, in minutes from a wall time where the patient lives."""

    patient: UUID
    starts_at: datetime
    minutes: int


class Stock:
    """Writes what a clinic has.

    Args:
        deployment: whose; nothing hurts it meanwhile.
        clinic, scheduler: the two services' databases, reached directly.
    """

    def __init__(self, deployment: Deployment, clinic: Database, scheduler: Database) -> None:
        keyring = Keyring.from_text(KEYS)
        self._principal = Tokens(keyring).check(deployment.token)
        self._patients = PatientCommands(keyring)
        self._clinic = clinic
        self._scheduler = scheduler

    async def enrol(self, people: Sequence[dict[str, Any]]) -> list[UUID]:
        """Enrol people, each as a program would send it; return their ids in this order."""
        found: list[UUID] = []
        for many in _parts([given_patient(NewPatient.model_validate(body)) for body in people]):
            async with self._clinic.transaction() as tx:
                for given in many:
                    found.append((await self._patients.enrol(tx, self._principal, given)).id)  # noqa: PERF401
        return found

    async def book(self, bookings: Sequence[Booking]) -> list[UUID]:
        """Book sessions; those of one patient follow one another. Return their ids in this order."""
        found: list[UUID] = []
        for many in _parts([list(own) for _, own in groupby(bookings, key=lambda booking: booking.patient)]):
            async with self._scheduler.transaction() as tx:
                for own in many:
                    patient = await store.lock_patient(tx, own[0].patient)
                    if patient is None:
                        raise LookupError(f"The scheduler has not been told of patient {own[0].patient}.")
                    for booking in own:
                        wanted = sessions.Booking(sessions.slot(booking.starts_at, patient.zone, booking.minutes))
                        found.append((await scheduler_booking.book(tx, patient, wanted)).id)
        return found


@asynccontextmanager
async def stock_of(deployment: Deployment) -> AsyncIterator[Stock]:
    """Open the two databases for a while."""
    clock, url = RealClock(), deployment.database.url
    clinic, scheduler = Database(url, schema="clinic", clock=clock), Database(url, schema="scheduler", clock=clock)
    try:
        yield Stock(deployment, clinic, scheduler)
    finally:
        await clinic.close()
        await scheduler.close()


def _parts(things: Sequence[T]) -> list[Sequence[T]]:
    return [things[first : first + TOGETHER] for first in range(0, len(things), TOGETHER)]
