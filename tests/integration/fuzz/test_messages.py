"""The life of messages and attempts, against a provider and a plan that the model keeps by itself.

The machine is the sender, the settler and the provider in one: it claims, calls, crashes, answers late, looks up and
reports, in any order. Its provider never lies: a look-up shows what it took, once its list shows it.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

from hypothesis import strategies
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from services.notifier.commands import claiming, inbound, reply_events, reports, settling
from services.notifier.commands.call_outcomes import Call, store_call_outcomes
from services.notifier.letters import House, LetterWriter, Ready
from services.notifier.model.arriving import Arrival
from services.notifier.model.call_outcomes import Accepted, Blind, CallOutcome, Found, Later, Refused, Unknown
from services.notifier.model.purposes import Channel
from services.notifier.model.rate import Limits, Rate
from services.notifier.model.settling import Patience
from services.notifier.planner import Planner
from services.notifier.store import attempts
from services.notifier.tables import ATTEMPTS, MESSAGES, METADATA
from services.notifier.wake_up import WakeUp
from shared.clock import RealClock
from shared.database import Transaction
from shared.events import (
    ClinicChanged,
    Consent,
    Contact,
    CrisisTexts,
    PatientEnrolled,
    SessionBooked,
    SessionCancelled,
    SessionDue,
    SessionMoved,
)
from shared.ids import new_id
from tests.integration.fuzz.machines import BEHIND, ZONE, Machine
from tests.integration.fuzz.profiles import tries
from tests.integration.fuzz.world import World
from tests.support.bench import KEYRING

STAMP: Final = RealClock()
"""Tells the order in which texts come; the world's own clock stands still between them."""

FINAL: Final = frozenset({"delivered", "undelivered", "failed", "withheld", "expired"})
OPEN_ATTEMPT: Final = frozenset({"calling", "unknown"})
STATUSES: Final = ("queued", "sent", "delivered", "undelivered", "failed", "read", "no such word")
REMINDERS: Final = frozenset({"3d", "1d"})
EMPTIED: Final = frozenset({"messages", "attempts", "story", "callbacks", "holds"})
NUMBERS: Final = count(2_000_000)
PATIENT: Final = Patience()
PICK = strategies.integers(0, 99)
TOOK = strategies.lists(strategies.booleans(), min_size=20, max_size=20)
"""Which of the calls of a claim the provider takes."""


@dataclass
class Visit:
    """A session as the scheduler would have it."""

    starts_at: Any
    version: int = 1
    cancelled: bool = False


@dataclass
class Under:
    """A call that was made and of which nobody has written what came of it."""

    ready: Ready
    owner: int
    sid: str | None


@dataclass
class Seen:
    """What the machine has seen of a message."""

    state: str
    version: int
    error: str | None = None


def _lost_mail(row: Any) -> bool:
    """No list tells whether a mail arrived: one that was cut off stays unknown, says so, and is never sent again."""
    return bool(row.channel == "email" and row.state == "unknown" and row.error == "unknown")


class Messages(Machine):
    """One patient with a number and a mailbox, a provider, and senders that die."""

    service = "notifier"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        world.run(self._empty())
        self.number = f"+1{next(NUMBERS) + 5_550_000_000}"
        self.visits: dict[UUID, Visit] = {}
        self.under: list[Under] = []
        self.taken: dict[UUID, list[str]] = {}
        self.by_sid: dict[str, Ready] = {}
        self.seen: dict[UUID, Seen] = {}
        self.stopped = False
        self.settled = False
        self.owner = 1
        self.planner = Planner(KEYRING, WakeUp())
        self.limits = Limits(calls=50, rate=Rate(0), sender="us")
        house = House(url="http://127.0.0.1", mailbox="visits@example.org", daily_limit=1000)
        self.writer = LetterWriter(KEYRING, house)
        self._enrol()

    async def _empty(self) -> None:
        async with self.world.service("notifier").database.transaction() as tx:
            # What a sender would claim; people stay, and each example has one of its own.
            for table in reversed(METADATA.sorted_tables):
                if table.name in EMPTIED:
                    await tx.execute(table.delete())

    def _enrol(self) -> None:
        assert self.world.clinic is not None
        crisis = CrisisTexts(en="988", es="988")
        self.tell(
            ClinicChanged(
                clinic=self.world.clinic,
                version=2,
                name="Harbor",
                sender_name="Harbor",
                zone=ZONE,
                phone="+12025550100",
                quiet_from="00:00",
                quiet_until="23:59",
                crisis=crisis,
            )
        )
        given = tuple(Consent(purpose=each, how="form", at=self.now) for each in ("reminders", "checkins", "booking"))
        contacts = tuple(
            Contact(id=new_id(), kind=kind, value=KEYRING.seal(value, context="contact"), consents=given)
            for kind, value in (("sms", self.number), ("email", "ana@example.org"))
        )
        self.tell(
            PatientEnrolled(
                clinic=self.world.clinic,
                version=1,
                patient=self.patient,
                language="en",
                zone=ZONE,
                given_name=KEYRING.seal("Ana", context="name"),
                contacts=contacts,
            )
        )

    def do(self, work: Any) -> Any:
        """Do something in a transaction of the notifier."""

        async def whole() -> Any:
            async with self.world.service("notifier").database.transaction() as tx:
                return await work(tx)

        return self.world.run(whole())

    def _session(self, kind: Any, visit: UUID, **more: Any) -> Any:
        at = self.visits[visit]
        return kind(
            clinic=self.world.clinic,
            version=at.version,
            patient=self.patient,
            session=visit,
            starts_at=(at.starts_at - BEHIND).strftime("%Y-%m-%dT%H:%M"),
            zone=ZONE,
            starts_at_utc=at.starts_at,
            minutes=60,
            **more,
        )

    @rule(days=strategies.integers(2, 9))
    def book(self, days: int) -> None:
        visit = uuid4()
        at = (self.now + timedelta(days=days)).replace(second=0, microsecond=0)
        self.visits[visit] = Visit(at)
        self.tell(self._session(SessionBooked, visit, plan=None, state="booked"))
        self.tell(self._session(SessionDue, visit, occurrence="3d"))

    @precondition(lambda self: self.visits)
    @rule(pick=PICK, occurrence=strategies.sampled_from(["3d", "1d"]), behind=strategies.integers(0, 1))
    def fall_due(self, pick: int, occurrence: str, behind: int) -> None:
        visit = list(self.visits)[pick % len(self.visits)]
        event = self._session(SessionDue, visit, occurrence=occurrence)
        event = event.model_copy(update={"version": max(1, event.version - behind)})
        # The same event again is what Kafka may do; a new one for the same time is what a broken scheduler would.
        self.tell(event)

    @precondition(lambda self: self.visits)
    @rule(pick=PICK, days=strategies.integers(2, 9), cancel=strategies.booleans())
    def change(self, pick: int, days: int, cancel: bool) -> None:
        visit = list(self.visits)[pick % len(self.visits)]
        one = self.visits[visit]
        if one.cancelled:
            return
        one.version += 1
        one.cancelled = cancel
        if cancel:
            self.tell(self._session(SessionCancelled, visit, plan=None, state="cancelled"))
        else:
            one.starts_at = (self.now + timedelta(days=days)).replace(second=0, microsecond=0)
            self.tell(self._session(SessionMoved, visit, plan=None, state="booked"))

    @rule(stop=strategies.booleans())
    def text(self, stop: bool) -> None:
        body = "STOP" if stop else "START"
        came = Arrival(self.now, stamp=STAMP.now(), door="door")
        text = reply_events.Text(f"SM{uuid4().hex}", self.number, body, came)
        self.do(lambda tx: inbound.receive(tx, text, self.planner, STAMP))
        self.stopped = stop

    @rule(took=TOOK)
    def claim(self, took: list[bool]) -> None:
        """A sender claims what is due and calls the provider, which takes it or does not."""
        for number, ready in enumerate(self.world.run(self._claimed())):
            row = next(row for row in self.rows(MESSAGES) if row.id == ready.letter.message)
            if row.occurrence in REMINDERS:
                visit = self.visits[row.about]
                assert not visit.cancelled, "a reminder of a cancelled session goes out"
                assert not (self.stopped and ready.channel == Channel.SMS), "a text goes out after a stop"
            sid = f"SM{uuid4().hex}" if took[number] else None
            if sid is not None:
                self.taken.setdefault(ready.letter.message, []).append(sid)
                if ready.channel == Channel.SMS:
                    self.by_sid[sid] = ready
            self.under.append(Under(ready, self.owner, sid))

    async def _claimed(self) -> list[Ready]:
        async with self.world.service("notifier").database.transaction() as tx:
            return await claiming.claim(tx, self.writer, self.limits, owner=self.owner, most=20)

    @rule(took=TOOK)
    def claim_and_die(self, took: list[bool]) -> None:
        """The sender dies with its calls made, before it could write what came of them."""
        self.claim(took)
        self.die()

    @precondition(lambda self: self.under)
    @rule(pick=PICK, how=strategies.sampled_from(["said", "lost", "refused", "21610", "later"]))
    def hear(self, pick: int, how: str) -> None:
        """What a call came to is written; also long after its sender was thought dead."""
        one = self.under.pop(pick % len(self.under))
        outcome: CallOutcome = Unknown("timeout")
        if one.sid is not None and how != "lost":
            outcome = Accepted(one.sid, "queued")
        elif one.sid is None and how in {"refused", "21610"}:
            outcome = Refused("30006" if how == "refused" or one.ready.channel == Channel.EMAIL else "21610")
        elif one.sid is None and how == "later":
            outcome = Later(timedelta(seconds=5), "429")
        letter = one.ready.letter
        call = Call(letter.message, letter.attempt, one.ready.channel, outcome)
        self.do(lambda tx: store_call_outcomes(tx, [call], PATIENT))
        self.settled = True
        if outcome == Refused("21610"):
            self.stopped = True

    @rule()
    def die(self) -> None:
        """The sender is gone, or thought to be; another takes over its attempts."""
        owner, self.owner = self.owner, self.owner + 1
        self.do(lambda tx: settling.take_over(tx, owner, PATIENT))

    @rule(blind=strategies.booleans())
    def look(self, blind: bool) -> None:
        """Every unknown attempt whose time has come is looked up."""

        async def all_of(tx: Transaction) -> None:
            looks = []
            for attempt in await attempts.due_looks(tx, 50):
                sids = self.taken.get(attempt.message, [])
                found = tuple(Found(sid, "sent", None) for sid in sids)
                looks.append(settling.Look(attempt.id, attempt.message, Blind("503") if blind else found))
            await settling.store_looks(tx, looks, PATIENT)

        self.do(all_of)
        self.settled = True

    @precondition(lambda self: self.by_sid)
    @rule(pick=PICK, status=strategies.sampled_from(STATUSES), named=strategies.booleans(), twice=strategies.booleans())
    def report(self, pick: int, status: str, named: bool, twice: bool) -> None:
        sid, ready = list(self.by_sid.items())[pick % len(self.by_sid)]
        report = reports.Report(
            sid=sid,
            status=status,
            error="30003" if status in {"failed", "undelivered"} else None,
            message=ready.letter.message if named else None,
            attempt=ready.letter.attempt if named else None,
            fields={"MessageSid": sid},
        )
        for _ in range(2 if twice else 1):
            self.do(lambda tx: reports.receive(tx, [report]))
        self.settled = True

    @rule(minutes=strategies.sampled_from([1, 2, 5, 15, 240]))
    def wait(self, minutes: int) -> None:
        self.live(timedelta(minutes=minutes))

    def rows(self, table: Any) -> list[Any]:
        async def read() -> list[Any]:
            async with self.world.service("notifier").database.reading() as reader:
                return list(await reader.all(select(table)))

        return self.world.run(read())

    @invariant()
    def a_message_only_moves_forward(self) -> None:
        for row in self.rows(MESSAGES):
            seen = self.seen.setdefault(row.id, Seen(row.state, row.version, row.error))
            assert row.version >= seen.version
            if seen.state in FINAL:
                # The provider's id may become known later: the answer to a call whose sender was thought dead.
                assert (row.state, row.error) == (seen.state, seen.error), "a message left a final state"
            if seen.state == "unknown" and row.state != "unknown":
                assert self.settled, f"unknown became {row.state} though nobody said what came of it"
            assert (row.error is None) or row.state in {"failed", "undelivered"} or _lost_mail(row), "success and error"
            seen.state, seen.version, seen.error = row.state, row.version, row.error
        self.settled = False

    @invariant()
    def a_message_has_at_most_one_attempt_under_way(self) -> None:
        under_way: dict[UUID, int] = {}
        for attempt in self.rows(ATTEMPTS):
            if attempt.state in OPEN_ATTEMPT:
                under_way[attempt.message] = under_way.get(attempt.message, 0) + 1
        assert all(count == 1 for count in under_way.values())
        states = {row.id: row.state for row in self.rows(MESSAGES)}
        assert {states[message] for message in under_way} <= {"sending", "unknown", *FINAL, "accepted", "sent"}

    @invariant()
    def the_provider_never_took_a_message_twice(self) -> None:
        assert all(len(sids) == 1 for sids in self.taken.values())

    @invariant()
    def an_occurrence_has_one_message_on_each_channel(self) -> None:
        keys = [
            (row.purpose, row.about, row.occurrence, row.channel, row.turn)
            for row in self.rows(MESSAGES)
            if row.patient == self.patient and row.occurrence in REMINDERS
        ]
        assert len(keys) == len(set(keys))

    def teardown(self) -> None:
        """Let every call be heard of and every look be taken: then nothing is unknown any more."""
        while self.under:
            self.hear(0, "said")
        self.die()
        for _ in range(8):
            self.wait(240)
            self.look(blind=False)
        waiting = [row for row in self.rows(MESSAGES) if row.state in {"sending", "unknown"}]
        assert all(map(_lost_mail, waiting)), waiting
        assert not [one.id for one in self.rows(ATTEMPTS) if one.state in OPEN_ATTEMPT]
        self.the_provider_never_took_a_message_twice()
        super().teardown()


def test_messages_and_attempts_live_as_the_model_says(world: World) -> None:
    run_state_machine_as_test(lambda: Messages(world), settings=tries(10, steps=30))  # type: ignore[arg-type]
