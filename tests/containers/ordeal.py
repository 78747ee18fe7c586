"""A load over REST while containers are hurt, then quiet, then the provider's ledger against the script's record."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp

from shared.clock import RealClock
from shared.walltime import to_wall, wall_text
from tests.containers.life import Clinic
from tests.containers.stack import Stack
from tests.containers.torment import Torment, letters
from tests.faults.load import Load, Size, minute_after
from tests.faults.record import Order, Placement, SessionRecord
from tests.faults.round import against_sessions, all_messages, called_again, unsettled
from tests.faults.verdict import Verdict, judge

MINUTE = timedelta(minutes=1)


@dataclass
class Outcome:
    """What an ordeal came to; `flaws` are all that keep it from being clean beside the verdict's findings."""

    verdict: Verdict
    faults: list[str]
    orders: int
    repeats: int
    seconds: float
    flaws: list[str] = field(default_factory=list)

    def told(self) -> str:
        verdict = self.verdict
        kinds = f"{verdict.must} must, {verdict.must_not} must not, {verdict.either} either"
        lines = [
            f"{len(self.faults)} faults in {self.seconds:.0f} s: {', '.join(self.faults)}",
            f"{self.orders} orders, {self.repeats} repeated",
            f"reminders: {kinds}, {verdict.reminders} accepted, slowest {verdict.slowest:.1f} s",
            f"verdict {verdict.counts()}",
            *(f"FINDING {finding.what} {finding.number}: {finding.why}" for finding in verdict.findings),
            *(f"FLAW {flaw}" for flaw in self.flaws),
        ]
        return "\n".join(lines)


async def ordeal(
    stack: Stack, hurt: Callable[[Torment], Awaitable[None]], *, seed: int, patients: int, minutes: int
) -> Outcome:
    """Live some minutes of reminders, moves, cancellations and stops while `hurt` is done to the stack; judge it.

    Args:
        stack: all of it healthy.
        hurt: does things to containers, and returns once each works again.
        seed: of the load.
        patients: how many there are.
        minutes: waves of reminders.
    """
    began = asyncio.get_running_loop().time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http:
        clinic = Clinic(stack, http)
        load = Load(clinic.caller, clinic.record, seed=seed, size=Size(patients, minutes, minutes))
        await load.enrol(0.8)
        lives = asyncio.create_task(load.live(minute_after(clinic.clock.now(), 15)))
        try:
            await hurt(Torment(stack, clinic.record))
            load.end()
            await lives
        finally:
            lives.cancel()
        return await judged(clinic, began, load.failures)


async def waves(clinic: Clinic, *, patients: int, waves: int, hurt: Callable[[], Awaitable[None]]) -> float:
    """Have reminders fall due in each of some coming minutes, booked shortly before, while `hurt` is done.

    Returns:
        when it began, on the event loop's clock.
    """
    began = asyncio.get_running_loop().time()
    clock, record = RealClock(), clinic.record
    numbers = [f"+1214555{index:04d}" for index in range(patients)]
    ids = await asyncio.gather(*(clinic.enrol(number) for number in numbers))
    record.patients |= dict(zip(numbers, ids, strict=True))
    first = minute_after(clock.now(), 20)

    async def book(number: str, due: datetime, days: int, spread: float) -> None:
        await clock.sleep_until(due - timedelta(seconds=spread))
        wall = to_wall(due + timedelta(days=days), clinic.zone)
        placement = Placement(wall, due, Order(clock.now()))
        session = SessionRecord(number, record.patients[number], "en", placements=[placement])
        record.sessions.append(session)
        when = {"starts_at": wall_text(wall), "zone": clinic.zone, "odd_hour": True}
        body = {"patient": session.patient, **when, "minutes": 5}
        session.id = (await clinic.caller.order("POST", "/sessions", body, placement.placed))["id"]

    books = [
        # Reminded one day ahead and three days ahead by turns: two sessions of one patient must not overlap.
        asyncio.create_task(book(number, first + wave * MINUTE, (1, 3)[wave % 2], 6 + 40 * index / patients))
        for wave in range(waves)
        for index, number in enumerate(numbers)
    ]
    try:
        await hurt()
        await asyncio.gather(*books)
    finally:
        for task in books:
            task.cancel()
    return began


async def judged(clinic: Clinic, began: float, failures: list[str] | None = None) -> Outcome:
    """Wait until all is quiet and hold the ledger against the record."""
    record = clinic.record
    dues = [placement.due for each in record.sessions for placement in each.placements if placement.due is not None]
    await clinic.clock.sleep_until(max(dues) + timedelta(seconds=1))
    await clinic.quiet()
    ledger = await clinic.ledger()
    messages = await all_messages(clinic.caller, record)
    ours = ledger.model_copy(update={"messages": [text for text in ledger.messages if text.to in record.patients]})
    flaws = [*(failures or ()), *unsettled(messages, ours), *await against_sessions(clinic.caller, record)]
    flaws += [f"dead letter: {letter}" for letter in await letters(clinic.stack)]
    return Outcome(
        judge(record, ours, called_again=called_again(messages)),
        [f"{fault.kind} {fault.target}" for fault in record.faults],
        record.orders,
        record.repeats,
        asyncio.get_running_loop().time() - began,
        flaws,
    )
