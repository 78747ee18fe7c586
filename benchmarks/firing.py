"""Firing: due timers to Kafka a second, and what a claim costs, at few and at many pending rows."""

from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from time import perf_counter

import asyncpg

from benchmarks import outbox
from benchmarks.figures import Report
from benchmarks.processor import spent
from benchmarks.scale import Scale
from benchmarks.stand import CLOCK, Ends, Stand, child, first_line, stand
from shared.bus.claim import claim
from shared.bus.tables import SHARDS
from shared.events import Topic

FAR = timedelta(days=400)
LEAD = timedelta(seconds=3)
NOTICE = timedelta(seconds=1.5)
"""Between the last insert and the instant at which all fall due: a relay looks for new timers once a second."""
POLL = 0.01
CLAIMS = 20
CLAIM = 2000
RATE = "rate"
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
                report.add(f"due timers to Kafka, {each}, {words}", "1/s", [one[RATE] for one in rates])
                for part in sorted(rates[0].keys() - {RATE}):
                    report.add(f"processor for a record: {part}", "µs", [one[part] for one in rates])


async def _claims(report: Report, sql: asyncpg.Connection, words: str, scale: Scale) -> None:
    """Measure the relay's claim and the bare statement by turns, each claim committed, on rows that are due."""
    await sql.execute("SET search_path = scheduler")

    async def ours() -> None:
        async with sql.transaction():
            await claim(sql, service="scheduler", now=CLOCK.now(), shards=range(SHARDS))

    async def bare() -> None:
        await sql.fetch(BARE)

    costs: dict[str, list[float]] = {"ours": [], "bare": []}
    await outbox.fill_due(sql, CLAIM * CLAIMS * 2 * scale.runs, at=CLOCK.now() - timedelta(minutes=1), name="bare")
    for _ in range(scale.runs):
        for name, one in (("ours", ours), ("bare", bare)):
            began = perf_counter()
            for _ in range(CLAIMS):
                await one()
            costs[name].append(1e6 * (perf_counter() - began) / (CLAIM * CLAIMS))
    report.add(f"a claim of {CLAIM} into records, for each row, {words}", "µs", costs["ours"])
    report.add(f"DELETE ... RETURNING of {CLAIM}, for each row, {words}", "µs", costs["bare"], bare=True)


async def _rates(here: Stand, sql: asyncpg.Connection, processes: int, scale: Scale) -> list[Counter[str]]:
    """Return rates with the microseconds of processor for each record, by part."""
    log = here.folder / "relays.log"
    rates: list[Counter[str]] = []
    async with AsyncExitStack() as stack:
        ends = await stack.enter_async_context(Ends(here.kafka, Topic.SCHEDULING))
        for _ in range(processes):
            running = await stack.enter_async_context(
                child("benchmarks.relay", environment=here.environment(), log=log)
            )
            await first_line(running, log)
        await _fire(sql, ends, 4000, name="warm")
        for number in range(scale.runs):
            count = scale.due * processes
            seconds, used = await _fire(sql, ends, count, name=f"run-{processes}-{number}")
            rates.append(Counter({part: 1e6 * spent / count for part, spent in used.items()}))
            rates[-1][RATE] = count / seconds  # type: ignore[assignment]  # a Counter adds fractions as well
    return rates


async def _fire(sql: asyncpg.Connection, ends: Ends, count: int, *, name: str) -> tuple[float, Counter[str]]:
    """Let timers fall due at once; return the seconds from there until the last is in Kafka, and the processor used."""
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
    before_it = spent()
    while (there := await ends.count()) < before + count:
        await CLOCK.pause(POLL)
    seconds = (CLOCK.now() - at).total_seconds()
    used = spent() - before_it
    if there != before + count:
        raise RuntimeError(f"{there - before} records came of {count} timers, though nothing failed.")
    return seconds, used
