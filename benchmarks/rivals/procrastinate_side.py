"""Procrastinate: `python -m benchmarks.rivals.procrastinate_side work`, a worker of fifty tasks at a time.

`schema` makes its tables; `defer` writes jobs for the messages that have none.

A job is a row that is written with what causes it, and becomes due by itself. The worker asks for due jobs ten times a
second (a notification comes only when a job is written) and deletes those that succeeded.
"""

import sys
from uuid import UUID

import aiohttp
import psycopg
import uvloop
from procrastinate import App, PsycopgConnector
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.rivals import rows
from benchmarks.rivals.work import DATABASE, HEADERS, PATH, PROVIDER, form, may_go, sid_of
from shared.ids import new_id

SIDE_BY_SIDE = 50
POLL = 0.1


app = App(
    connector=PsycopgConnector(conninfo=DATABASE, kwargs={"options": "-c search_path=rival"}, min_size=4, max_size=20)
)


class Hands:
    """What the worker holds open."""

    pool: AsyncConnectionPool
    http: aiohttp.ClientSession


@app.task(name="remind")
async def remind(message: str) -> None:
    """Send a reminder."""
    attempt = new_id()
    async with Hands.pool.connection() as sql, sql.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(rows.FACTS, (message,))).fetchone()
        if row is None:
            return
        if not may_go(row):
            await cursor.execute(rows.CLOSE, (message,))
            return
        await cursor.execute(rows.BEGIN, (attempt, message, message))
    async with Hands.http.post(PROVIDER + PATH, data=form(row), headers=HEADERS) as answer:
        sid = sid_of(await answer.read())
    async with Hands.pool.connection() as sql:
        await sql.execute(rows.END, (attempt, sid, UUID(message)))


async def defer() -> None:
    """Write jobs that become due with their messages."""
    async with app.open_async(), await psycopg.AsyncConnection.connect(DATABASE) as sql:
        waiting = await (await sql.execute(rows.TAKE)).fetchall()
        for at, ids in waiting:
            for begin in range(0, len(ids), 500):
                part = [{"message": str(message)} for message in ids[begin : begin + 500]]
                await remind.configure(schedule_at=at).batch_defer_async(*part)


async def work() -> None:
    """Work until told to stop."""
    async with (
        AsyncConnectionPool(DATABASE, min_size=4, max_size=20) as Hands.pool,
        aiohttp.ClientSession() as Hands.http,
        app.open_async(),
    ):
        print("ready", flush=True)
        await app.run_worker_async(
            concurrency=SIDE_BY_SIDE, fetch_job_polling_interval=POLL, delete_jobs="successful", wait=True
        )


def apply_schema() -> None:
    """Make the queue's tables."""
    with psycopg.connect(DATABASE, options="-c search_path=rival", autocommit=True) as sql:
        sql.execute(app.schema_manager.get_schema())


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "schema":
        apply_schema()
    else:
        uvloop.run(defer() if what == "defer" else work())
