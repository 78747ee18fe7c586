"""Texts of crisis and grave answers while processes are killed: `python -m tests.faults.crisis --many 500`.

Each is answered, and paged at the stated rhythm until somebody acknowledges, then at the slower one until it is closed;
none is lost, and "paged" is said of nothing that the provider did not take.
"""

import argparse
import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from signal import SIGKILL
from typing import Any

import aiohttp

from services.assessments.model.alert import PAGE_AGAIN_AFTER_ACKNOWLEDGING
from shared.clock import RealClock
from tests.faults.caller import Caller
from tests.faults.deployment import Deployment, deployed
from tests.faults.paging import Paging
from tests.faults.record import Order, Record
from tests.faults.round import letters, pages, quiet, read_ledger

ONCALL = "+12025550199"
WORDS = ("I dont want to be here anymore", "quiero suicidarme", "i have the pills", "kill myself", "ya no quiero vivir")
AWAY_SECONDS = 12.0
WAITS = 240.0
"""Real seconds in which every text and answer must have been answered and paged, once the last was given."""
PATIENCE = 600.0
"""Real seconds for one order: on a busy machine a killed process takes long to come back."""
LOOK = 1.0
AT_ONCE = 8


@dataclass
class Account:
    """What a round came to; `untrue` and `lost` must stay empty."""

    many: int
    kills: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    answered: int = 0
    pages: int = 0
    repeated: int = 0
    seconds: float = 0.0
    took: dict[str, float] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not self.lost and not self.untrue

    def said(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        took = ", ".join(f"{what} {seconds:.0f} s" for what, seconds in self.took.items())
        return (
            f"{self.many} texts and answers: {self.alerts} alerts, {self.answered} crisis texts, {self.pages} pages, "
            f"{self.repeated} alerts paged more than once; kills: {kills}; {self.seconds:.0f} s until all were paged; "
            f"{took}; "
            f"lost: {self.lost or 'none'}; untrue: {self.untrue or 'none'}"
        )


@dataclass
class _Round:
    deployment: Deployment
    caller: Caller
    random: Random
    account: Account
    paging: Paging
    again: timedelta
    clock: RealClock = field(default_factory=RealClock)

    async def patient(self, number: str) -> str:
        """Enrol somebody and return their id."""
        contact = {"kind": "sms", "value": number, "consents": []}
        body = {
            "given_name": "Test",
            "family_name": number[-4:],
            "zone": "America/New_York",
            "language": "en",
            "contacts": [contact],
        }
        seen = await self.caller.order("POST", "/patients", body, Order(self.clock.now()), within=PATIENCE)
        return str(seen["id"])

    async def cries(self, index: int, number: str, patient: str) -> None:
        """Have a patient text in crisis, or answer item 9 by phone with 2 or 3."""
        if index % 2:
            words, order = self.random.choice(WORDS), Order(self.clock.now())
            while order.answered is None:
                await self.caller.text(number, words, order)
            return
        asked = {"patient": patient, "instruments": ["phq-9"]}
        checkin = await self.caller.order("POST", "/checkins", asked, Order(self.clock.now()), within=PATIENCE)
        answers = [1] * 8 + [self.random.choice((2, 3))]
        body = {"instrument": "phq-9", "answers": answers, "entered_by": "Nurse"}
        await self.caller.order(
            "POST", f"/checkins/{checkin['id']}/answers", body, Order(self.clock.now()), within=PATIENCE
        )

    async def torment(self, numbers: list[str], patients: list[str]) -> None:
        """Kill each process in turn; while it is away a part of all the texts and answers is given."""
        names = [name for name in self.deployment.members if name != "provider"] * max(1, self.account.many // 100)
        self.random.shuffle(names)
        parts = [range(part, len(numbers), len(names)) for part in range(len(names))]
        room = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> None:
            async with room:
                await self.cries(index, numbers[index], patients[index])

        for turn, (name, part) in enumerate(zip(names, parts, strict=True)):
            member = self.deployment.members[name]
            await member.end(SIGKILL)
            self.account.kills[name] += 1
            given = asyncio.gather(*(one(index) for index in part))
            if turn == len(names) // 2:
                await self.deployment.wires["provider"].cut(AWAY_SECONDS)
            await member.start()
            await given

    async def look(self) -> list[dict[str, Any]]:
        """Return all alerts, having compared what is said of pages with what the provider has."""
        alerts, untrue, self.account.pages = await self.paging.look()
        self.account.untrue += untrue
        return alerts


async def run(many: int, seed: int, *, loaded: bool = False) -> Account:
    account = Account(many)
    again = timedelta(minutes=max(1, many // 100))
    loop = asyncio.get_running_loop()
    began = loop.time()

    def took(what: str) -> None:
        nonlocal began
        account.took[what], began = loop.time() - began, loop.time()

    async with (
        deployed(
            profile="calm",
            proxied=True,
            loaded=loaded,
            KEEPWELL_ASSESSMENTS__PAGE_AGAIN_MINUTES=str(again // timedelta(minutes=1)),
        ) as deployment,
        aiohttp.ClientSession() as http,
    ):
        caller = Caller(deployment, http, Record())
        paging = Paging(deployment, caller, ONCALL, RealClock())
        there = _Round(deployment, caller, Random(seed), account, paging, again)  # noqa: S311 - chance that repeats
        took("start")
        numbers = [f"+1646556{index:04d}" for index in range(many)]
        patients = [await there.patient(number) for number in numbers]
        # Whoever texts before the notifier knows them is a stranger to it: seen too, but not as themselves.
        account.lost += await quiet(deployment, caller)
        took("enrolment")
        await there.torment(numbers, patients)
        took("kills")
        await _paged(there, patients)
        account.seconds = account.took["kills"] + loop.time() - began
        account.lost += await quiet(deployment, caller) + await letters(deployment)
        took("first pages")
        await _judge(there, numbers, patients)
        await _paged_until_closed(there)
        took("further pages")
    return account


async def _paged(there: _Round, patients: list[str]) -> None:
    """Wait until each has an alert that reached somebody."""
    deadline = asyncio.get_running_loop().time() + WAITS
    while asyncio.get_running_loop().time() < deadline:
        reached = {alert["patient"] for alert in await there.look() if alert["reached"]}
        if reached >= set(patients):
            return
        await there.clock.pause(LOOK)


async def _judge(there: _Round, numbers: list[str], patients: list[str]) -> None:
    """Hold what the provider has against what was written."""
    account, alerts = there.account, await there.look()
    account.alerts = len(alerts)
    account.repeated = sum(alert["pages"] > 1 for alert in alerts)
    reached = {alert["patient"] for alert in alerts if alert["reached"]}
    account.lost += [
        f"{number} was paged to nobody" for number, who in zip(numbers, patients, strict=True) if who not in reached
    ]
    ledger = await read_ledger(there.deployment, there.caller)
    told = Counter(message.to for message in ledger.messages if "988" in message.body)
    wrote = {number for index, number in enumerate(numbers) if index % 2}
    account.lost += [f"{number} got no crisis text" for number in sorted(wrote - told.keys())]
    account.answered = sum(told[number] for number in wrote)
    texts = Counter(alert["patient"] for alert in alerts if alert["kind"] == "crisis-words")
    for number, who in zip(numbers, patients, strict=True):
        if number in wrote and texts[who] != told[number]:
            account.lost.append(f"{number} has {texts[who]} alerts and {told[number]} crisis texts")


async def _paged_until_closed(there: _Round) -> None:
    """Hold that paging goes on at its rhythm, slows once acknowledged, and ends with the last alert's closing."""
    account, paging = there.account, there.paging
    account.lost += await paging.paged_once_more(there.again)
    account.lost += await quiet(there.deployment, there.caller)
    account.lost += paging.untold(await there.look())
    await _order_all(there, "acknowledge", {})
    account.lost += await quiet(there.deployment, there.caller)
    left = [alert for alert in await there.look() if alert["state"] != "acknowledged"]
    account.lost += [f"alert {alert['id']} is {alert['state']}, not acknowledged" for alert in left]
    account.lost += await paging.paged_once_more(PAGE_AGAIN_AFTER_ACKNOWLEDGING)
    await _order_all(there, "close", {"disposition": "Called them at home, safe with their family."})
    account.lost += await quiet(there.deployment, there.caller)
    account.lost += [f"alert {alert} is closed and pages again" for alert in await paging.timers()]
    await there.look()


async def _order_all(there: _Round, what: str, body: dict[str, str]) -> None:
    ids = [alert["id"] for alert in await pages(there.caller, "/alerts")]
    orders = (there.caller.order("POST", f"/alerts/{one}/{what}", body, Order(there.clock.now())) for one in ids)
    await asyncio.gather(*orders)


def main() -> int:
    """Run a round; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=500, help="texts and answers")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    account = asyncio.run(run(chosen.many, chosen.seed))
    print(account.said())
    return 0 if account.clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
