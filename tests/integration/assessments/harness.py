"""A clinic with one patient, told to the assessments service as the other services would tell it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.events import (
    CheckinDue,
    CheckinOpened,
    ClinicChanged,
    Contact,
    CrisisTexts,
    PatientChanged,
    PatientEnrolled,
    PlanChanged,
    PlanStarted,
    SessionAttended,
)
from shared.walltime import to_instant, to_wall
from tests.support.bench import KEYRING, Answer, Bench
from tests.support.checkins import page_mark

ZONE = "America/New_York"
CRISIS_EN = "Call or text 988 at any hour. In danger right now: 911."
CRISIS_ES = "Llame al 988 a toda hora. En peligro ahora mismo: 911."
PHONE = "+1 555 010 0199"
NINE_ZEROS = [0] * 9


@dataclass
class AssessmentsHarness:
    """What the tests of this service share."""

    bench: Bench
    patient: UUID = field(default_factory=uuid4)
    plan: UUID = field(default_factory=uuid4)
    _plan_version: int = 0
    _patient_version: int = 0
    _marks: dict[str, str] = field(default_factory=dict)

    async def open(self) -> None:
        """Tell of the clinic, the patient and the plan."""
        await self.bench.tell(
            ClinicChanged(
                clinic=self.bench.clinic,
                version=1,
                name="Harbor Ketamine Clinic",
                sender_name="Harbor",
                zone=ZONE,
                phone=PHONE,
                quiet_from="08:00",
                quiet_until="21:00",
                crisis=CrisisTexts(en=CRISIS_EN, es=CRISIS_ES),
            )
        )
        await self.enrol()
        await self.plan_is(phase="induction", interval=3)

    async def enrol(
        self,
        *,
        language: Any = "en",
        numbers: Sequence[str] = ("+12025550123",),
        name: str = "Ana",
        patient: UUID | None = None,
        in_care: bool | None = None,
    ) -> None:
        """Tell of the patient, or of another one."""
        self._patient_version += 1
        kind = PatientEnrolled if self._patient_version == 1 or patient else PatientChanged
        await self.bench.tell(
            kind(
                clinic=self.bench.clinic,
                version=1 if patient else self._patient_version,
                patient=patient or self.patient,
                language=language,
                zone=ZONE,
                given_name=KEYRING.seal(name, context="name"),
                contacts=tuple(a_contact(number) for number in numbers),
                in_care=in_care,
            )
        )

    async def plan_is(
        self,
        *,
        phase: str,
        interval: int,
        complete: bool = False,
        protocol: str = "iv-ketamine",
        ladder: tuple[int, ...] | None = (7, 14, 21, 28, 42, 56, 84),
        kind: str | None = None,
        again: bool = False,
        **more: Any,
    ) -> None:
        """Tell how the plan now stands."""
        self._plan_version += not again
        event = PlanStarted if self._plan_version == 1 else PlanChanged
        await self.bench.tell(
            event(
                clinic=self.bench.clinic,
                version=self._plan_version,
                patient=self.patient,
                plan=self.plan,
                protocol=protocol,
                protocol_version=1,
                phase=phase,
                phase_kind=kind,
                interval_days=interval,
                next_due_on=self.today + timedelta(days=interval),
                induction_complete=complete,
                attended=0,
                why="told by a test",
                ladder=ladder,
                opt_in_above=None if ladder is None else 28,
                **more,
            )
        )

    @property
    def today(self) -> date:
        """The date where the patient lives."""
        return to_wall(self.bench.clock.now(), ZONE).date()

    async def live_until(self, day: date, at: time = time(10)) -> None:
        """Move on to a wall time of the patient, firing what falls due."""
        await self.bench.live_until(to_instant(datetime.combine(day, at), ZONE))

    async def attend(self, *, on: date | None = None) -> UUID:
        """Tell of a session that is recorded now, as attended today or on an earlier day."""
        session = uuid4()
        now = self.bench.clock.now()
        await self.bench.tell(
            SessionAttended(
                clinic=self.bench.clinic,
                version=2,
                patient=self.patient,
                session=session,
                plan=self.plan,
                starts_at=to_wall(now, ZONE).strftime("%Y-%m-%dT%H:%M"),
                zone=ZONE,
                starts_at_utc=now,
                minutes=60,
                state="attended",
                attended_at=now,
                attended_on=on,
            )
        )
        return session

    async def ask(self, *instruments: str, occurrence: str = "day-7", session: UUID | None = None) -> CheckinOpened:
        """Tell that a check-in is due for today; return what the service said."""
        await self.bench.said(clear=True)
        await self.due(*instruments, occurrence=occurrence, session=session)
        (opened,) = await self.bench.said(CheckinOpened)
        return opened

    async def due(self, *instruments: str, occurrence: str = "day-7", session: UUID | None = None) -> None:
        """Tell that a check-in is due for today."""
        await self.bench.tell(
            CheckinDue(
                clinic=self.bench.clinic,
                version=2,
                patient=self.patient,
                session=session or uuid4(),
                plan=self.plan,
                occurrence=occurrence,
                asked_for=self.today,
                instruments=instruments or ("phq-9",),
            )
        )

    def path(self, opened: CheckinOpened) -> str:
        """Return the path of a check-in's link, as the patient got it."""
        link = KEYRING.open(opened.link, context="link")
        assert link.startswith(f"{self.bench.base_url}/c/")
        path = link.removeprefix(self.bench.base_url)
        self._marks[path] = page_mark(KEYRING, opened.checkin)
        return path

    def mark(self, path: str) -> str:
        """Return what the form on a link's page carries."""
        return self._marks[path]

    async def send(self, path: str, instrument: str, answers: dict[str, int], **fields: str) -> Answer:
        """Send a patient's form, as a browser does that has had the page open."""
        given = {f"q-{item}": str(value) for item, value in answers.items()}
        data = {"instrument": instrument, "page": self._marks[path], **given, **fields}
        return await self.bench.call("POST", path, data=data, token="")

    async def phq9(self, total: int, item_9: int = 0) -> Answer:
        """Ask and answer a PHQ-9 today with a total spread over the first eight items."""
        opened = await self.ask("phq-9")
        return await self.send(self.path(opened), "phq-9", spread(total, item_9))

    async def items(self, path: str) -> list[Any]:
        answer = await self.bench.call("GET", path)
        assert answer.status == 200, answer.text
        return list(answer.json["items"])

    async def proposals(self) -> list[Any]:
        return await self.items(f"/patients/{self.patient}/proposals")


def a_contact(number: str) -> Contact:
    """Return a contact point of a number, or of a mailbox."""
    kind: Any = "email" if "@" in number else "sms"
    return Contact(id=uuid4(), kind=kind, value=KEYRING.seal(number, context="contact"))


def spread(total: int, item_9: int = 0) -> dict[str, int]:
    """Return PHQ-9 answers with a total."""
    left, answers = total - item_9, {"9": item_9}
    for number in range(1, 9):
        answers[str(number)] = min(3, left)
        left -= answers[str(number)]
    assert left == 0
    return answers


def questions(page: str) -> list[str]:
    """Return the names of the questions on a page, in order."""
    return list(dict.fromkeys(re.findall(r'<input type="radio"[^>]*name="q-([^"]+)"', page)))


def chosen(page: str) -> list[tuple[str, str]]:
    """Return the choices that a page shows as made."""
    return re.findall(r'name="q-([^"]+)" value="([^"]+)"\s*checked', page)
