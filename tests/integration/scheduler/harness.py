"""Short words for what a clinic does with its scheduler."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from services.scheduler.model.catalogue import WITHOUT_PLAN
from shared.events import (
    ClinicChanged,
    CrisisTexts,
    Event,
    IntervalDecided,
    IntervalTakenBack,
    PatientChanged,
    PatientDischarged,
    PatientEnrolled,
    ReplyReceived,
)
from shared.ids import new_id
from shared.walltime import parse_wall, to_instant
from tests.support.bench import Answer, Bench

NEW_YORK = "America/New_York"
SEALED = "k1.AAAA"
E = TypeVar("E", bound=Event)


@dataclass
class SchedulerHarness:
    """One clinic at work, with one patient."""

    bench: Bench
    patient: UUID

    async def open(self, zone: str = NEW_YORK, *, version: int = 1) -> None:
        """Tell of the clinic, whose clock is in a zone."""
        await self.bench.tell(
            ClinicChanged(
                clinic=self.bench.clinic,
                version=version,
                name="Riverside",
                sender_name="Riverside",
                zone=zone,
                phone="+12025550100",
                crisis=CrisisTexts(en="Call 988.", es="Llame al 988."),
            )
        )

    async def enrol(self, zone: str = NEW_YORK, *, patient: UUID | None = None, version: int = 1) -> None:
        await self.bench.tell(self._patient(PatientEnrolled, zone, patient or self.patient, version))

    async def moves_home(self, zone: str, *, version: int) -> None:
        await self.bench.tell(self._patient(PatientChanged, zone, self.patient, version))

    async def changes(self, *, in_care: bool, version: int) -> None:
        """Tell of a change of the patient, which says whether they are in care."""
        event = self._patient(PatientChanged, NEW_YORK, self.patient, version)
        await self.bench.tell(event.model_copy(update={"in_care": in_care}))

    def _patient(self, kind: type[PatientEnrolled], zone: str, patient: UUID, version: int) -> PatientEnrolled:
        return kind(
            clinic=self.bench.clinic, version=version, patient=patient, language="en", zone=zone, given_name=SEALED
        )

    async def discharge(self, *, version: int = 9) -> None:
        await self.bench.tell(PatientDischarged(clinic=self.bench.clinic, version=version, patient=self.patient))

    async def reinstate(self, *, version: int) -> None:
        await self.bench.tell(self._patient(PatientEnrolled, "America/New_York", self.patient, version))

    async def start(self, start_on: str = "2026-12-01") -> Any:
        body = {"protocol": "iv-ketamine", "start_on": start_on}
        answer = await self.bench.call("POST", f"/patients/{self.patient}/plans", body)
        assert answer.status == 201, answer.text
        return answer.json

    async def try_to_book(self, starts_at: str, *, minutes: Any = 60, **more: Any) -> Answer:
        headers = more.pop("headers", None)
        body = {"patient": str(self.patient), "starts_at": starts_at, "minutes": minutes, **more}
        return await self.bench.call("POST", "/sessions", body, headers=headers)

    async def book(self, starts_at: str, **more: Any) -> Any:
        answer = await self.try_to_book(starts_at, **more)
        assert answer.status == 201, answer.text
        return answer.json

    async def end(self, session: Any, how: str, body: Any = None) -> Any:
        answer = await self.bench.call("POST", f"/sessions/{session['id']}/{how}", body)
        assert answer.status == 200, answer.text
        return answer.json

    async def attend_at(self, starts_at: str) -> Any:
        """Book a session, live until it is over, and record it as attended."""
        session = await self.book(starts_at)
        await self.until(starts_at)
        return await self.end(session, "attend")

    async def until(self, wall: str, zone: str = NEW_YORK) -> list[Any]:
        """Live until a wall time; return the events of the timers that fired."""
        return list(await self.bench.live_until(at(wall, zone)))

    async def reply(self, session: str | None, version: int | None, intent: str = "confirm") -> UUID:
        reply = new_id()
        event = ReplyReceived(
            clinic=self.bench.clinic,
            version=1,
            patient=self.patient,
            reply=reply,
            intent=intent,
            session=session,
            session_version=version,
            text=SEALED,
            at=self.bench.clock.now(),
        )
        await self.bench.tell(event)
        return reply

    async def decide(self, plan: str, decision: str, interval: int | None, **more: Any) -> None:
        event = IntervalDecided(
            clinic=self.bench.clinic,
            version=more.get("version", 2),
            patient=self.patient,
            proposal=more.get("proposal") or new_id(),
            plan=plan,
            decision=decision,
            interval_days=interval,
            by="Dr. Mora",
            at=self.bench.clock.now(),
        )
        await self.bench.tell(event)

    async def take_back(self, plan: str, proposal: UUID, interval: int | None, *, version: int = 3) -> None:
        """Tell that the decision of a proposal was taken back; it was approved a moment before."""
        now = self.bench.clock.now()
        event = IntervalTakenBack(
            clinic=self.bench.clinic,
            version=version,
            patient=self.patient,
            proposal=proposal,
            plan=plan,
            decision="approve",
            interval_days=interval,
            decided_by="Dr. Mora",
            decided_at=now,
            by="Dr. Mora",
            at=now,
            reason=SEALED,
        )
        await self.bench.tell(event)

    async def plan(self) -> Any:
        return (await self.bench.call("GET", f"/patients/{self.patient}/plan")).json

    async def said(self, kind: type[E]) -> list[E]:
        return await self.bench.said(kind)

    def reminders(self, wall: str, zone: str = NEW_YORK) -> dict[str, datetime]:
        """Return the reminders still ahead for a session at a wall time, as the newest plans have them."""
        days = {f"{n}d": to_instant(parse_wall(wall) - timedelta(days=n), zone) for n in WITHOUT_PLAN.reminder_days}
        return {name: due for name, due in days.items() if due > self.bench.clock.now()}

    async def timers(self) -> dict[str, datetime]:
        """Return the pending timers' instants by the end of their names: `3d`, `checkin/day-7`, `booking`."""
        pending = await self.bench.pending()
        return {
            name.split("/", 2)[2].split("/", 2)[-1].removeprefix("checkin/"): due for name, (due, _) in pending.items()
        }


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    return to_instant(parse_wall(wall), zone)
