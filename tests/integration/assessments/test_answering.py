"""What an answer costs the database, and what two answers at once see of each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from services.assessments.store import read_models
from shared.database import Database
from shared.events import CheckinCompleted, CheckinExpired
from tests.integration.assessments.harness import AssessmentsHarness, spread
from tests.support.bench import Answer, eventually
from tests.support.statements import statements

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    " AND query LIKE '%token_hash%'"
)


@asynccontextmanager
async def held_up(database: Database, patient: UUID, requests: list[asyncio.Task[Answer]]) -> AsyncIterator[None]:
    """Keep a patient locked while the block begins requests, until all of them wait for the lock."""
    async with database.transaction() as tx:
        await read_models.lock_patient(tx, patient)
        yield

        async def all_wait() -> bool:
            async with database.reading() as reader:
                return bool(await reader.scalar(WAITING) == len(requests))

        await eventually(all_wait)


async def test_a_complete_answer_is_one_transaction_of_three_statements(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("post-session"))
    form = (await harness.bench.call("GET", path, token="")).text
    with statements(harness.bench.database) as found:
        page = await harness.send(path, "post-session", {**dict.fromkeys(asked(form), 0), "mood": 5})
    assert page.status == 200, page.text
    assert sorted(statement.split()[0].strip(";") for statement in found) == [
        "BEGIN",
        "COMMIT",
        "SELECT",
        "WITH",
        "WITH",
    ]
    assert len(await harness.bench.said(CheckinCompleted)) == 1


async def test_two_halves_of_a_form_at_once_make_a_whole_one(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    whole = spread(9)
    first, second = {item: whole[item] for item in "1234"}, {item: whole[item] for item in "56789"}
    requests: list[asyncio.Task[Answer]] = []
    async with held_up(harness.bench.database, harness.patient, requests):
        requests += [asyncio.create_task(harness.send(path, "phq-9", half)) for half in (first, second)]
    assert sorted(page.status for page in await asyncio.gather(*requests)) == [200, 422]
    assert len(await harness.bench.said(CheckinCompleted)) == 1
    (score,) = await harness.items(f"/patients/{harness.patient}/scores")
    assert score["total"] == 9


async def test_a_completed_check_in_leaves_no_timer_behind(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("post-session", "phq-9")
    other = await harness.ask("phq-9", occurrence="day-14")
    path = harness.path(opened)
    for instrument in ("post-session", "phq-9"):
        form = (await harness.bench.call("GET", path, token="")).text
        await harness.send(path, instrument, dict.fromkeys(asked(form), 0))
    waiting = [event for _, event in (await harness.bench.pending()).values() if isinstance(event, CheckinExpired)]
    assert [event.checkin for event in waiting] == [other.checkin]


def asked(page: str) -> list[str]:
    return [name.partition('"')[0] for name in page.split('name="q-')[1:]]
