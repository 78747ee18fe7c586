"""A message that is due, with all that the decision over it and its words need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.model.purposes import Channel, Purpose
from services.notifier.model.quiet_hours import WakingHours
from services.notifier.model.reconciliation import Candidate, Gap
from services.notifier.model.send_rules import CurrentSession, Draft, SendConditions
from services.notifier.model.states import State
from shared.walltime import to_wall


@dataclass(frozen=True, slots=True)
class DueSession:
    """The session that a message is about, as it now stands; `wall` is its start as the clock of `zone` shows it."""

    id: UUID
    state: str
    wall: str
    zone: str
    starts_at: datetime
    minutes: int
    version: int


@dataclass(frozen=True, slots=True)
class OpenRestore:
    """A restore that is open, as it matters for a message; `cleared` tells whether the message may go all the same."""

    id: int
    gap: Gap
    cleared: bool


@dataclass(frozen=True, slots=True)
class DueClinic:
    """The clinic that a message comes from; `opens` and `closes` are wall times such as `09:00`."""

    sender_name: str
    phone: str
    opens: str
    closes: str
    zone: str
    crisis_en: str
    crisis_es: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: sealed, and the fingerprint under which it is found again."""

    sealed: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A claimed message with what is true of it now.

    Attributes:
        starts_at: of the session it was planned for.
        link: sealed.
        others: wall times of further sessions that a reply names.
        clinic_now: None where the clinic is not known.
        language, zone: the patient's; None where the patient is not known, or there is none.
        address: None where there is none to send to.
        stopped: whether that address said stop.
        asked: whether it was asked if it wants texts, and has not answered.
        first: whether nothing went to that address before.
        sent: when counted texts went to this patient in the last `COUNTED_SPAN`.
    """

    id: UUID
    clinic: UUID
    patient: UUID | None
    purpose: str
    channel: str
    occurrence: str
    about: UUID | None
    state: State
    version: int
    starts_at: datetime | None
    useful_until: datetime | None
    not_before: datetime | None
    link: str | None
    others: tuple[str, ...]
    trace: str | None
    restore: OpenRestore | None
    clinic_now: DueClinic | None
    session: DueSession | None
    language: str | None
    zone: str | None
    discharged: bool
    address: Address | None
    consented: bool
    stopped: bool
    asked: bool
    bad_address: bool
    booked: bool
    first: bool
    sent: Sequence[datetime]

    def draft(self) -> Draft:
        """Return what the decision needs of the message itself.

        Raises:
            ValueError: its purpose or channel is not known here.
        """
        return Draft(Purpose(self.purpose), Channel(self.channel), self.occurrence, self.starts_at, self.useful_until)

    def conditions(self, now: datetime, *, daily_limit: int) -> SendConditions:
        """Return what is true of its recipient and session; `daily_limit` in texts."""
        clinic, session = self.clinic_now, self.session
        zone = self.zone or (clinic.zone if clinic is not None else "") or "UTC"
        today = to_wall(now, zone).date()
        hours = WakingHours()
        if clinic is not None and clinic.opens:
            hours = WakingHours.parse(clinic.opens, clinic.closes)
        return SendConditions(
            zone=zone,
            hours=hours,
            discharged=self.discharged,
            address=self.address is not None,
            consent=self.consented,
            opted_out=self.stopped,
            asked=self.asked,
            bad_address=self.bad_address,
            session=None
            if session is None
            else CurrentSession(session.starts_at, session.state in {"booked", "confirmed"}),
            booked=self.booked,
            sent_today=sum(to_wall(at, zone).date() == today for at in self.sent),
            daily_limit=daily_limit,
        )

    def destination(self) -> Address:
        """Return where it goes.

        Raises:
            LookupError: nowhere; the decision withholds such a message.
        """
        if self.address is None:
            raise LookupError(f"Message {self.id} has no address.")
        return self.address

    def named_session(self) -> DueSession:
        """Return the session that it is about.

        Raises:
            LookupError: it is about none that is known here; the decision withholds such a message.
        """
        if self.session is None:
            raise LookupError(f"Message {self.id} names a session that is not known.")
        return self.session

    def candidate(self) -> Candidate:
        """Return what the decision after a restore needs of it.

        Raises:
            ValueError: its purpose or channel is not known here.
        """
        return Candidate(Purpose(self.purpose), Channel(self.channel), self.not_before)
