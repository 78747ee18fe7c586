"""Short words for what happens around a notifier."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import select

from services.notifier.tables import MESSAGES
from shared.clock import SteppedClock
from shared.events import (
    AlertRaised,
    BookingDue,
    CheckinOpened,
    ClinicChanged,
    Consent,
    Contact,
    CrisisTexts,
    Event,
    PatientChanged,
    PatientEnrolled,
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionCorrected,
    SessionDue,
    SessionEvent,
    SessionMoved,
    StaffContact,
)
from shared.ids import new_id
from shared.service import Service
from shared.walltime import parse_wall, to_instant
from tests.integration.notifier.fake_provider import FakeProvider
from tests.support.bench import KEYRING, Bench, eventually

NEW_YORK = "America/New_York"
E = TypeVar("E", bound=Event)
S = TypeVar("S", bound=SessionEvent)
ALL = ("reminders", "checkins", "booking")


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    return to_instant(parse_wall(wall), zone)


def contact_of(kind: Literal["sms", "email"], value: str, purposes: tuple[Any, ...] = ALL) -> Contact:
    given = tuple(Consent(purpose=purpose, how="form", at=at("2026-11-01T10:00")) for purpose in purposes)
    return Contact(id=new_id(), kind=kind, value=KEYRING.seal(value, context="contact"), consents=given)


@dataclass
class Session:
    """A session as the scheduler would speak of it."""

    patient: UUID
    starts_at: str
    zone: str = NEW_YORK
    version: int = 1
    id: UUID = field(default_factory=new_id)


@dataclass
class NotifierHarness:
    """A clinic whose notifier is on the bench."""

    bench: Bench
    fake_provider: FakeProvider

    @property
    def clock(self) -> SteppedClock:
        return self.bench.clock

    async def opens(self, *, version: int = 1, oncall: tuple[StaffContact, ...] = (), **more: Any) -> None:
        values: dict[str, Any] = {
            "clinic": self.bench.clinic,
            "version": version,
            "name": "Lakeside Ketamine Clinic",
            "sender_name": "Lakeside Clinic",
            "zone": NEW_YORK,
            "phone": "+1 555 010 0100",
            "crisis": CrisisTexts(en="In a crisis call or text 988.", es="En crisis llame al 988."),
            "oncall": oncall,
        }
        await self.bench.tell(ClinicChanged(**(values | more)))

    async def enrol(
        self,
        *contacts: Contact,
        patient: UUID | None = None,
        zone: str = NEW_YORK,
        language: Literal["en", "es"] = "en",
        version: int = 1,
        back: bool = False,
        in_care: bool | None = None,
    ) -> UUID:
        chosen = patient or uuid4()
        kind = PatientEnrolled if back or version == 1 else PatientChanged
        event = kind(
            clinic=self.bench.clinic,
            version=version,
            patient=chosen,
            language=language,
            zone=zone,
            given_name=KEYRING.seal("Ana", context="name"),
            contacts=contacts,
            in_care=in_care,
        )
        await self.bench.tell(event)
        return chosen

    async def book(self, patient: UUID, starts_at: str = "2026-12-04T10:00", zone: str = NEW_YORK) -> Session:
        session = Session(patient, starts_at, zone)
        await self.tell_session(SessionBooked, session, "booked")
        return session

    async def tell_session(self, kind: type[S], session: Session, state: str, **more: Any) -> None:
        event = kind(
            clinic=self.bench.clinic,
            version=session.version,
            patient=session.patient,
            session=session.id,
            plan=None,
            starts_at=session.starts_at,
            zone=session.zone,
            starts_at_utc=at(session.starts_at, session.zone),
            minutes=90,
            state=state,
            **more,
        )
        await self.bench.tell(event)

    async def move(self, session: Session, starts_at: str) -> None:
        session.version += 1
        session.starts_at = starts_at
        await self.tell_session(SessionMoved, session, "booked")

    async def cancel(self, session: Session) -> None:
        session.version += 1
        await self.tell_session(SessionCancelled, session, "cancelled")

    async def restore(self, session: Session) -> None:
        """Put a session back that was cancelled or recorded by mistake."""
        session.version += 1
        reason = KEYRING.seal("The wrong row.", context="correction")
        now = self.bench.clock.now()
        await self.tell_session(
            SessionCorrected, session, "booked", before="cancelled", by="Nurse Kim", at=now, reason=reason
        )

    async def confirm(self, session: Session) -> None:
        session.version += 1
        await self.tell_session(SessionConfirmed, session, "confirmed")

    async def due(
        self, session: Session, occurrence: Literal["3d", "1d"] = "3d", *, event_id: UUID | None = None
    ) -> None:
        event = SessionDue(
            clinic=self.bench.clinic,
            version=session.version,
            patient=session.patient,
            session=session.id,
            occurrence=occurrence,
            starts_at=session.starts_at,
            zone=session.zone,
            starts_at_utc=at(session.starts_at, session.zone),
            minutes=90,
        )
        await self.bench.tell(event, event_id=event_id)

    async def open_checkin(self, patient: UUID, occurrence: str = "day-1", *, hours: int = 72) -> UUID:
        checkin = new_id()
        await self.bench.tell(self.checkin_told(patient, checkin, occurrence=occurrence, hours=hours))
        return checkin

    def checkin_told(
        self,
        patient: UUID,
        checkin: UUID,
        *,
        version: int = 1,
        occurrence: str = "day-1",
        hours: int = 72,
        link: str = "https://care.example/c/abc",
        since: int = 0,
    ) -> CheckinOpened:
        return CheckinOpened(
            clinic=self.bench.clinic,
            version=version,
            patient=patient,
            checkin=checkin,
            occurrence=occurrence,
            instruments=("phq-9",),
            asked_for=self.clock.now().date(),
            expires_at=self.clock.now() + timedelta(hours=hours),
            link=KEYRING.seal(link, context="link"),
            patient_version=since,
        )

    async def booking_due(self, patient: UUID) -> None:
        event = BookingDue(
            clinic=self.bench.clinic, version=1, patient=patient, plan=new_id(), due_on=self.clock.now().date()
        )
        await self.bench.tell(event)

    async def alert(self, patient: UUID) -> UUID:
        alert = new_id()
        event = AlertRaised(
            clinic=self.bench.clinic,
            version=1,
            patient=patient,
            alert=alert,
            level="high",
            cause=KEYRING.seal("item 9", context="cause"),
            raised_at=self.clock.now(),
        )
        await self.bench.tell(event)
        return alert

    async def messages(self) -> list[Any]:
        async with self.bench.database.reading() as reader:
            return list(await reader.all(select(MESSAGES).order_by(MESSAGES.c.id)))

    async def states(self) -> list[str]:
        return [row.state for row in await self.messages()]

    async def only(self) -> Any:
        (message,) = await self.messages()
        return message

    async def settled(self, service: Service | None = None) -> None:
        """Wait until nothing is in flight or due."""

        async def quiet() -> bool:
            async with self.bench.database.reading() as reader:
                return not await (service or self.bench.service).busy(reader)

        await eventually(quiet)

    async def until(self, instant: datetime, service: Service | None = None) -> None:
        """Live until an instant, stopping at each on the way at which the notifier has something to do."""
        while True:
            await self.settled(service)
            async with self.bench.database.reading() as reader:
                next_at = await (service or self.bench.service).next_due(reader)
            if next_at is None or next_at > instant:
                break
            await self.clock.move_to(max(next_at, self.clock.now()))
        await self.clock.move_to(max(instant, self.clock.now()))
        await self.settled(service)

    async def in_state(self, *states: str) -> None:
        async def reached() -> bool:
            return sorted(await self.states()) == sorted(states)

        await eventually(reached)

    async def story(self, message: UUID) -> list[str]:
        answer = await self.bench.call("GET", f"/messages/{message}")
        assert answer.status == 200
        return [f"{line['what']}: {line['detail']}" for line in answer.json["story"]]
