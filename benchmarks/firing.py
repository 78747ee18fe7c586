"""Firing: due timers to Kafka a second, and what a claim costs, at few and at many pending rows."""

from contextlib import AsyncExitStack
from datetime import timedelta
from time import perf_counter

import asyncpg

from benchmarks import outbox
from benchmarks.figures import Report
from benchmarks.scale import Scale
from benchmarks.stand import CLOCK, Ends, Stand, child, first_line, stand
from shared.events import Topic

FAR = timedelta(days=400)
LEAD = timedelta(seconds=3)
NOTICE = timedelta(seconds=1.5)
"""Between the last insert and the instant at which all fall due: a relay looks for new timers once a second."""
POLL = 0.01
CLAIMS = 20
CLAIM = 2000
BARE = """
    DELETE FROM scheduler.outbox WHERE seq IN (
        SELECT seq FROM scheduler.outbox WHERE due_at <= now() ORDER BY due_at, seq LIMIT 2000) RETURNING *
"""


async def run(report: Report, scale: Scale) -> None:
    for count in (scale.few, scale.many):
        async with stand() as here, here.sql() as sql:
            await outbox.fill_pending(sql, count, first=CLOCK.now() + FAR)
            words = f"{count:,} pending"
            await _claims(report, sql, words, scale)
            for processes in (1, 2):
                rates = await _rates(here, sql, processes, scale)
                each = "one process" if processes == 1 else f"{processes} processes"
                report.add(f"due timers to Kafka, {each}, {words}", "1/s", rates)


async def _claims(report: Report, sql: asyncpg.Connection, words: str, scale: Scale) -> None:
    """Measure the bare statement, each claim committed, on rows that are due."""
    await outbox.fill_due(sql, CLAIM * CLAIMS * scale.runs, at=CLOCK.now() - timedelta(minutes=1), name="bare")
    rates = []
    for _ in range(scale.runs):
        began = perf_counter()
        for _ in range(CLAIMS):
            await sql.fetch(BARE)
        rates.append(CLAIM * CLAIMS / (perf_counter() - began))
    report.add(f"DELETE ... RETURNING of {CLAIM}, {words}", "rows/s", rates, bare=True)


async def _rates(here: Stand, sql: asyncpg.Connection, processes: int, scale: Scale) -> list[float]:
    log = here.folder / "relays.log"
    rates: list[float] = []
    async with AsyncExitStack() as stack:
        ends = await stack.enter_async_context(Ends(here.kafka, Topic.SCHEDULING))
        for _ in range(processes):
            running = await stack.enter_async_context(
                child("benchmarks.relay", environment=here.environment(), log=log)
            )
            await first_line(running, log)
        await _fire(sql, ends, 4000, name="warm")
        for number in range(scale.runs):
            seconds = await _fire(sql, ends, scale.due * processes, name=f"run-{processes}-{number}")
            rates.append(scale.due * processes / seconds)
    return rates


async def _fire(sql: asyncpg.Connection, ends: Ends, count: int, *, name: str) -> float:
    """Let timers fall due at one instant; return the seconds from there until the last is in Kafka."""
    before = await ends.count()
    lead = LEAD + timedelta(seconds=count / 20_000)
    while True:
        at = CLOCK.now() + lead
        await outbox.fill_due(sql, count, at=at, name=name)
        if CLOCK.now() < at - NOTICE:
            break
        await outbox.take_back(sql, name)
        lead *= 2
    await CLOCK.sleep_until(at)
    while (there := await ends.count()) < before + count:
        await CLOCK.pause(POLL)
    seconds = (CLOCK.now() - at).total_seconds()
    if there != before + count:
        raise RuntimeError(f"{there - before} records came of {count} timers, though nothing failed.")
    return seconds
