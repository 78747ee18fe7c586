"""The load: enrolments, bookings, moves, cancellations and texts from handsets, all drawn from one seed.

Reminders go out one and three days before a session at its own wall time, and wall times have no seconds. So sessions
are booked for a coming whole minute, one or three days on, and each minute is a wave of reminders; what ends a session
is aimed at the seconds around it. Where there is a stock, most patients and sessions are there before the first wave.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from shared.clock import RealClock
from shared.walltime import to_wall, wall_text
from tests.faults.caller import Caller, RefusedError, UnansweredError
from tests.faults.record import Order, Placement, Record, SessionRecord, StopRecord
from tests.faults.stock import Booking, Stock

ZONES: Final = (
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Honolulu",
    "Pacific/Auckland",
    "Australia/Perth",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Africa/Nairobi",
    "Europe/Madrid",
    "America/Sao_Paulo",
)
AWAKE: Final = range(9, 19)
CYCLE: Final = 10
"""Minutes: a patient has one session a day ahead and one three days ahead in each."""
SPREAD: Final = 3
"""Minutes into a cycle at which sessions lie: moved by two and lasting five, they do not reach the next cycle's."""
AHEAD: Final = timedelta(seconds=55)
"""How long before a cycle its first sessions may be booked."""
LASTS: Final = 5
"""Minutes of a session, the shortest that there is."""
FATES: Final = (
    ("stays", 46),
    ("cancelled-before", 10),
    ("cancelled-around", 14),
    ("moved-before", 6),
    ("moved-around", 10),
    ("moved-away", 6),
    ("confirmed", 8),
)
DENSE_FATES: Final = (
    ("stays", 91),
    ("cancelled-before", 1),
    ("cancelled-around", 3),
    ("moved-before", 1),
    ("moved-around", 2),
    ("moved-away", 1),
    ("confirmed", 1),
)
"""For many texts out of few orders: what ends or moves a session costs an order and spares a text."""
MOVED_BY_MINUTES: Final = frozenset({"moved-before", "moved-around"})
STOCKED: Final = 0.95
"""Of a stock's round, the share of patients who are there and of sessions that are booked before its first wave."""
FEW: Final = 8
"""One patient of so many goes on once a stock's minutes are over."""
SECONDS_PER_BOOKING: Final = 0.006
"""How long a stock's bookings are expected to take. Where they take longer the first reminders are not due any more."""
STOPS: Final = ("STOP", "please stop texting me", "Unsubscribe", "no more texts please")


@dataclass(frozen=True)
class Size:
    """How much.

    Attributes:
        patients: enrolled.
        minutes: waves of reminders, at least.
        most: at most, where more are asked for while it lasts.
        dense: whether a patient has two sessions a day in each cycle where neither is moved by minutes, and most stay.
        stocked: whether most patients and sessions are there before the first wave.
    """

    patients: int
    minutes: int
    most: int
    dense: bool = False
    stocked: bool = False

    @property
    def fates(self) -> tuple[tuple[str, int], ...]:
        """Return what may become of a session, each with its weight."""
        return DENSE_FATES if self.dense else FATES


@dataclass
class Visit:
    """A session that is to be.

    Attributes:
        minute: of the wave that its reminder falls into.
        days: from the reminder to the session.
        fate: what becomes of it.
        random: decides the rest.
        stocked: whether it is booked before the first wave, where there is a stock.
    """

    number: str
    minute: int
    days: int
    fate: str
    random: Random
    stocked: bool

    @property
    def key(self) -> tuple[str, int, int]:
        """Return what tells it from every other."""
        return self.number, self.minute, self.days


def minute_after(instant: datetime, seconds: float) -> datetime:
    """Return the first whole minute at least so many seconds after an instant."""
    later = instant + timedelta(seconds=seconds)
    return later.replace(second=0, microsecond=0) + timedelta(minutes=1)


class Load:
    """Lives a round's days as a clinic and its patients would."""

    def __init__(self, caller: Caller, record: Record, *, seed: int, size: Size) -> None:
        self._caller = caller
        self._record = record
        self._seed = seed
        self._size = size
        self._clock = RealClock()
        now = self._clock.now()
        ahead = timedelta(minutes=size.most + 5)
        self._zones = [
            zone for zone in ZONES if to_wall(now, zone).hour in AWAKE and to_wall(now + ahead, zone).hour in AWAKE
        ]
        self._waves = size.minutes
        self._ended = asyncio.Event()
        self._first = now
        self._booked: dict[tuple[str, int, int], SessionRecord] = {}
        self.failures: list[str] = []
        self.numbers = [f"+1212555{index:04d}" for index in range(size.patients)]

    def go_on(self) -> bool:
        """Go on for a minute more than planned, if that is allowed, and tell whether it was."""
        if self._waves >= self._size.most:
            return False
        self._waves += 1
        return True

    @property
    def waves(self) -> int:
        """Return how many minutes have reminders."""
        return self._waves

    def end(self) -> None:
        """Have no more minutes than there are now."""
        self._ended.set()

    async def _near(self, instant: datetime) -> bool:
        """Wait for an instant, or for the word that the waves before it were the last; tell whether it has come."""
        left = (instant - self._clock.now()).total_seconds()
        try:
            async with asyncio.timeout(max(left, 0)):
                await self._ended.wait()
        except TimeoutError:
            return True
        if instant >= self._first + timedelta(minutes=self._waves):
            return False
        await self._clock.sleep_until(instant)
        return True

    async def enrol(self, share: float) -> None:
        """Enrol a share of the patients, before anything is due."""
        first = round(len(self.numbers) * share)
        await asyncio.gather(*(self._enrol(number) for number in self.numbers[:first]))

    async def enrol_stock(self, stock: Stock) -> None:
        """Enrol a stock's share of the patients."""
        numbers = self.numbers[: round(len(self.numbers) * STOCKED)]
        ids = await stock.enrol([self._person(number) for number in numbers])
        self._record.patients |= {number: str(patient) for number, patient in zip(numbers, ids, strict=True)}

    async def book_stock(self, stock: Stock) -> datetime:
        """Book a stock's share of the sessions; return the first wave's minute. The scheduler knows the patients."""
        visits = [
            visit
            for number in self._record.patients
            for cycle in self._cycles_of(number, self._size.minutes)
            for visit in self._visits(number, cycle)
            if visit.stocked and visit.minute < self._size.minutes
        ]
        first = minute_after(self._clock.now(), 20 + SECONDS_PER_BOOKING * len(visits))
        records = [self._record_of(visit, first) for visit in visits]
        wanted = [Booking(UUID(one.patient), one.placements[0].starts_at, LASTS) for one in records]
        for visit, record, session in zip(visits, records, await stock.book(wanted), strict=True):
            record.id = str(session)
            record.placements[0].placed.answered = self._clock.now()
            self._booked[visit.key] = record
        self._record.sessions += records
        self._record.stocked = len(records)
        return first

    async def live(self, first: datetime) -> None:
        """Live the waves that begin at `first`; return when the last order was answered."""
        self._first = first
        tasks = [
            asyncio.create_task(self._patient(number, first, self._draw(number, "life"))) for number in self.numbers
        ]
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, UnansweredError):
                continue  # it is in the record
            if isinstance(outcome, BaseException):
                self.failures.append(f"{type(outcome).__name__}: {outcome}")

    def _draw(self, *what: object) -> Random:
        """Return the choices for a part of the load: the same whenever it is asked, and whatever else was drawn."""
        return Random(repr((self._seed, *what)))  # noqa: S311 - a seed is the point

    def _zone(self, number: str) -> str:
        return self._zones[int(number[-4:]) % len(self._zones)]

    def _person(self, number: str) -> dict[str, Any]:
        at = (self._clock.now() - timedelta(days=1)).isoformat()
        consents = [{"purpose": name, "how": "paper form", "at": at} for name in ("reminders", "checkins", "booking")]
        return {
            "given_name": "Test",
            "family_name": number[-4:],
            "zone": self._zone(number),
            "language": _language(number),
            "contacts": [{"kind": "sms", "value": number, "consents": consents}],
        }

    async def _enrol(self, number: str) -> None:
        seen = await self._caller.order("POST", "/patients", self._person(number), Order(self._clock.now()))
        self._record.patients[number] = seen["id"]

    async def _patient(self, number: str, first: datetime, random: Random) -> None:
        if number not in self._record.patients:
            await self._enrol(number)
        lives = [asyncio.create_task(self._cycles(number, first))]
        if random.random() < 0.06:
            lives.append(asyncio.create_task(self._stop(number, first, random)))
        elif random.random() < 0.1:
            lives.append(asyncio.create_task(self._help(number, first, random)))
        await _all(lives)

    async def _cycles(self, number: str, first: datetime) -> None:
        """Book for one cycle after the other, each shortly before it begins, until there are no more waves."""
        lives: list[asyncio.Task[None]] = []
        # Beyond a stock few go on: there is enough to fall due, and each of these is booked over REST.
        goes_on = not self._size.stocked or int(number) % FEW == 0
        for cycle in self._cycles_of(number, self._size.most if goes_on else self._size.minutes):
            if cycle >= CYCLE:
                await self._near(first + timedelta(minutes=cycle) - AHEAD)
            if cycle >= self._waves:
                break
            lives += [
                asyncio.create_task(self._session(visit, first))
                for visit in self._visits(number, cycle)
                if visit.fate != "stays" or visit.key not in self._booked
            ]
        await _all(lives)

    def _cycles_of(self, number: str, minutes: int) -> range:
        """Return the minutes at which a patient's cycles begin."""
        within = LASTS if self._size.dense else CYCLE
        return range(self._draw(number, "begins").randrange(min(within, self._size.minutes)), minutes, CYCLE)

    def _visits(self, number: str, cycle: int) -> list[Visit]:
        random = self._draw(number, cycle)
        return [
            Visit(
                number, cycle + minute, days, fate, self._draw(number, cycle, days, minute), random.random() < STOCKED
            )
            for days in (1, 3)
            for minute, fate in self._fates(random)
        ]

    def _fates(self, random: Random) -> list[tuple[int, str]]:
        """Return a day's sessions of a cycle, each by the minute of its reminder and by what becomes of it."""
        names, weights = zip(*self._size.fates, strict=True)
        fates = random.choices(names, weights, k=2 if self._size.dense else 1)
        if MOVED_BY_MINUTES.isdisjoint(fates) and self._size.dense:
            return [(half * LASTS, fate) for half, fate in enumerate(fates)]
        return [(random.randrange(SPREAD), fates[0])]

    def _record_of(self, visit: Visit, first: datetime) -> SessionRecord:
        due = first + timedelta(minutes=visit.minute)
        wall = to_wall(due + timedelta(days=visit.days), self._zone(visit.number))
        placement = Placement(wall, due, Order(self._clock.now()))
        return SessionRecord(
            visit.number, self._record.patients[visit.number], _language(visit.number), placements=[placement]
        )

    async def _book(self, visit: Visit, first: datetime) -> SessionRecord:
        session = self._record_of(visit, first)
        (placement,) = session.placements
        self._record.sessions.append(session)
        body = {
            "patient": session.patient,
            "starts_at": wall_text(placement.starts_at),
            "zone": self._zone(visit.number),
            "minutes": LASTS,
            "odd_hour": True,
        }
        session.id = (await self._caller.order("POST", "/sessions", body, placement.placed))["id"]
        return session

    async def _session(self, visit: Visit, first: datetime) -> None:
        due, random = first + timedelta(minutes=visit.minute), visit.random
        book_before, act = random.uniform(8, 50), random.uniform(-2.0, 4.0)
        early, later = random.uniform(2.5, 6), random.randrange(1, 3)
        session = self._booked.get(visit.key)
        if session is None:
            if not await self._near(due - timedelta(seconds=book_before)):
                return
            session = await self._book(visit, first)
        wall, fate = session.placements[0].starts_at, visit.fate
        match fate:
            case "cancelled-before":
                await self._clock.sleep_until(due - timedelta(seconds=early))
                await self._cancel(session)
            case "cancelled-around":
                await self._clock.sleep_until(due + timedelta(seconds=act))
                await self._cancel(session)
            case "moved-before" | "moved-around" | "moved-away":
                away = timedelta(days=9) if fate == "moved-away" else timedelta(minutes=later)
                await self._clock.sleep_until(due + timedelta(seconds=-early if fate == "moved-before" else act))
                await self._move(session, wall + away, None if fate == "moved-away" else due + away)
            case "confirmed":
                await self._clock.sleep_until(due + timedelta(seconds=8 + 2 * early))
                await self._caller.text(visit.number, "C", Order(self._clock.now()))

    async def _cancel(self, session: SessionRecord) -> None:
        order = Order(self._clock.now())
        session.placements[-1].ended = order
        await self._order(session, "POST", f"/sessions/{session.id}/cancel", {}, order)
        session.cancelled = True

    async def _move(self, session: SessionRecord, wall: datetime, due: datetime | None) -> None:
        order = Order(self._clock.now())
        session.placements[-1].ended = order
        session.placements.append(Placement(wall, due, order))
        await self._order(
            session, "PATCH", f"/sessions/{session.id}", {"starts_at": wall_text(wall), "odd_hour": True}, order
        )

    async def _order(self, session: SessionRecord, method: str, path: str, body: Any, order: Order) -> None:
        del session
        try:
            await self._caller.order(method, path, body, order)
        except RefusedError as error:
            self.failures.append(str(error))

    async def _stop(self, number: str, first: datetime, random: Random) -> None:
        at = first + timedelta(seconds=random.uniform(-20, 60 * self._size.minutes))
        comes_back, words = random.random() < 0.4, random.choice(STOPS)
        await self._clock.sleep_until(at)
        record = StopRecord(number, Order(self._clock.now()))
        self._record.stops.append(record)
        record.clean = await self._caller.text(number, words, record.stop)
        if comes_back:
            await self._clock.sleep_until(at + timedelta(seconds=random.uniform(20, 50)))
            record.start = Order(self._clock.now())
            record.clean = await self._caller.text(number, "START", record.start) and record.clean

    async def _help(self, number: str, first: datetime, random: Random) -> None:
        await self._clock.sleep_until(first + timedelta(seconds=random.uniform(0, 60 * self._size.minutes)))
        await self._caller.text(number, "HELP", Order(self._clock.now()))


def _language(number: str) -> str:
    return "es" if int(number[-1]) % 4 == 0 else "en"


async def _all(lives: list[asyncio.Task[None]]) -> None:
    """Wait for all; raise what went wrong, but for orders without an answer, which are in the record."""
    for outcome in await asyncio.gather(*lives, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, UnansweredError):
            raise outcome
