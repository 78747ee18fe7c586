"""What is said of pages, held against the provider; and the rhythm in which the people on call are paged."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.assessments.store.alerts import REACHED
from shared.clock import RealClock
from tests.faults.caller import Caller
from tests.faults.deployment import Deployment
from tests.faults.round import pages, read_ledger

LOOK = 1.0
WITHIN = 180.0
"""Real seconds for one more page of every alert, once its timer has come."""

_CLAIMED = """
    SELECT page.alert, page.round, page.state, console.state AS console, message.sid
    FROM assessments.pages page
    LEFT JOIN clinic.seen_messages console ON console.id = page.message
    LEFT JOIN notifier.messages message ON message.id = page.message
"""
"""What assessments tells by REST of each page, what the console shows of it, and the provider's name for it."""
_TIMERS = "SELECT timer, due_at - written_at AS pause FROM assessments.outbox WHERE timer LIKE 'alert:%'"
_DUE_NOW = "UPDATE assessments.outbox SET due_at = now() WHERE timer LIKE 'alert:%' AND due_at > now()"


@dataclass(frozen=True)
class Claim:
    """A page of which it is said that somebody was reached.

    `sid` is the provider's name for it, None where none is known; `delivered` whether it is said to be on the handset.
    """

    alert: str
    round: int
    sid: str | None
    delivered: bool


def untrue(claims: Iterable[Claim], taken: Mapping[str, str]) -> list[str]:
    """Return what is said of pages and not so.

    Args:
        claims: what is said.
        taken: the status of each page that the provider has, by its sid.
    """
    found, told = [], list(claims)
    for claim in told:
        which = f"page {claim.round} of alert {claim.alert}"
        if claim.sid is None or claim.sid not in taken:
            found.append(f"{which} is said to be out, and the provider has none")
        elif claim.delivered and taken[claim.sid] != "delivered":
            found.append(f"{which} is said to be delivered, and the provider says {taken[claim.sid]}")
    twice = Counter(claim.sid for claim in told if claim.sid is not None)
    return found + [f"one text stands for {count} pages: {sid}" for sid, count in twice.items() if count > 1]


@dataclass
class Paging:
    """Pages of a deployment, told and real."""

    deployment: Deployment
    caller: Caller
    oncall: str
    clock: RealClock

    async def look(self) -> tuple[list[dict[str, Any]], list[str], int]:
        """Return all alerts, what they or the console say of pages that is not so, and how many pages there were."""
        alerts = await pages(self.caller, "/alerts")
        rows = await self._rows(_CLAIMED)
        # Read after what is said: the provider may know more than that, never less.
        ledger = (await read_ledger(self.deployment, self.caller)).messages
        taken = {each.sid: each.status for each in ledger if each.to == self.oncall}
        wrong: list[str] = []
        for where in ("state", "console"):
            said = [(row, getattr(row, where)) for row in rows if getattr(row, where) in REACHED]
            wrong += untrue((Claim(str(row.alert), row.round, row.sid, how == "delivered") for row, how in said), taken)
        kept = Counter(str(row.alert) for row in rows if row.state in REACHED)
        wrong += [
            f"alert {alert['id']} says {alert['reached']} pages, {kept[alert['id']]} are known"
            for alert in alerts
            if alert["reached"] > kept[alert["id"]]
        ]
        return alerts, wrong, len(taken)

    @staticmethod
    def untold(alerts: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the pages before each alert's last of which nobody knows what became: none may be left out."""
        return [
            f"nothing is known of page {number} of alert {alert['id']}"
            for alert in alerts
            for number in range(1, alert["pages"])
            if number not in {page["round"] for page in alert["paged"]}
        ]

    async def paged_once_more(self, pause: timedelta) -> list[str]:
        """Hold that every alert's next page is set for `pause` after its last, have it due, and wait until it is out.

        Returns:
            What went wrong.
        """
        waiting = {alert["id"]: alert["pages"] for alert in await pages(self.caller, "/alerts") if alert["pages"]}
        wrong = await self._set_for(waiting, pause)
        before = {alert["id"]: alert["pages"] for alert in await pages(self.caller, "/alerts") if alert["pages"]}
        await self._rows(_DUE_NOW)
        late: list[str] = []
        deadline = asyncio.get_running_loop().time() + WITHIN
        while asyncio.get_running_loop().time() < deadline:
            late = []
            for alert in await pages(self.caller, "/alerts"):
                last = max((page["round"] for page in alert["paged"] if page["state"] in REACHED), default=0)
                if last <= before.get(alert["id"], 0):
                    late.append(f"alert {alert['id']} ({alert['state']}) was not paged again after page {last}")
            if not late:
                return wrong
            await self.clock.pause(LOOK)
        return wrong + late

    async def timers(self) -> dict[UUID, timedelta]:
        """Return the alerts that will be paged again, with how long after their last page."""
        return {UUID(row.timer.removeprefix("alert:")): row.pause for row in await self._rows(_TIMERS)}

    async def _set_for(self, alerts: Collection[str], pause: timedelta) -> list[str]:
        """Wait until the next page of each alert was seen to be set so long after the last; one is never set later."""
        seen: set[str] = set()
        wrong: list[str] = []
        deadline = asyncio.get_running_loop().time() + WITHIN
        while asyncio.get_running_loop().time() < deadline and not seen >= set(alerts):
            for alert, after in (await self.timers()).items():
                if after == pause:
                    seen.add(str(alert))
                elif after > pause:
                    wrong.append(f"alert {alert} is paged again after {after}, not {pause}")
            if wrong:
                return wrong
            await self.clock.pause(LOOK)
        return [f"alert {alert} has no next page {pause} after its last" for alert in sorted(set(alerts) - seen)]

    async def _rows(self, statement: str) -> list[Any]:
        engine = create_async_engine(self.deployment.database.url, poolclass=NullPool)
        try:
            async with engine.begin() as connection:
                done = await connection.execute(text(statement))
                return list(done.all()) if done.returns_rows else []
        finally:
            await engine.dispose()
