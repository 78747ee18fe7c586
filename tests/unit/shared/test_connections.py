import asyncio
import socket

import pytest
import uvloop

import shared.connections
from shared.connections import GONE_AFTER, Loop, options

OF_TCP = socket.IPPROTO_TCP


async def opened() -> list[tuple[int, int, int]]:
    """Connect to a server of our own and return the options that the connection has."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        connected = writer.get_extra_info("socket")
        found = [(level, name, connected.getsockopt(level, name)) for level, name, _ in options()]
        writer.close()
        await writer.wait_closed()
    return found


def test_every_outgoing_connection_is_given_up_when_nobody_acknowledges() -> None:
    found = uvloop.run(opened(), loop_factory=Loop)
    assert found == options()
    plain = uvloop.run(opened())
    assert all(value != usual for (_, _, value), (_, _, usual) in zip(found, plain, strict=True))


def test_a_system_without_an_option_goes_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = len(options())
    monkeypatch.delattr(socket, "TCP_KEEPCNT")
    assert len(options()) == whole - 1


def test_what_is_idle_is_found_dead_no_later_than_what_is_not_acknowledged() -> None:
    values = {name: value for level, name, value in options() if level == OF_TCP}
    probing = values[socket.TCP_KEEPIDLE] + values[socket.TCP_KEEPINTVL] * values[socket.TCP_KEEPCNT]
    assert 0 < probing <= GONE_AFTER


def test_a_connection_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence(*_values: object, **_named: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(uvloop.Loop, "create_connection", silence)
    monkeypatch.setattr(shared.connections, "GONE_AFTER", 0.05)
    with pytest.raises(TimeoutError):
        uvloop.run(asyncio.open_connection("198.51.100.1", 9), loop_factory=Loop)
