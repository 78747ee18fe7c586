import os
from collections.abc import Callable
from pathlib import Path
from signal import Signals
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.embedded.errors import AlreadyOwnedError, DataDirectoryError
from shared.embedded.identity import identify, is_alive
from shared.embedded.pause import until
from shared.embedded.postgres import PostgresAddress, postgres
from tests.integration.embedded.conftest import Holder


async def run(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_sqlalchemy_reaches_it_by_its_url(data: Path) -> None:
    async with postgres(data) as address:
        engine = create_async_engine(address.url)
        async with engine.connect() as connection:
            version = await connection.scalar(text("show server_version_num"))
            fsync = await connection.scalar(text("show fsync"))
        await engine.dispose()
    assert int(version or 0) // 10_000 == 18
    assert fsync == "on"
    assert address.password not in repr(address)


async def test_a_role_with_a_password_logs_in_with_it_and_with_no_other(data: Path) -> None:
    async with postgres(data) as address:
        await run(address.url, "create role clerk login password 'right'")
        where = f"{address.host}:{address.port}/{address.database}"
        assert await run(f"postgresql://clerk:right@{where}", "select current_user") == "clerk"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await run(f"postgresql://clerk:wrong@{where}", "select 1")


async def test_data_and_address_outlive_a_restart(data: Path) -> None:
    async with postgres(data) as first:
        await run(first.url, "create table kept as select 42 as answer")
    async with postgres(data) as second:
        assert await run(second.url, "select answer from kept") == 42
    assert second.url == first.url


async def test_it_stops_with_its_context(data: Path) -> None:
    async with postgres(data) as address:
        server = identify(address.server.pid or 0)
    assert server is not None
    assert not is_alive(server)


async def test_a_second_start_is_told_which_process_holds_the_data(data: Path, hold: Callable[[Path], Holder]) -> None:
    holder = hold(data)
    with pytest.raises(AlreadyOwnedError) as refused:
        async with postgres(data):
            pass
    assert refused.value.pid == holder.process.pid
    assert await run(holder.url, "select 1") == 1


async def test_what_was_committed_outlives_the_killing_of_the_owner(data: Path, hold: Callable[[Path], Holder]) -> None:
    holder = hold(data)
    await run(holder.url, "create table kept as select 42 as answer")
    holder.process.kill()
    holder.process.wait()
    left = identify(holder.server)
    assert left is not None
    steps: list[str] = []
    async with postgres(data, progress=lambda step: steps.append(step.doing)) as address:
        assert not is_alive(left)
        assert await run(address.url, "select answer from kept") == 42
    assert "Stopped a PostgreSQL that an earlier run had left behind" in steps


async def test_a_server_that_ends_unasked_is_started_again_at_its_address(data: Path) -> None:
    async with postgres(data) as address:
        await run(address.url, "create table kept as select 42 as answer")
        before = address.server.pid
        os.kill(before or 0, Signals.SIGKILL)
        assert await until(lambda: address.server.pid not in {None, before}, seconds=20)
        assert await _answers(address) == 42


async def _answers(address: PostgresAddress) -> Any:
    while True:
        try:
            return await run(address.url, "select answer from kept")
        except (OSError, asyncpg.CannotConnectNowError):
            await until(lambda: False, seconds=0.05)


async def test_the_terminals_interrupt_does_not_reach_it(data: Path) -> None:
    async with postgres(data) as address:
        assert os.getsid(address.server.pid or 0) != os.getsid(0)


async def test_the_path_of_the_data_may_be_long_and_odd(data: Path) -> None:
    async with postgres(data / ("long " * 25 + "ä,'") / ("deep" * 30)) as address:
        assert await run(address.url, "select 1") == 1


async def test_data_of_another_version_is_refused_and_left_alone(data: Path) -> None:
    cluster = data / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(DataDirectoryError, match="made by PostgreSQL 17"):
        async with postgres(data):
            pass
    assert [file.name for file in cluster.iterdir()] == ["PG_VERSION"]
