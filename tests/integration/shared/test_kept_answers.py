"""What a repeated order is answered from shows nobody what was asked or answered, and is gone after a day."""

import json
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from keepwell.host import registry
from services.scheduler.history import HISTORY
from services.scheduler.service import build
from services.scheduler.tables import IDEMPOTENCY
from shared.bus.retention import Purge
from shared.clock import SteppedClock
from shared.database import Database
from shared.database.database_roles import prepare, service_url
from shared.database.history import History
from shared.database.migrate import upgrade
from shared.ids import ClinicId, new_id
from shared.protection import SealedError
from shared.settings import SERVICES
from shared.web.idempotency import Answer, Idempotency, forgotten
from shared.web.tokens import Principal
from tests.integration.scheduler.harness import SchedulerHarness
from tests.support.bench import KEYRING, bench_of
from tests.support.databases import PASSWORD, Databases

MARK = "Planted0123 wants to die"
WIPE = "answers_that_lay_in_clear"


@pytest.fixture
async def harness(databases: Databases, clock: SteppedClock) -> AsyncIterator[SchedulerHarness]:
    async with databases.lent(HISTORY, clock) as database, bench_of(build, database, clock) as bench:
        harness = SchedulerHarness(bench, new_id())
        await harness.open()
        await harness.enrol()
        yield harness


async def kept(database: Database) -> list[dict[str, object]]:
    async with database.reading() as reader:
        return [dict(row._mapping) for row in await reader.all(select(IDEMPOTENCY))]


async def test_a_kept_answer_never_lies_in_clear(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-08T10:00")
    path, body = f"/sessions/{session['id']}/cancel", {"reason": MARK, "note": MARK}
    key = {"Idempotency-Key": f"{MARK} 7"}
    first = await harness.bench.call("POST", path, body, headers=key)
    again = await harness.bench.call("POST", path, body, headers=key)
    assert (first.status, first.json["reason"]) == (200, MARK)
    assert (again.status, again.text, again.headers["Etag"]) == (first.status, first.text, first.headers["Etag"])
    rows = await kept(harness.bench.service.database)
    assert len(rows) == 1
    told = json.dumps(rows, default=str)
    for clear in (MARK, "Planted0123", str(harness.patient), session["id"], "cancelled"):
        assert clear not in told


async def test_answers_are_never_guessed_from_the_hash_of_a_request() -> None:
    body = json.dumps({"answers": [1, 1, 1, 1, 1, 1, 1, 1, 3]}).encode()
    ours = Idempotency("scheduler", KEYRING)
    other = Idempotency("scheduler", type(KEYRING).from_text(KEYRING.generate()))
    said = ours.fingerprint("POST", "/api/v1/checkins/1/answers", body)
    assert said == ours.fingerprint("POST", "/api/v1/checkins/1/answers", body.replace(b", ", b",  "))
    assert said != other.fingerprint("POST", "/api/v1/checkins/1/answers", body)


async def test_a_sealed_answer_never_opens_under_another_key_or_request(harness: SchedulerHarness) -> None:
    database = harness.bench.service.database
    answers, who = Idempotency("scheduler", KEYRING), Principal(ClinicId(new_id()), "Desk", frozenset())
    async with database.transaction() as tx:
        for key in ("one", "two"):
            await answers.begin(tx, who, key, "same")
            await answers.finish(tx, who, key, "same", Answer(200, key, None))
    async with database.transaction() as tx:
        rows = await tx.all(select(IDEMPOTENCY).order_by(IDEMPOTENCY.c.key))
        await tx.execute(IDEMPOTENCY.update().where(IDEMPOTENCY.c.key == rows[0].key).values(body=rows[1].body))
    for key in ("one", "two"):
        async with database.transaction() as tx:
            if answers.mark(who, key) == rows[0].key:
                with pytest.raises(SealedError):
                    await answers.begin(tx, who, key, "same")


async def test_a_kept_answer_never_outlives_a_day(harness: SchedulerHarness) -> None:
    database = harness.bench.service.database
    session = await harness.book("2026-12-08T10:00")
    await harness.bench.call("POST", f"/sessions/{session['id']}/cancel", {}, headers={"Idempotency-Key": "k"})
    purge = Purge(database, [forgotten(IDEMPOTENCY)], timedelta(days=90))
    await harness.bench.clock.move_to(harness.bench.clock.now() + timedelta(hours=23))
    assert (await purge.round())["idempotency"] == 0
    await harness.bench.clock.move_to(harness.bench.clock.now() + timedelta(hours=2))
    assert (await purge.round())["idempotency"] == 1
    assert await kept(database) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_an_upgrade_never_leaves_what_lay_in_clear(
    databases: Databases, clock: SteppedClock, service: str, tmp_path: Path
) -> None:
    admin = await databases.empty()
    await prepare(admin, {service: PASSWORD})
    url, history = service_url(admin, service, PASSWORD), registry.history(service)
    await upgrade(url, before(history, WIPE, tmp_path))
    database = Database(url, schema=service, clock=clock, name="a test")
    try:
        async with database.transaction() as tx:
            row = "INSERT INTO idempotency (key, fingerprint, status, body, created_at) VALUES (:b, :b, 200, :b, now())"
            await tx.execute(text(row).bindparams(b=MARK))
        await upgrade(url, history)
        async with database.reading() as reader:
            assert await reader.scalar(text("SELECT count(*) FROM idempotency")) == 0
    finally:
        await database.close()


def before(history: History, step: str, folder: Path) -> History:
    """Return a history as it was before a step came to it."""
    copy = folder / history.service
    shutil.copytree(history.folder, copy)
    files = sorted((copy / "versions").glob("*.py"))
    first = next(place for place, file in enumerate(files) if file.stem.endswith(step))
    for file in files[first:]:
        file.unlink()
    return History(history.service, copy, history.tables)
