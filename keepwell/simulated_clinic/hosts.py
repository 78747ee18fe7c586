"""What the made-up staff do for a visitor: they leave decisions open, and show where to begin."""

from datetime import datetime, timedelta
from typing import Final

from keepwell.simulated_clinic import closing
from keepwell.simulated_clinic.clinicians import Clinicians
from keepwell.simulated_clinic.counter import AlertSeen, CheckinSeen, Counter, PlanAnswer, ProposalSeen
from keepwell.simulated_clinic.people import Person
from keepwell.simulated_clinic.reception import Clinic
from keepwell.simulated_clinic.record import Chart
from services.sandbox.service import SandboxService
from shared.clock import Clock
from shared.instruments import MEASURE

_DEALT_WITH: Final = timedelta(hours=12)
"""How long an acknowledged alert of the last days is being dealt with."""
_WHY: Final = "Agreed with the patient at the end of the induction."


class CastClinicians(Clinicians):
    """The clinicians of the past: they leave the cast's proposals, and the last days' others, to the visitor.

    Args:
        leaves_from: instant from which they decide nothing more.
    """

    def __init__(self, clinic: Clinic, counter: Counter, clock: Clock, *, leaves_from: datetime) -> None:
        super().__init__(clinic, counter, clock, every_evening=True)
        self._leaves_from = leaves_from
        self._agreed: set[str] = set()

    async def see_to_alerts(self) -> None:
        """Acknowledge every alert, and deal with it at once: while one is not closed it pages again and again."""
        await super().see_to_alerts()
        if self._clock.now() < self._leaves_from:
            await self._close(timedelta(0))

    async def close_alerts(self) -> None:
        """Say of every alert that was acknowledged half a day ago what was done."""
        await self._close(_DEALT_WITH)

    async def _close(self, after: timedelta) -> None:
        for alert in await self._counter.every(AlertSeen, "alerts", state="acknowledged"):
            if self._clock.now() - (alert.acknowledged_at or alert.raised_at) >= after:
                body = {"disposition": closing.note(alert.id, alert.kind)}
                await self._counter.post(AlertSeen, f"alerts/{alert.id}/close", body, key=f"{alert.id}/close")

    async def decide(self, chart: Chart) -> None:
        """Decide as ever, but of the cast only on the interval that follows the induction."""
        part = self._clinic.cast.get(chart.person.index)
        if part is None:
            if self._clock.now() < self._leaves_from:
                await super().decide(chart)
        elif part.interval_days is not None and chart.patient not in self._agreed:
            await self._agree(chart, part.interval_days)

    async def _agree(self, chart: Chart, days: int) -> None:
        if await self._alarmed(chart):
            return
        plan = await self._counter.get(PlanAnswer, f"patients/{chart.patient}/plan")
        proposals = await self._counter.every(ProposalSeen, f"patients/{chart.patient}/proposals")
        if not plan.induction_complete or not proposals or proposals[0].state not in {"open", "held"}:
            return
        sent = {"decision": "change", "interval_days": days, "reason": _WHY, "override_reason": _WHY}
        newest = proposals[0].id
        await self._counter.post(ProposalSeen, f"proposals/{newest}/decision", sent, key=f"{newest}/decide")
        self._agreed.add(chart.patient)
        await self._note_plan(chart)


async def set_the_scene(clinic: Clinic, counter: Counter, phones: SandboxService) -> None:
    """Leave on a visitor's first morning what can be tried at once: an open check-in, and a text to read."""
    for index, part in clinic.cast.items():
        chart = clinic.charts.get(index)
        if chart is None:
            continue
        if part.traits is None:
            body = {"patient": chart.patient, "instruments": [MEASURE]}
            await counter.post(CheckinSeen, "checkins", body, key=f"{chart.patient}/visitor")
        if part.words is not None:
            await phones.send_from(chart.person.number, part.words)


def things_to_try(clinic: Clinic, people: list[Person]) -> list[str]:
    """Return three steps for somebody who sees this for the first time."""
    names = [
        f"{who.given_name} {who.family_name}"
        for who in people
        if who.index in clinic.cast and clinic.cast[who.index].traits is None
    ]
    if not names:
        return []
    phone = f"Open Phones and choose {names[0]}'s. Tap the link in the newest text and answer what it asks; "
    return [
        "Log in to the console. Under Proposals, decide one: each shows its reasons and the scores behind it.",
        f"{phone}of the questions about the last two weeks, answer the last with anything but \u201cNot at all\u201d.",
        f"Go back to the console: Today shows the alert that {names[0]} raised. Acknowledge it, then close it.",
    ]
