"""A process is killed at a named place; nothing is lost or doubled. Without its protection the same test fails.

Reminders are due at whole minutes; so that a test need not wait for one, it moves the timer's row to now.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from signal import SIGTERM
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from keepwell.front_desk.reading import Reader, Said
from shared.clock import RealClock
from shared.ids import new_id
from shared.walltime import to_wall, wall_text
from tests.faults.armed import KILL_AT, WITHOUT
from tests.faults.caller import Caller
from tests.faults.deployment import SERVICES, Deployment, deployed
from tests.faults.load import AWAKE, ZONES
from tests.faults.record import Order, Record
from tests.faults.round import letters, quiet, read_ledger
from tests.support.running import clean_environment, run_command

pytestmark = pytest.mark.timeout(900)  # on a busy machine a process takes its time to start
ARMED = ("-m", "tests.faults.armed")
NUMBERS = count(1)


@dataclass(frozen=True)
class Point:
    """A place to die at.

    Attributes:
        service: whose process dies there.
        without: the protections that, taken out together, break the promise there.
        then: how often a reminder is accepted without them; in its own words where it is neither 0 nor 2.
    """

    name: str
    service: str
    without: str
    then: int

    def __str__(self) -> str:
        return self.name


POINTS = (
    Point("before-provider-call", "notifier-1", "take-over", 0),
    Point("after-provider-accepted", "notifier-1", "look-up", 2),
    Point("between-claim-and-publish", "scheduler", "one-transaction", 0),
    Point("between-publish-and-delete", "scheduler", "inbox,business-key", 2),
    Point("between-handler-and-commit", "notifier-1", "late-offset", 0),
    Point("between-commit-and-offset", "notifier-1", "inbox,business-key", 2),
)
ALONE = (
    Point("between-publish-and-delete", "scheduler", "inbox", 1),
    Point("between-publish-and-delete", "scheduler", "business-key", 1),
)
"""Two protections stand behind each other here: either alone is enough."""


@dataclass
class Stage:
    """A deployment with one notifier and a provider that behaves, so that the kill is the only fault."""

    deployment: Deployment
    caller: Caller
    record: Record
    http: aiohttp.ClientSession
    planted: dict[str, dict[str, str]] = field(default_factory=dict)

    async def runs(self, name: str, planted: dict[str, str]) -> None:
        """Have a member run with this planted in it, and nothing else."""
        member = self.deployment.members[name]
        if self.planted.get(name, {}) == planted and member.pid is not None:
            return
        if member.pid is not None:
            await member.end(SIGTERM)
        await member.start(**planted)
        self.planted[name] = planted

    async def patient(self) -> tuple[str, str, str]:
        """Enrol a patient in a zone where it is day; return number, id and zone."""
        number, now = f"+1646555{next(NUMBERS):04d}", RealClock().now()
        zone = next(zone for zone in ZONES if to_wall(now, zone).hour in AWAKE)
        consent = {"purpose": "reminders", "how": "paper form", "at": (now - timedelta(days=1)).isoformat()}
        body = {
            "given_name": "Test",
            "family_name": "Test",
            "zone": zone,
            "language": "en",
            "contacts": [{"kind": "sms", "value": number, "consents": [consent]}],
        }
        seen = await self.caller.order("POST", "/patients", body, Order(now))
        return number, seen["id"], zone

    def booking(self, patient: str, zone: str) -> dict[str, Any]:
        """Return an order for a session whose reminder of the day before is hours away."""
        wall = to_wall(RealClock().now() + timedelta(days=1, hours=5), zone)
        return {"patient": patient, "starts_at": wall_text(wall), "minutes": 30}

    async def due_now(self, session: str) -> None:
        """Move a session's reminder to now."""
        await self.sql("UPDATE scheduler.outbox SET due_at = now() WHERE timer LIKE :name", name=f"%{session}%")

    async def sql(self, statement: str, **values: Any) -> None:
        """Run a statement as the database's owner."""
        engine = create_async_engine(self.deployment.database.url, poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.execute(text(statement), values)
        await engine.dispose()

    async def settled(self) -> None:
        """Wait until nothing is on its way, and hold that nothing died."""
        assert await quiet(self.deployment, self.caller) == []
        assert await letters(self.deployment) == []

    async def had_time(self) -> None:
        """Wait until nothing is on its way, or for as long as that would have taken many times over."""
        await quiet(self.deployment, self.caller, within=30)

    async def reminders(self, number: str) -> int:
        """Return how many reminders the provider took for a number."""
        reader = Reader.load()
        ledger = await read_ledger(self.deployment, self.caller)
        return sum(each.to == number and reader.text(each.body).said is Said.REMINDER for each in ledger.messages)


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with (
        deployed(profile="calm", notifiers=1, launcher=ARMED, KEEPWELL_NOTIFIER__SETTLE_AFTER="1") as deployment,
        aiohttp.ClientSession() as http,
    ):
        record = Record()
        yield Stage(deployment, Caller(deployment, http, record), record, http)


async def reminders_after(stage: Stage, point: Point, *, without: str) -> int:
    """Kill a process at a place while a reminder goes its way; return how often the provider took it."""
    number, patient, zone = await stage.patient()
    session = await stage.caller.order("POST", "/sessions", stage.booking(patient, zone), Order(RealClock().now()))
    taken_out = {WITHOUT: without} if without else {}
    for name in {"notifier-1", "scheduler"} - {point.service}:
        await stage.runs(name, taken_out)
    await stage.settled()
    await stage.runs(point.service, taken_out | {KILL_AT: point.name})
    await stage.due_now(session["id"])
    member = stage.deployment.members[point.service]
    assert await member.killed(), f"nothing came to {point.name}"
    await stage.runs(point.service, taken_out)
    await (stage.had_time() if without else stage.settled())
    found = await stage.reminders(number)
    if without:  # what was left undone must not wait for the next test's processes
        await stage.sql("UPDATE notifier.attempts SET state = 'nothing', look_at = NULL WHERE state = 'calling'")
        await stage.sql("UPDATE notifier.messages SET state = 'expired' WHERE state IN ('sending', 'planned')")
    return found


@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_a_reminder_is_accepted_once_though_a_process_is_killed(stage: Stage, point: Point) -> None:
    assert await reminders_after(stage, point, without="") == 1


@pytest.mark.parametrize("point", [*POINTS, *ALONE], ids=lambda point: f"{point}-without-{point.without}")
async def test_the_same_kill_shows_where_a_protection_is_taken_out(stage: Stage, point: Point) -> None:
    assert await reminders_after(stage, point, without=point.without) == point.then


@pytest.mark.parametrize(("without", "second"), [("", 201), ("idempotency", 409)])
async def test_an_order_that_was_not_answered_is_repeated_and_carried_out_once(
    stage: Stage, without: str, second: int
) -> None:
    _, patient, zone = await stage.patient()
    await stage.runs("notifier-1", {})
    await stage.settled()
    member = stage.deployment.members["scheduler"]
    taken_out = {WITHOUT: without} if without else {}
    await stage.runs("scheduler", taken_out | {KILL_AT: "between-commit-and-answer"})
    body, path = stage.booking(patient, zone), f"{stage.deployment.gateway}/api/v1/sessions"
    headers = {"Authorization": f"Bearer {stage.deployment.token}", "Idempotency-Key": str(new_id())}
    async with stage.http.post(path, json=body, headers=headers) as answer:
        assert answer.status == 503
    assert await member.killed()
    await stage.runs("scheduler", taken_out)
    async with stage.http.post(path, json=body, headers=headers) as answer:
        assert answer.status == second, await answer.text()
    assert len((await stage.caller.get(f"/patients/{patient}/sessions"))["items"]) == 1


@pytest.mark.parametrize(("without", "code"), [("", 0), ("whole-migrations", 1)])
async def test_a_migration_that_was_killed_half_way_is_begun_anew(stage: Stage, without: str, code: int) -> None:
    name = f"half_{'whole' if not without else 'parts'}"
    admin = stage.deployment.database.url
    engine = create_async_engine(admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    place = stage.deployment.folder / name
    environment = clean_environment(
        **{key: value for key, value in stage.deployment.settings.items() if not key.endswith("__URL")},
        KEEPWELL_DATA_DIR=str(place),
    ) | {"KEEPWELL_DATABASE_URL": admin.rpartition("/")[0] + f"/{name}"}
    taken_out = {WITHOUT: without} if without else {}
    process = await asyncio.create_subprocess_exec(
        *(stage.deployment.members["clinic"].command[0], *ARMED, "migrate"),
        env=environment | taken_out | {KILL_AT: "in-migration"},
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == -9
    found, _, complaint = await run_command("migrate", environment=environment)
    assert found == code, complaint
    if code == 0:
        made = await tables_of(admin.rpartition("/")[0] + f"/{name}")
        assert made == await tables_of(admin)
    else:
        assert "already exists" in complaint


async def tables_of(url: str) -> set[tuple[str, str]]:
    """Return the tables of every service's schema."""
    engine = create_async_engine(url, poolclass=NullPool)
    wanted = text("SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = ANY(:names)")
    async with engine.connect() as connection:
        rows = (await connection.execute(wanted, {"names": list(SERVICES)})).all()
    await engine.dispose()
    return {(row.table_schema, row.table_name) for row in rows}
