"""Recovery: how long until reminders go out again after a `kill -9`, under a steady load.

Each time is that of a reminder which fell due after the kill: from the kill until its record was handled, or its text
accepted. Processes and broker are started again at once, as Compose or Kubernetes would.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from benchmarks import tell
from benchmarks.figures import Report
from benchmarks.scale import Scale
from benchmarks.split import LEAD, Split, split
from benchmarks.stand import CLOCK

RATE = 100
SECONDS = 24
KILLED_AFTER = timedelta(seconds=4)
PATIENCE = timedelta(seconds=60)
NAME = "notifier-0"
_SINCE = """
    SELECT min(m.created_at) AS handled, min(m.sent_at) AS accepted FROM notifier.messages AS m
    WHERE m.about = ANY ($1::uuid[])
"""
_LATE = "SELECT max(created_at) FROM notifier.messages WHERE about = ANY ($1::uuid[])"
_HANDLED = "SELECT count(*) FROM notifier.messages WHERE about = ANY ($1::uuid[])"


async def run(report: Report, scale: Scale) -> None:
    async with split(0) as here, AsyncExitStack() as stack:
        running = await stack.enter_async_context(here.notifier(NAME))
        await here.remind(200)

        async def restart() -> datetime:
            nonlocal running
            running.kill()
            await running.wait()
            killed = CLOCK.now()
            running = await stack.enter_async_context(here.notifier(NAME))
            ready.append((CLOCK.now() - killed).total_seconds())
            return killed

        async def broker() -> datetime:
            killed = CLOCK.now()
            await here.here.broker.kill()
            await here.here.broker.restart()
            ready.append((CLOCK.now() - killed).total_seconds())
            return killed

        for words, kill in (("a notifier", restart), ("the only broker", broker)):
            ready: list[float] = []
            found = [await _one(here, kill) for _ in range(scale.runs)]
            remark = f"killed and started again at once, {RATE} reminders a second"
            report.add(f"{words}: it is ready again after", "s", ready, remark=remark)
            report.add(f"{words}: a record that came after the kill is handled after", "s", [one[0] for one in found])
            report.add(f"{words}: the first text of such a record is accepted after", "s", [one[1] for one in found])
            report.add(f"{words}: all that fell due meanwhile is handled after", "s", [one[2] for one in found])
        ledger = await here.ledger()
        twice = ledger["calls"] - ledger["messages"]
        report.add("texts sent twice through all of this", "texts", [float(twice)])


async def _one(here: Split, kill: Callable[[], Awaitable[datetime]]) -> tuple[float, float, float]:
    """Kill under load; return the seconds from there to the first handled, the first accepted, and the last handled."""
    sessions = await here.sessions(RATE * SECONDS)
    start = CLOCK.now() + LEAD
    instants = [start + timedelta(seconds=i / RATE) for i in range(len(sessions))]
    await tell.set_timers(here.sql, sessions, instants)
    await CLOCK.sleep_until(start + KILLED_AFTER)
    killed = await kill()
    back = CLOCK.now()
    after = [each.session for each, at in zip(sessions, instants, strict=True) if at > killed]
    meanwhile = [each.session for each, at in zip(sessions, instants, strict=True) if killed < at < back]
    await CLOCK.sleep_until(instants[-1])
    while await here.sql.fetchval(_HANDLED, after) < len(after):
        if CLOCK.now() > instants[-1] + PATIENCE:
            raise RuntimeError("Not every record was handled a minute after the last came.")
        await CLOCK.pause(0.1)
    first = await here.sql.fetchrow(_SINCE, after)
    late = await here.sql.fetchval(_LATE, meanwhile)
    handled, accepted, last = ((at - killed).total_seconds() for at in (first["handled"], first["accepted"], late))
    return handled, accepted, last
