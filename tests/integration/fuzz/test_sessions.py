"""The life of sessions and their reminders, against a model that counts hours."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from services.scheduler.model.catalogue import WITHOUT_PLAN
from shared.events import (
    PatientDischarged,
    PatientEnrolled,
    ReplyReceived,
    SessionAttended,
    SessionBooked,
    SessionCancelled,
    SessionConfirmed,
    SessionDue,
    SessionEvent,
    SessionMissed,
    SessionMoved,
)
from shared.ids import new_id
from tests.integration.fuzz.machines import BEHIND, ZONE, Machine
from tests.integration.fuzz.profiles import tries
from tests.integration.fuzz.world import World

DAY: Final = timedelta(days=1)
REMINDED: Final = {f"{days}d": days * DAY for days in WITHOUT_PLAN.reminder_days}
KINDS: Final = (SessionBooked, SessionMoved, SessionConfirmed, SessionCancelled, SessionAttended, SessionMissed)
STATE_OF: Final[dict[type[SessionEvent], str]] = {
    SessionBooked: "booked",
    SessionMoved: "booked",
    SessionConfirmed: "confirmed",
    SessionCancelled: "cancelled",
    SessionAttended: "attended",
    SessionMissed: "missed",
}


@dataclass
class Kept:
    """A session as the model has it, with the reminders that must be pending."""

    start: datetime
    minutes: int
    state: str = "booked"
    version: int = 1
    reminders: dict[str, datetime] | None = None

    @property
    def open(self) -> bool:
        return self.state in {"booked", "confirmed"}

    def meets(self, start: datetime, minutes: int) -> bool:
        first, second = sorted([(self.start, self.minutes), (start, minutes)])
        return second[0] < first[0] + timedelta(minutes=first[1])

    def change(self, state: str, now: datetime, *, start: datetime | None = None) -> None:
        """Take another state, and have the reminders that are still ahead for it."""
        self.state, self.version, self.start = state, self.version + 1, start or self.start
        self.remind(now)

    def remind(self, now: datetime) -> None:
        ahead = {name: self.start - span for name, span in REMINDED.items() if self.start - span > now}
        self.reminders = ahead if self.open else {}


DAYS, HOUR = strategies.integers(0, 9), strategies.integers(0, 23)
PICK = strategies.integers(0, 99)


class Sessions(Machine):
    """Staff book, move, cancel and record; a patient confirms; time goes on."""

    service = "scheduler"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.kept: dict[str, Kept] = {}
        self.discharged = False
        assert world.clinic is not None
        self.tell(
            PatientEnrolled(
                clinic=world.clinic, version=1, patient=self.patient, language="en", zone=ZONE, given_name="k1.AAAA"
            )
        )

    def slot(self, days: int, hour: int) -> tuple[datetime, str]:
        """Return an instant near the present, and how a clock in Phoenix writes it."""
        local = (self.now - BEHIND).replace(hour=hour, minute=0, second=0, microsecond=0) + days * DAY
        return local + BEHIND, local.strftime("%Y-%m-%dT%H:%M")

    def picked(self, pick: int) -> tuple[str, Kept]:
        return list(self.kept.items())[pick % len(self.kept)]

    def taken(self, start: datetime, minutes: int, but: str = "") -> bool:
        return any(one.open and one.meets(start, minutes) for name, one in self.kept.items() if name != but)

    @rule(days=DAYS, hour=HOUR, minutes=strategies.sampled_from([30, 90, 300]))
    def book(self, days: int, hour: int, minutes: int) -> None:
        start, wall = self.slot(days, hour)
        when = {"starts_at": wall, "zone": ZONE, "odd_hour": True}
        status, body = self.call("POST", "/sessions", {"patient": str(self.patient), **when, "minutes": minutes})
        if self.discharged:
            assert status == 409
        elif start <= self.now:
            assert status == 422
        elif self.taken(start, minutes):
            assert status == 409
        else:
            assert status == 201, body
            self.kept[body["id"]] = Kept(start, minutes)
            self.kept[body["id"]].remind(self.now)

    @precondition(lambda self: self.kept)
    @rule(pick=PICK, days=DAYS, hour=HOUR)
    def move(self, pick: int, days: int, hour: int) -> None:
        name, one = self.picked(pick)
        start, wall = self.slot(days, hour)
        status, body = self.call("PATCH", f"/sessions/{name}", {"starts_at": wall, "odd_hour": True})
        if not one.open:
            assert status == 409
        elif start == one.start:
            assert status == 200
        elif start <= self.now:
            assert status == 422
        elif self.taken(start, one.minutes, but=name):
            assert status == 409
        else:
            assert status == 200, body
            one.change("booked", self.now, start=start)

    @precondition(lambda self: self.kept)
    @rule(pick=PICK, how=strategies.sampled_from(["cancel", "attend", "miss"]), stale=strategies.booleans())
    def end(self, pick: int, how: str, stale: bool) -> None:
        name, one = self.picked(pick)
        known = one.version - 1 if stale else one.version
        status, _ = self.call("POST", f"/sessions/{name}/{how}", {}, **{"If-Match": f'"{known}"'})
        if stale:
            assert status == 412
        elif not one.open or one.start - self.now > {"cancel": 99 * DAY, "attend": DAY, "miss": 0 * DAY}[how]:
            assert status == 409
        else:
            assert status == 200
            one.change({"cancel": "cancelled", "attend": "attended", "miss": "missed"}[how], self.now)

    @precondition(lambda self: self.kept)
    @rule(pick=PICK, behind=strategies.integers(0, 2))
    def confirm(self, pick: int, behind: int) -> None:
        name, one = self.picked(pick)
        event: Any = ReplyReceived(
            clinic=self.world.clinic,
            version=1,
            patient=self.patient,
            reply=new_id(),
            intent="confirm",
            session=name,
            session_version=max(1, one.version - behind),
            text="k1.AAAA",
            at=self.now,
        )
        self.tell(event)
        if one.state == "booked" and event.session_version == one.version and one.start > self.now:
            one.change("confirmed", self.now)

    @rule(hours=strategies.integers(1, 60))
    def wait(self, hours: int) -> None:
        until = self.now + timedelta(hours=hours)
        due = {
            (name, occurrence): at
            for name, one in self.kept.items()
            for occurrence, at in (one.reminders or {}).items()
            if at <= until
        }
        fired = [(at, event) for at, event in self.live(timedelta(hours=hours)) if isinstance(event, SessionDue)]
        assert {(str(event.session), event.occurrence): at for at, event in fired} == due
        assert len(fired) == len(due), "a reminder fell due twice"
        for _, event in fired:
            one = self.kept[str(event.session)]
            assert (one.open, one.version, one.start) == (True, event.version, event.starts_at_utc), "a stale reminder"
            assert one.reminders is not None
            del one.reminders[event.occurrence]

    @precondition(lambda self: len(self.kept) > 5 and not self.discharged)
    @rule()
    def discharge(self) -> None:
        assert self.world.clinic is not None
        self.tell(PatientDischarged(clinic=self.world.clinic, version=9, patient=self.patient))
        self.discharged = True
        for one in self.kept.values():
            if one.open:
                one.change("cancelled", self.now)

    @invariant()
    def sessions_are_as_the_model_has_them(self) -> None:
        status, body = self.call("GET", f"/patients/{self.patient}/sessions")
        assert status == 200
        shown = {
            one["id"]: (one["state"], one["version"], datetime.fromisoformat(one["starts_at_utc"]))
            for one in body["items"]
        }
        assert shown == {name: (one.state, one.version, one.start) for name, one in self.kept.items()}

    @invariant()
    def pending_reminders_are_those_of_open_sessions_at_their_present_time(self) -> None:
        pending = {
            (str(event.session), event.occurrence): (at, event.version)
            for at, event in self.timers().values()
            if isinstance(event, SessionDue)
        }
        assert pending == {
            (name, occurrence): (at, one.version)
            for name, one in self.kept.items()
            for occurrence, at in (one.reminders or {}).items()
        }

    @invariant()
    def nothing_is_left_of_somebody_who_left(self) -> None:
        if self.discharged:
            assert self.timers() == {}

    def teardown(self) -> None:
        """Hold what was said against the model: each version of each session once, in order."""
        told: dict[str, list[SessionEvent]] = {name: [] for name in self.kept}
        events: list[Any] = [event for kind in KINDS for event in self.said(kind)]
        for event in sorted(events, key=lambda each: each.version):
            told[str(event.session)].append(event)
        for name, one in self.kept.items():
            assert [event.version for event in told[name]] == list(range(1, one.version + 1))
            assert STATE_OF[type(told[name][-1])] == one.state
        super().teardown()


def test_sessions_and_their_reminders_live_as_the_model_says(world: World) -> None:
    run_state_machine_as_test(lambda: Sessions(world), settings=tries(10, steps=25))  # type: ignore[arg-type]
