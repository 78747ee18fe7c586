"""A database that stands still says nothing: the page that is asked for says so within seconds."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import pytest
from sqlalchemy import text

from services.clinic.pages.visit import READ_PATIENCE
from tests.integration.clinic.conftest import Browser, Home


async def server(home: Home) -> list[int]:
    """Return the processes of PostgreSQL that answer this service: the one that takes connections, and those it has."""
    async with home.bench.database.reading() as reader:
        mine = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        backends = [row.pid for row in await reader.all(text(mine))]
    asked = await asyncio.create_subprocess_exec("ps", "-o", "ppid=", "-p", str(backends[0]), stdout=PIPE)
    parent, _ = await asked.communicate()
    return [int(parent), *backends]


@contextmanager
def frozen(processes: list[int]) -> Iterator[None]:
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize("path", ["/console/today", "/console/patients", "/console/alerts", "/console/login"])
async def test_a_frozen_database_never_leaves_staff_before_an_empty_page(home: Home, path: str) -> None:
    browser: Browser = await home.logged_in()
    with frozen(await server(home)):
        began = perf_counter()
        page = await browser.get(path)
        took = perf_counter() - began
    assert page.status == 503
    assert took < READ_PATIENCE + 5
    for words in ("cannot reach its database", "What still works", "Whom to call", "988"):
        assert words in page.text
    assert page.headers["retry-after"] == "10"
    assert (await browser.get("/console/today")).status == 200, "once it goes on, so does the console"
