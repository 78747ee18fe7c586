"""A process is killed at a named place; nothing is lost or doubled. Without its protection the same test fails."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.clock import RealClock
from shared.ids import new_id
from tests.faults.armed import KILL_AT, WITHOUT
from tests.faults.deployment import SERVICES
from tests.faults.record import Order
from tests.faults.round import ARMED
from tests.faults.stage import Stage
from tests.support.running import clean_environment, run_command

pytestmark = pytest.mark.timeout(900)  # on a busy machine a process takes its time to start


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
