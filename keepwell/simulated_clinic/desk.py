"""The desk's day: which rounds there are, and what is done on each."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Final

from keepwell.simulated_clinic.clinicians import Clinicians
from keepwell.simulated_clinic.counter import RefusedError
from keepwell.simulated_clinic.reception import Clinic, Reception
from keepwell.simulated_clinic.record import Chart
from shared.telemetry.log import get_logger
from shared.walltime import to_instant, to_wall

log = get_logger(__name__)

MORNING: Final = 7
EVENING: Final = 17
ROUNDS: Final = (MORNING, 12, EVENING, 20)
"""Hours of the rounds of every day: the morning's bookings, who came until noon and after it, a look at night."""
MINUTE, SECOND = 40, 7
"""When a round begins: an instant at which nothing else falls due, so that no text is sent as its cause changes."""

OnChart = Callable[[Chart], Awaitable[None]]


class FrontDesk:
    """All who work in the made-up clinic.

    Args:
        clinic: whose people and days these are.
        reception: the people at the desk.
        clinicians: the clinicians.
        settled: returns once all that was ordered so far has come to rest, where the counts must not hang on a race: an
            attended session may replace the very proposal that is decided in the same round.
        look_again: brings a chart to how things stand, each morning and after a refusal, where visitors may have made
            changes. Without it a refused order is an error: nobody else works here.
        alone: whether nobody else works here all the same: then it looks again after a refusal alone.
    """

    def __init__(
        self,
        clinic: Clinic,
        reception: Reception,
        clinicians: Clinicians,
        *,
        settled: Callable[[], Awaitable[None]] | None = None,
        look_again: OnChart | None = None,
        alone: bool = False,
    ) -> None:
        self.clinic = clinic
        self.reception = reception
        self.clinicians = clinicians
        self._settled = settled
        self._look_again = look_again
        self._signed = False
        self._alone = alone

    def next_round(self, after: datetime) -> datetime:
        zone = self.clinic.zone
        today = to_wall(after, zone).date()
        walls = [
            datetime.combine(day, time(hour, MINUTE, SECOND))
            for day in (today, today + timedelta(days=1))
            for hour in ROUNDS
        ]
        return min(instant for wall in walls if (instant := to_instant(wall, zone)) > after)

    async def work(self, at: datetime) -> None:
        """Do the round of an instant.

        Raises:
            RefusedError: an order was refused, and nobody else works here.
        """
        hour = to_wall(at, self.clinic.zone).hour
        if not self._signed:
            await self._do(self.clinicians.sign())
            self._signed = True
        if hour == MORNING and self._look_again is not None and not self._alone:
            await self._each(self._look_again)
        await self._each(self.reception.record_attendance)
        if hour == MORNING:
            await self._welcome(at)
            await self._each(self.reception.morning)
        await self._do(self.clinicians.see_to_alerts())
        if hour == EVENING:
            await self._do(self.clinicians.close_alerts())
            if self._settled is not None:
                await self._settled()
            await self._each(self.clinicians.decide)

    async def _welcome(self, at: datetime) -> None:
        """Enrol those whose day has come."""
        clinic = self.clinic
        day = (clinic.today(at) - clinic.first_day).days
        came = [who for who in clinic.to_come if clinic.care(who).enrols_on <= day]
        await asyncio.gather(*(self._do(self.reception.enrol(who)) for who in came))

    async def _each(self, act: OnChart) -> None:
        """Do something for each patient in care, side by side: patients do not wait for one another."""
        await asyncio.gather(*(self._do(act(chart), chart) for chart in self.clinic.in_care()))

    async def _do(self, order: Awaitable[None], chart: Chart | None = None) -> None:
        try:
            await order
        except RefusedError as refusal:
            if self._look_again is None:
                raise
            log.warning("simulated_clinic.refused", status=refusal.status)
            if chart is not None:
                await self._look_again(chart)
