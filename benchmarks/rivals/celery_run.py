"""`python -m benchmarks.rivals.celery_run worker` or `feeder`: Celery's processes."""

import sys
from threading import Event

import psycopg

from benchmarks.rivals import rows
from benchmarks.rivals.celery_side import app, remind
from benchmarks.rivals.work import DATABASE

PROCESSES = 8
POLL = 0.05


def feed() -> None:
    """Queue what is due, for ever."""
    pause = Event()
    with psycopg.connect(DATABASE) as sql, app.producer_pool.acquire(block=True) as producer:
        print("ready", flush=True)
        while True:
            # Queued before the commit: a crash queues again, and the task finds that the message is no longer planned.
            due = sql.execute(rows.QUEUE).fetchall()
            for (message,) in due:
                remind.apply_async((str(message),), producer=producer)
            sql.commit()
            if not due:
                pause.wait(POLL)


if __name__ == "__main__":
    if sys.argv[1] == "feeder":
        feed()
    else:
        options = ["--without-gossip", "--without-mingle", "--loglevel=ERROR", "--pool=prefork"]
        app.worker_main(["worker", *options, f"--concurrency={PROCESSES}"])
