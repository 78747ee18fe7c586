"""How the desk finds its way back: what it had done before a restart, and what a visitor did behind its back."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from keepwell.simulated_clinic.counter import Counter, PatientSeen, PlanAnswer, SessionSeen
from keepwell.simulated_clinic.people import Person
from keepwell.simulated_clinic.reception import Clinic
from keepwell.simulated_clinic.record import Chart, Placement, Visit

FILE: Final = "front-desk.json"
OPEN: Final = frozenset({"booked", "confirmed"})


@dataclass(frozen=True)
class Story:
    """What a made-up clinic is made of; it stays the same for as long as its data lie there.

    Attributes:
        first_day: ISO date of the day on which it opened.
    """

    seed: int
    patients: int
    first_day: str

    @classmethod
    def of(cls, folder: Path) -> "Story | None":
        """Return the story of a data directory, or None where none has begun."""
        file = folder / FILE
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    def keep(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @property
    def opened_on(self) -> date:
        return date.fromisoformat(self.first_day)


async def remember(clinic: Clinic, counter: Counter, people: Sequence[Person], now: datetime) -> None:
    """Find the made-up people who are enrolled, with their charts; the others are still to come."""
    known = {seen.external_id: seen for seen in await counter.every(PatientSeen, "patients")}
    clinic.to_come[:] = [who for who in people if who.external_id not in known]
    for who in people:
        seen = known.get(who.external_id)
        if seen is not None:
            clinic.charts[who.index] = chart = Chart(who, clinic.care(who), seen.id, now)
            await refresh(clinic, counter, chart, now)


async def refresh(clinic: Clinic, counter: Counter, chart: Chart, now: datetime) -> None:
    """Bring a chart to how things stand: a visitor may have moved, recorded or discharged."""
    patient = await counter.get(PatientSeen, f"patients/{chart.patient}")
    sessions = await counter.every(SessionSeen, f"patients/{chart.patient}/sessions")
    known = {visit.session: visit for visit in chart.visits}
    chart.visits = [
        _as_it_stands(known.get(session.id) or _visit(clinic, chart, number, session, now), session, now)
        for number, session in enumerate(sessions)
    ]
    plan = await counter.find(PlanAnswer, f"patients/{chart.patient}/plan")
    if plan is not None:
        chart.plan = plan.id
        chart.saw_plan(now, version=plan.version, next_due_on=plan.next_due_on)
    if patient.state == "discharged" and chart.discharged_at is None:
        chart.discharge(now)


def _visit(clinic: Clinic, chart: Chart, number: int, session: SessionSeen, now: datetime) -> Visit:
    fate = clinic.fate(chart.person.index, number)
    placement = Placement(session.starts_at, session.zone, now)
    # What was already moved before is not known any more: this one is left where it is.
    return Visit(session.id, number, fate, [placement], shifts_done=len(fate.shifts))


def _as_it_stands(visit: Visit, session: SessionSeen, now: datetime) -> Visit:
    if session.state in OPEN:
        if visit.present.starts_at != session.starts_at:
            visit.placements.append(Placement(session.starts_at, session.zone, now))
        return visit
    visit.end(visit.present.ended_at or now)
    if session.state == "attended" and visit.attended_on is None:
        visit.attended_at, visit.attended_on = now, session.starts_at.date()
    return visit
