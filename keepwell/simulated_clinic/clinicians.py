"""Clinicians: they see to alerts at every round, and decide proposals in the evening."""

from datetime import datetime, timedelta
from typing import Final

from keepwell.simulated_clinic import choices, closing
from keepwell.simulated_clinic.counter import AlertSeen, Counter, PlanAnswer, ProposalSeen, RefusedError, RuleSeen
from keepwell.simulated_clinic.reception import Clinic
from keepwell.simulated_clinic.record import Chart
from shared.clock import Clock

LONG_INTERVALS: Final = "interval-beyond-28-days"
_LOOK_AGAIN: Final = 0.02
_LOOKS: Final = 250
"""Looks at a plan, 20 ms apart, until a decision has reached it: the decision travels as an event."""


class Clinicians:
    """The clinicians, and whoever is on call.

    Args:
        patience: how long proposals and alerts are left alone, for somebody else to act first.
        every_evening: whether proposals are looked at every evening, or each patient's twice a week.
    """

    def __init__(
        self,
        clinic: Clinic,
        counter: Counter,
        clock: Clock,
        *,
        patience: timedelta = timedelta(0),
        every_evening: bool = False,
    ) -> None:
        self._clinic = clinic
        self._counter = counter
        self._clock = clock
        self._patience = patience
        self._every_evening = every_evening

    async def sign(self) -> None:
        """Sign for intervals above 28 days: without that nobody who stays well could come more rarely."""
        await self._counter.post(RuleSeen, f"rules/{LONG_INTERVALS}/sign", {}, key=f"sign/{LONG_INTERVALS}")

    async def see_to_alerts(self) -> None:
        """Acknowledge every open alert that has waited long enough."""
        for alert in await self._counter.every(AlertSeen, "alerts", state="open"):
            if self._waited(alert.raised_at):
                await self._counter.post(AlertSeen, f"alerts/{alert.id}/acknowledge", {}, key=f"{alert.id}/acknowledge")

    async def close_alerts(self) -> None:
        """Say of every acknowledged alert what was done."""
        for alert in await self._counter.every(AlertSeen, "alerts", state="acknowledged"):
            if self._waited(alert.acknowledged_at or alert.raised_at):
                body = {"disposition": closing.note(alert.id, alert.kind)}
                await self._counter.post(AlertSeen, f"alerts/{alert.id}/close", body, key=f"{alert.id}/close")

    async def decide(self, chart: Chart) -> None:
        """Decide a patient's open proposal, if today is the day to look at it and no alert of theirs is open."""
        clinic, now = self._clinic, self._clock.now()
        today, index = clinic.today(now), chart.person.index
        looks = self._every_evening or choices.looks_on(index, today)
        if not looks or not chart.was_asked_weekly(today):
            return
        proposals = await self._counter.every(ProposalSeen, f"patients/{chart.patient}/proposals")
        for number, proposal in enumerate(reversed(proposals)):
            days = (today - clinic.today(proposal.proposed_at)).days
            ripe = proposal.state == "open" and days >= choices.waits(clinic.seed, index, number)
            if ripe and not await self._alarmed(chart):
                await self._decide(chart, proposal, number)

    async def _alarmed(self, chart: Chart) -> bool:
        """Tell whether an alert of a patient is not closed: nothing is decided before that."""
        for state in ("open", "acknowledged"):
            alerts = await self._counter.every(AlertSeen, "alerts", state=state)
            if any(alert.patient == chart.patient for alert in alerts):
                return True
        return False

    async def _decide(self, chart: Chart, proposal: ProposalSeen, number: int) -> None:
        if not self._waited(proposal.proposed_at):
            return
        chosen = choices.decide(
            self._clinic.seed,
            chart.person.index,
            number,
            from_days=proposal.from_days,
            to_days=proposal.to_days,
            ladder=proposal.ladder or (proposal.from_days, proposal.to_days),
        )
        sent: dict[str, str | int] = {"decision": chosen.decision}
        if chosen.interval_days is not None:
            sent["interval_days"] = chosen.interval_days
        if chosen.reason is not None:
            sent["reason"] = chosen.reason
        if chosen.override_reason is not None:
            sent["override_reason"] = chosen.override_reason
        await self._counter.post(
            ProposalSeen, f"proposals/{proposal.id}/decision", {**sent}, key=f"{proposal.id}/decide"
        )
        if chosen.decision != "refuse":
            await self._note_plan(chart)

    async def _note_plan(self, chart: Chart) -> None:
        """Note how the plan stands once the decision has reached it.

        Raises:
            RefusedError: it did not.
        """
        before = chart.seen[-1].version
        for _ in range(_LOOKS):
            plan = await self._counter.get(PlanAnswer, f"patients/{chart.patient}/plan")
            if plan.version > before:
                chart.saw_plan(self._clock.now(), version=plan.version, next_due_on=plan.next_due_on)
                chart.decided_version = plan.version
                return
            await self._clock.pause(_LOOK_AGAIN)
        raise RefusedError("GET", f"patients/{chart.patient}/plan", 200, "the decision did not reach the plan")

    def _waited(self, since: datetime) -> bool:
        return self._clock.now() - since >= self._patience
