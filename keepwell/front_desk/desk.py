"""The desk's day: which rounds there are, and what is done on each."""

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import datetime, time, timedelta
from typing import Final

from keepwell.front_desk import choices
from keepwell.front_desk.clinicians import Clinicians
from keepwell.front_desk.counter import RefusedError
from keepwell.front_desk.reception import Clinic, Reception
from shared.telemetry.log import get_logger
from shared.walltime import to_instant, to_wall

log = get_logger(__name__)

MORNING: Final = 7
EVENING: Final = 17
ROUNDS: Final = (MORNING, 12, EVENING, 20)
"""Hours of the rounds of every day: the morning's bookings, who came until noon and after it, a look at night."""
MINUTE, SECOND = 40, 7
"""When a round begins: an instant at which nothing else falls due, so that no text is sent as its cause changes."""


class FrontDesk:
    """All who work in the made-up clinic.

    Args:
        clinic: whose people and days these are.
        reception: the people at the desk.
        clinicians: the clinicians.
        strict: whether a refused order ends the work (a simulation) or is put up with (a clinic with visitors).
    """

    def __init__(self, clinic: Clinic, reception: Reception, clinicians: Clinicians, *, strict: bool) -> None:
        self.clinic = clinic
        self.reception = reception
        self.clinicians = clinicians
        self._strict = strict

    def next_round(self, after: datetime) -> datetime:
        """Return the first round after an instant."""
        zone = self.clinic.zone
        today = to_wall(after, zone).date()
        walls = [
            datetime.combine(day, time(hour, MINUTE, SECOND))
            for day in (today, today + timedelta(days=1))
            for hour in ROUNDS
        ]
        return min(instant for wall in walls if (instant := to_instant(wall, zone)) > after)

    async def work(self, now: datetime) -> None:
        """Do a round."""
        clinic, reception, clinicians = self.clinic, self.reception, self.clinicians
        hour = to_wall(now, clinic.zone).hour
        await self._all(reception.record_outcomes(chart) for chart in clinic.in_care())
        if hour == MORNING:
            today = (clinic.today(now) - clinic.first_day).days
            came = [
                who for who in clinic.to_come if choices.care(clinic.seed, who.index, clinic.days).enrols_on <= today
            ]
            await self._all(reception.enrol(who) for who in came)
            await self._all(reception.morning(chart) for chart in clinic.in_care())
        await self._all([clinicians.see_to_alerts()])
        if hour == EVENING:
            await self._all([clinicians.close_alerts()])
            await self._all(clinicians.decide(chart) for chart in clinic.in_care())

    async def _all(self, orders: Iterable[Awaitable[None]]) -> None:
        """Have orders done side by side; patients do not wait for one another."""
        for outcome in await asyncio.gather(*orders, return_exceptions=True):
            if isinstance(outcome, RefusedError) and not self._strict:
                log.warning("front_desk.refused", status=outcome.status)
            elif isinstance(outcome, BaseException):
                raise outcome
