"""Celery with Redis: its application and its task.

Acknowledged late and given back when a worker process is lost, so that nothing is dropped; the prefetch that the manual
names for short tasks; no result backend. Tasks with an ETA wait in a worker's memory, which the manual advises
against, so a feeder (`celery_run`) asks the table for what is due, as a beat job would.
"""

import http.client
import os
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from celery import Celery
from celery.signals import worker_process_init, worker_ready
from psycopg.rows import dict_row

from benchmarks.rivals import rows
from benchmarks.rivals.work import DATABASE, HEADERS, PATH, PROVIDER, form, may_go, sid_of
from shared.ids import new_id

PREFETCH = 16

app = Celery("rival", broker=os.environ["BENCH_REDIS"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=PREFETCH,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


class Hands:
    """What a worker process holds open."""

    sql: psycopg.Connection[dict[str, Any]]
    http: http.client.HTTPConnection


@worker_process_init.connect
def _open(**_: object) -> None:
    Hands.sql = psycopg.connect(DATABASE, row_factory=dict_row, autocommit=True)
    Hands.http = http.client.HTTPConnection(urlsplit(PROVIDER).netloc, timeout=10)


@worker_ready.connect
def _say(**_: object) -> None:
    print("ready", flush=True)


@app.task
def remind(message: str) -> None:
    """Send a reminder."""
    sql = Hands.sql
    attempt = new_id()
    with sql.transaction():
        row = sql.execute(rows.FACTS, (message,)).fetchone()
        if row is None:
            return
        if not may_go(row):
            sql.execute(rows.CLOSE, (message,))
            return
        sql.execute(rows.BEGIN, (attempt, message, message))
    Hands.http.request("POST", PATH, form(row), HEADERS)
    sid = sid_of(Hands.http.getresponse().read())
    sql.execute(rows.END, (attempt, sid, UUID(message)))
