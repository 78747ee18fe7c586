"""PostgreSQL as it is when its machine stands still: it takes what it is sent and says nothing."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text


async def server_of(database: Any) -> list[int]:
    """Return the processes of PostgreSQL that answer a service: the one that takes connections, and those it has."""
    async with database.reading() as reader:
        mine = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        backends = [row.pid for row in await reader.all(text(mine))]
    asked = await asyncio.create_subprocess_exec("ps", "-o", "ppid=", "-p", str(backends[0]), stdout=PIPE)
    parent, _ = await asked.communicate()
    return [int(parent), *backends]


async def family_of(server: int) -> list[int]:
    """Return a server of PostgreSQL with all the processes that it has begun."""
    asked = await asyncio.create_subprocess_exec("ps", "-o", "pid=", "--ppid", str(server), stdout=PIPE)
    listed, _ = await asked.communicate()
    return [server, *map(int, listed.split())]


@contextmanager
def frozen(processes: list[int]) -> Iterator[None]:
    """Let processes stand still while a block runs."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
