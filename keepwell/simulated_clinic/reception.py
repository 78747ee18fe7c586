"""Reception: enrols, books, moves, cancels, and records who came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from keepwell.simulated_clinic import choices
from keepwell.simulated_clinic.cast import Part
from keepwell.simulated_clinic.choices import Care, Ending, Fate
from keepwell.simulated_clinic.counter import Counter, PatientSeen, PlanAnswer, SessionSeen
from keepwell.simulated_clinic.people import Person
from keepwell.simulated_clinic.record import PROTOCOL, Chart, Placement, Visit
from services.sandbox.service import SandboxService
from shared.clock import Clock
from shared.walltime import to_wall, wall_text

MISFIT_DAYS: Final = 4
"""Days by which a booked session may miss the plan's date before staff think of moving it."""


@dataclass
class Clinic:
    """The clinic as its staff see it.

    Attributes:
        seed: of every choice.
        zone: of the clinic's clock.
        first_day: from which days are counted.
        days: in how many days, about, its people come.
        leaving: share of them who leave around the end of induction.
        to_come: made-up people who are not enrolled yet.
        cast: those whose course is written, by index.
        charts: the others, by index.
    """

    seed: int
    zone: str
    first_day: date
    days: int
    to_come: list[Person]
    leaving: float = choices.LEAVES
    charts: dict[int, Chart] = field(default_factory=dict)
    cast: Mapping[int, Part] = field(default_factory=dict)

    def care(self, who: Person) -> Care:
        if who.index in self.cast:
            return self.cast[who.index].care
        return choices.care(self.seed, who.index, self.days, leaving=self.leaving)

    def fate(self, index: int, booking: int) -> Fate:
        part = self.cast.get(index)
        return choices.fate(self.seed, index, booking) if part is None else part.fate

    def today(self, now: datetime) -> date:
        return to_wall(now, self.zone).date()

    def in_care(self) -> list[Chart]:
        """Return the patients who have not left, in the order of their index."""
        return [chart for _, chart in sorted(self.charts.items()) if chart.discharged_at is None]


class Reception:
    """The people at the desk."""

    def __init__(self, clinic: Clinic, counter: Counter, clock: Clock, phones: SandboxService) -> None:
        self._clinic = clinic
        self._counter = counter
        self._clock = clock
        self._phones = phones

    async def enrol(self, who: Person) -> None:
        """Enrol a patient whose day has come, with what they allow, and start the plan."""
        clinic, now = self._clinic, self._clock.now()
        care = clinic.care(who)
        part = clinic.cast.get(who.index)
        self._phones.enrol(
            who.number,
            virtual=part is None or part.traits is not None,
            name=f"{who.given_name} {who.family_name}",
            traits=None if part is None else part.traits,
        )
        enrolled = await self._counter.post(PatientSeen, "patients", who.enrolment(now), key=f"{who.external_id}/enrol")
        chart = Chart(who, care, enrolled.id, now)
        clinic.charts[who.index] = chart
        clinic.to_come.remove(who)
        starts_on = max(clinic.first_day + timedelta(days=care.starts_on), clinic.today(now))
        plan = await self._counter.post(
            PlanAnswer,
            f"patients/{chart.patient}/plans",
            {"protocol": PROTOCOL.id, "start_on": starts_on.isoformat()},
            key=f"{chart.patient}/plan",
        )
        chart.plan = plan.id
        chart.saw_plan(self._clock.now(), version=plan.version, next_due_on=plan.next_due_on)

    async def morning(self, chart: Chart) -> None:
        """Do for one patient what is done in the morning: discharge, change what is booked, or book."""
        clinic, now = self._clinic, self._clock.now()
        today = clinic.today(now)
        leaves_on = chart.care.leaves_on
        if leaves_on is not None and (today - clinic.first_day).days >= leaves_on:
            body = {"reason": "The course of treatment has ended."}
            await self._counter.post(
                PatientSeen, f"patients/{chart.patient}/discharge", body, key=f"{chart.patient}/bye"
            )
            chart.discharge(now)
        elif (visit := chart.open_visit) is None:
            await self._book(chart, today)
        elif visit.present.starts_at_utc > now:
            await self._change(chart, visit, today)

    async def record_attendance(self, chart: Chart) -> None:
        """Record who came to a session that is over, and who did not."""
        now = self._clock.now()
        visit = chart.open_visit
        length = timedelta(minutes=choices.SESSION_MINUTES)
        if visit is None or visit.present.starts_at_utc + length > now or self._forgotten(chart, visit):
            return
        came = visit.fate.ending is not Ending.MISS
        if came:
            self._phones.attended(chart.person.number, visit.present.starts_at_utc)
        await self._end(chart, visit, "attend" if came else "miss")
        if came:
            visit.attended_at = now
            visit.attended_on = min(self._clinic.today(now), visit.present.starts_at.date())
        await self.look_at_plan(chart)

    def _forgotten(self, chart: Chart, visit: Visit) -> bool:
        part = self._clinic.cast.get(chart.person.index)
        day = (visit.present.starts_at.date() - self._clinic.first_day).days
        return part is not None and part.forgotten_on == day

    async def look_at_plan(self, chart: Chart) -> PlanAnswer:
        """Read how the plan stands now, and note it."""
        plan = await self._counter.get(PlanAnswer, f"patients/{chart.patient}/plan")
        chart.saw_plan(self._clock.now(), version=plan.version, next_due_on=plan.next_due_on)
        return plan

    async def _book(self, chart: Chart, today: date) -> None:
        seed, index, booking = self._clinic.seed, chart.person.index, chart.bookings
        seen = chart.seen[-1]
        part = self._clinic.cast.get(index)
        ahead = choices.books_ahead(seed, index, booking) if part is None else 366 if part.booked else -366
        if (seen.next_due_on - today).days > ahead:
            return
        fate = self._clinic.fate(index, booking)
        starts_at = choices.slot(seen.next_due_on, today, fate.hour)
        now = self._clock.now()
        session = await self._counter.post(
            SessionSeen,
            "sessions",
            {
                "patient": chart.patient,
                "starts_at": wall_text(starts_at),
                "zone": self._clinic.zone,
                "minutes": choices.SESSION_MINUTES,
            },
            key=f"{chart.patient}/book/{booking}",
        )
        chart.visits.append(Visit(session.id, booking, fate, [Placement(starts_at, self._clinic.zone, now)]))
        chart.saw_plan(now, version=seen.version, next_due_on=seen.next_due_on)

    async def _change(self, chart: Chart, visit: Visit, today: date) -> None:
        """Move or cancel what is booked: one change a morning."""
        days_left = (visit.present.starts_at.date() - today).days
        refitted = self._refitted(chart, visit, today)
        if refitted is not None:
            await self._move(chart, visit, refitted)
        elif visit.shifts_done < len(visit.fate.shifts):
            shift = visit.fate.shifts[visit.shifts_done]
            if days_left > shift.lead:
                return
            visit.shifts_done += 1
            moved = choices.shifted(visit.present.starts_at, shift, today)
            if moved is not None:
                await self._move(chart, visit, moved)
        elif visit.fate.ending is Ending.CANCEL and days_left <= visit.fate.cancel_lead:
            await self._end(chart, visit, "cancel")
            seen = chart.seen[-1]
            chart.saw_plan(self._clock.now(), version=seen.version, next_due_on=seen.next_due_on)

    def _refitted(self, chart: Chart, visit: Visit, today: date) -> datetime | None:
        """Return where a booked session goes after a decision gave the plan another date, or None."""
        seen, decided = chart.seen[-1], chart.decided_version
        chart.decided_version = None
        if decided is None or abs((seen.next_due_on - visit.present.starts_at.date()).days) < MISFIT_DAYS:
            return None
        if not choices.fits_again(self._clinic.seed, chart.person.index, decided):
            return None
        return choices.slot(seen.next_due_on, today, visit.fate.hour)

    async def _move(self, chart: Chart, visit: Visit, starts_at: datetime) -> None:
        now, seen = self._clock.now(), chart.seen[-1]
        body = {"starts_at": wall_text(starts_at)}
        key = f"{visit.session}/move/{len(visit.placements)}"
        await self._counter.patch(SessionSeen, f"sessions/{visit.session}", body, key=key)
        visit.move(starts_at, now)
        chart.saw_plan(now, version=seen.version, next_due_on=seen.next_due_on)

    async def _end(self, chart: Chart, visit: Visit, how: str) -> None:
        now = self._clock.now()
        reason = {"reason": f"{chart.person.external_id}: as agreed on the phone."} if how == "cancel" else {}
        await self._counter.post(SessionSeen, f"sessions/{visit.session}/{how}", reason, key=f"{visit.session}/{how}")
        visit.end(now)
