"""A round: the deployment, a load, a tormentor, then quiet, then the verdict."""

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp

from services.sandbox.report import LedgerView
from shared.bus import dead_letters
from shared.clock import RealClock
from tests.faults.caller import Caller
from tests.faults.deployment import Deployment, deployed
from tests.faults.load import Load, Size, minute_after
from tests.faults.record import Record, SessionRecord
from tests.faults.stock import stock_of
from tests.faults.tormentor import Tormentor
from tests.faults.verdict import Verdict, judge, message_of

QUIET_WITHIN: Final = 600.0
"""Real seconds after the last fault within which all must be settled: an unknown attempt takes up to a minute, one
that the provider refuses with 5xx on the way some more."""
LOOK: Final = 1.0
TELL: Final = 10.0
"""Real seconds between two lines of progress."""
ARMED: Final = ("-m", "tests.faults.launch")
CLOSED: Final = frozenset({"accepted", "sent", "delivered", "undelivered", "failed", "withheld", "expired"})
ARRIVED: Final = frozenset({"accepted", "sent", "delivered", "undelivered", "failed"})


@dataclass(frozen=True)
class Least:
    """What a round goes on for, beyond its minutes.

    Attributes:
        kills: of processes by SIGKILL, at random instants and at named places.
        brokers, databases: losses of either.
        rebalances: notifiers added or taken away.
        texts: reminders that fell due.
    """

    kills: int = 0
    brokers: int = 0
    databases: int = 0
    rebalances: int = 0
    texts: int = 0

    def reached(self, record: Record, now: datetime) -> bool:
        return not self.missing(record, now)

    def missing(self, record: Record, now: datetime) -> dict[str, str]:
        """Return what is not reached yet, each with how far it is."""
        there = {
            "kills": kills(record),
            "brokers": sum(fault.kind == "broker-kill" for fault in record.faults),
            "databases": sum(fault.kind in {"database-kill", "database-backend-kill"} for fault in record.faults),
            "rebalances": sum(fault.kind.startswith("rebalance") for fault in record.faults),
            "texts": fell_due(record, now),
        }
        return {name: f"{many} of {wanted}" for name, wanted in vars(self).items() if (many := there[name]) < wanted}


def kills(record: Record) -> int:
    """Return how many processes of Keepwell or its provider were killed, at random instants and at named places."""
    return sum(fault.kind.startswith("kill") for fault in record.faults)


def fell_due(record: Record, now: datetime) -> int:
    dues = (placement.due for session in record.sessions for placement in session.placements)
    return sum(due is not None and due <= now for due in dues)


@dataclass(frozen=True)
class Plan:
    """What a round is made of.

    Attributes:
        pause: seconds between two faults; at most `at_once` last at the same time.
        most: minutes, where `least` is not reached before.
        dense, stocked: as in `Size`.
    """

    seed: int
    minutes: int
    patients: int
    profile: str = "rough"
    brokers: int = 1
    torment: bool = True
    pause: tuple[float, float] = (1.0, 4.0)
    at_once: int = 3
    least: Least = Least()
    most: int = 0
    dense: bool = False
    stocked: bool = False


GREAT: Final = Plan(
    seed=7,
    minutes=10,
    most=30,
    patients=6000,
    pause=(0.1, 1.0),
    at_once=4,
    least=Least(kills=200, brokers=10, databases=10, rebalances=20, texts=22_500),
    dense=True,
    stocked=True,
)
"""A round at the size of a network's morning; of ten of its reminders one at most is cancelled, moved or unwanted in
time, so that the provider takes 20 thousand texts. Some 22 minutes: `make torment`, once for what touches delivery."""
DAILY: Final = replace(
    GREAT,
    minutes=3,
    most=12,
    patients=2900,
    least=Least(kills=60, brokers=3, databases=3, rebalances=5, texts=5_600),
)
"""The same at a quarter of the size, for every change: some 60 kills and 5 thousand texts, due in three waves."""


@dataclass
class Result:
    """What a round came to; `flaws` are all that keep it from being clean."""

    plan: Plan
    seconds: float
    record: Record
    verdict: Verdict
    faults: dict[str, int]
    counts: dict[str, int]
    flaws: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether every promise was kept."""
        return not self.flaws and not self.verdict.findings


async def run(plan: Plan) -> Result:
    loop = asyncio.get_running_loop()
    began = loop.time()
    record = Record()
    async with (
        deployed(
            profile=plan.profile, seed=plan.seed, brokers=plan.brokers, launcher=ARMED, proxied=True
        ) as deployment,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http,
    ):
        caller = Caller(deployment, http, record)
        load = Load(
            caller,
            record,
            seed=plan.seed,
            size=Size(plan.patients, plan.minutes, max(plan.most, plan.minutes), plan.dense, plan.stocked),
        )
        tormentor = Tormentor(deployment, record, seed=plan.seed, pause=plan.pause, at_once=plan.at_once)
        telling = asyncio.create_task(_tell(record, load, plan.least))
        if plan.stocked:
            first = await _stock(deployment, caller, load)
        else:
            await load.enrol(0.8)
            first = minute_after(RealClock().now(), 25)
        lives = asyncio.create_task(load.live(first))
        keeper = asyncio.create_task(_keep(load, plan, record, first))
        if plan.torment:
            last = first + timedelta(minutes=plan.minutes - 1, seconds=25)
            await tormentor.torment(last, enough=keeper.done)
        await lives
        await keeper
        dues = [placement.due for each in record.sessions for placement in each.placements if placement.due is not None]
        await RealClock().sleep_until(max(dues) + timedelta(seconds=1))
        flaws = [*load.failures, *tormentor.failures]
        flaws += [f"not reached: {many} {name}" for name, many in plan.least.missing(record, RealClock().now()).items()]
        flaws += await quiet(deployment, caller)
        telling.cancel()
        ledger = await read_ledger(deployment, caller)
        messages = await all_messages(caller, record)
        verdict = judge(record, ledger, called_again=called_again(messages))
        explain(verdict, record, messages)
        flaws += unsettled(messages, ledger)
        flaws += await against_sessions(caller, record)
        flaws += await letters(deployment)
        flaws += [f"{name} complained: {line}" for name, line in complaints(deployment)]
        flaws += [f"{member.name} has ended by itself" for member in deployment.members.values() if member.pid is None]
        counts = {
            "minutes_of_reminders": load.waves,
            "kills": kills(record),
            "places_missed": tormentor.missed,
            "orders": record.orders,
            "orders_repeated": record.repeats,
            "orders_unanswered": len(record.unanswered),
            "patients": len(record.patients),
            "sessions": len(record.sessions),
            "sessions_stocked": record.stocked,
            "stops": len(record.stops),
            "texts": sum(text.origin == "api" for text in ledger.messages),
            "messages": len(messages),
            "starts_that_fell": sum(member.fell for member in deployment.members.values()),
            "look_ups": sum(line["what"] == "looked up" for each in messages for line in each["story"]),
            **{name: count for name, count in ledger.counts.items() if name.startswith(("refused", "fault"))},
        }
    return Result(plan, loop.time() - began, record, verdict, tormentor.counts(), counts, flaws)


async def _stock(deployment: Deployment, caller: Caller, load: Load) -> datetime:
    """Give a clinic its patients and sessions before anything is hurt; return the first wave's minute."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with stock_of(deployment) as stock:
        await load.enrol_stock(stock)
        if waiting := await quiet(deployment, caller):
            raise TimeoutError("; ".join(waiting))
        enrolled = loop.time()
        first = await load.book_stock(stock)
    sys.stderr.write(f"patients after {enrolled - began:.0f} s, their sessions after {loop.time() - enrolled:.0f} s\n")
    return first


async def _tell(record: Record, load: Load, least: Least) -> None:
    """Say on standard error how far a round is, every few seconds, until cancelled."""
    clock = RealClock()
    while True:
        now = clock.now()
        sys.stderr.write(
            f"{now:%H:%M:%S} {len(record.patients)} patients, {record.orders} orders ({record.repeats} repeated, "
            f"{len(record.unanswered)} unanswered), {fell_due(record, now)} reminders due, {kills(record)} kills, "
            f"{len(record.faults)} faults, {load.waves} minutes; not yet {least.missing(record, now)}\n"
        )
        sys.stderr.flush()
        await clock.pause(TELL)


async def _keep(load: Load, plan: Plan, record: Record, first: datetime) -> None:
    """Have the load go on for as long as too little was seen, and return once there is no more to come."""
    clock = RealClock()
    while not plan.least.reached(record, clock.now()):
        if clock.now() > first + timedelta(minutes=load.waves - 2) and not load.go_on():
            break
        await clock.pause(LOOK)
    load.end()


async def quiet(deployment: Deployment, caller: Caller, *, within: float = QUIET_WITHIN) -> list[str]:
    """Wait until nothing is on its way anywhere; return what still was when patience ended."""
    clock, loop = RealClock(), asyncio.get_running_loop()
    deadline = loop.time() + within
    waiting: list[str] = []
    while loop.time() < deadline:
        said, waiting = waiting, []
        for name, member in list(deployment.members.items()):
            if name == "provider":
                continue
            headers = {"Authorization": f"Bearer {deployment.token}"}
            told = await caller.read(f"{member.url}/api/v1/status", headers)
            if not told["quiet"] or told["unknown_attempts"]:
                waiting.append(f"{name}: lag {told['lag']}, unknown {told['unknown_attempts']}, {told['problems']}")
        if not waiting:
            return []
        if waiting != said:
            sys.stderr.write("not quiet yet: " + "; ".join(waiting) + "\n")
        await clock.pause(LOOK)
    return [f"not quiet after {within:.0f} s: {each}" for each in waiting]


async def read_ledger(deployment: Deployment, caller: Caller) -> LedgerView:
    """Return the provider's whole ledger."""
    return LedgerView.model_validate(await caller.read(f"{deployment.provider.url}/sandbox/ledger"))


async def all_messages(caller: Caller, record: Record) -> list[dict[str, Any]]:
    """Return every message that Keepwell has of the patients."""

    async def of(patient: str) -> list[dict[str, Any]]:
        return await pages(caller, f"/patients/{patient}/messages")

    found = await asyncio.gather(*(of(patient) for patient in record.patients.values()))
    return [message for each in found for message in each]


async def pages(caller: Caller, path: str) -> list[dict[str, Any]]:
    """Return a whole list."""
    items: list[dict[str, Any]] = []
    query = {"limit": "200"}
    while True:
        page = await caller.get(path, **query)
        items += page["items"]
        if page["next"] is None:
            return items
        query["after"] = page["next"]


def called_again(messages: list[dict[str, Any]]) -> frozenset[str]:
    """Return the messages that had more than one call, or one whose outcome was not known at once."""
    again = set()
    for message in messages:
        told = Counter(line["what"] for line in message["story"])
        if told["attempt"] > 1 or told["unknown"] or told["looked up"] or told["later"]:
            again.add(message["id"])
    return frozenset(again)


def explain(verdict: Verdict, record: Record, messages: list[dict[str, Any]]) -> None:
    """Add to each loss what Keepwell says of that patient's messages that did not go out."""
    for place, finding in enumerate(verdict.findings):
        if finding.what == "lost":
            patient = record.patients.get(finding.number)
            mine = [each for each in messages if each["patient"] == patient and each["state"] not in ARRIVED]
            told = "; ".join(
                f"{each['occurrence']} of {each['about']} is {each['state']} ({each['reason']}, {each['error']}): "
                + " | ".join(f"{line['at'][11:19]} {line['what']} {line['detail']}" for line in each["story"])
                for each in mine
            )
            verdict.findings[place] = replace(finding, why=f"{finding.why}. Keepwell: {told or 'all others went out'}")


def unsettled(messages: list[dict[str, Any]], ledger: LedgerView) -> list[str]:
    """Return what Keepwell believes of its messages that the ledger contradicts, and what it has not settled."""
    flaws = []
    by_id = {message["id"]: message for message in messages}
    for message in messages:
        if message["state"] not in CLOSED:
            story = " | ".join(f"{line['what']} {line['detail']}" for line in message["story"][-4:])
            flaws.append(f"unknown left: message {message['id']} is {message['state']} ({message['reason']}): {story}")
    for text in ledger.messages:
        if text.origin != "api":
            continue
        known = by_id.get(message_of(text))
        if known is None:
            flaws.append(f"the ledger has {text.sid}, which no message stands for")
        elif known["state"] not in ARRIVED:
            flaws.append(f"the ledger has {text.sid}, but message {known['id']} is {known['state']}")
    return flaws


async def against_sessions(caller: Caller, record: Record) -> list[str]:
    """Return where the sessions are not as the answered orders made them: an order lost, or carried out twice."""
    flaws = []
    booked: dict[str, list[SessionRecord]] = {}
    for session in record.sessions:
        booked.setdefault(session.patient, []).append(session)
    for patient, sessions in booked.items():
        seen = {one["id"]: one for one in await pages(caller, f"/patients/{patient}/sessions")}
        unanswered = any(order.answered is None for each in sessions for order in _orders(each))
        if len(seen) != len(sessions) and not unanswered:
            flaws.append(f"patient {patient} has {len(seen)} sessions, {len(sessions)} were booked")
        for session in sessions:
            if session.id not in seen or any(order.answered is None for order in _orders(session)):
                continue
            state, starts_at = seen[session.id]["state"], seen[session.id]["starts_at"]
            wanted = session.placements[-1].starts_at.strftime("%Y-%m-%dT%H:%M")
            if (state == "cancelled") != session.cancelled or starts_at != wanted:
                flaws.append(f"session {session.id} is {state} at {starts_at}; ordered: {wanted}, {session.cancelled=}")
    return flaws


def _orders(session: SessionRecord) -> list[Any]:
    orders = [placement.placed for placement in session.placements]
    return orders + [placement.ended for placement in session.placements if placement.ended is not None]


async def letters(deployment: Deployment) -> list[str]:
    """Return the dead letters: nothing here is poison, so there must be none."""
    found = await dead_letters.read_all(deployment.kafka.bootstrap_servers)
    return [f"dead letter of {letter.group}: {letter.type} {letter.error[:200]}" for letter in found]


def complaints(deployment: Deployment) -> list[tuple[str, str]]:
    """Return lines of the logs that tell of a loop that failed for a reason that is no fault of ours."""
    return [
        (log.stem, line[:300])
        for log in sorted(deployment.folder.glob("*.log"))
        for line in log.read_text(errors="replace").splitlines()
        if any(name in line for name in ("IllegalTransitionError", "AssertionError", "TypeError"))
    ]
