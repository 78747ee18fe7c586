import asyncio
import socket
import ssl
import struct
from pathlib import Path

import pytest
import uvloop

import shared.connections
from shared.bus.outage import is_outage
from shared.connections import GONE_AFTER, Loop, options, was_lost
from tests.support.certificates import certificates

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


class Names:
    """Names that nobody knows, which takes until they are `given_up`; and one that has two addresses."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.given_up = asyncio.Event()
        patch.setattr(uvloop.Loop, "getaddrinfo", self.look_up)

    async def look_up(self, host: str, port: int, **_named: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        if host == "gone":
            await self.given_up.wait()
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("127.0.0.2", "127.0.0.1")]


def test_many_who_look_for_one_that_is_away_look_once_and_others_are_found_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(monkeypatch)

    async def story() -> list[object]:
        waiting = [asyncio.create_task(asyncio.open_connection("gone", 9)) for _ in range(10)]
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection("there", server.sockets[0].getsockname()[1])
            assert await reader.read() == b""
            writer.close()
        assert names.asked == ["gone", "there"]
        waiting[0].cancel()
        names.given_up.set()
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    first, *others = uvloop.run(story(), loop_factory=Loop)
    assert isinstance(first, asyncio.CancelledError)
    assert len(others) == 9
    assert all(isinstance(each, socket.gaierror) for each in others)


def test_a_name_is_looked_up_anew_once_the_answer_came(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)

    async def story() -> None:
        names.given_up.set()
        for _ in range(2):
            with pytest.raises(socket.gaierror):
                await asyncio.open_connection("gone", 9)

    uvloop.run(story(), loop_factory=Loop)
    assert names.asked == ["gone", "gone"]


def test_where_no_address_answers_the_last_one_tells_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch)

    async def story() -> None:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await asyncio.open_connection("there", port)

    with pytest.raises(ConnectionRefusedError) as refused:
        uvloop.run(story(), loop_factory=Loop)
    (note,) = refused.value.__notes__
    assert note.startswith("Before it: ")


async def written_after_a_reset() -> Exception | None:
    """Write into a connection that the other end has just reset; return what that raises."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        _, writer = await asyncio.open_connection(*server.getsockname())
        other, _ = server.accept()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()
        try:
            for _ in range(1000):
                writer.write(b"x")
                writer.writelines([b"y"])
                await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, no time
        except (RuntimeError, OSError) as error:
            return error
    return None


def test_writing_to_a_connection_that_was_just_lost_says_so_as_every_client_expects() -> None:
    assert isinstance(uvloop.run(written_after_a_reset(), loop_factory=Loop), ConnectionResetError)
    # Without it: what no client is prepared for. It is told from every other where it comes through all the same.
    bare = uvloop.run(written_after_a_reset())
    assert isinstance(bare, RuntimeError)
    assert was_lost(bare)
    assert is_outage(bare)
    assert not was_lost(RuntimeError("a mistake of ours"))


def test_a_connection_goes_on_with_tls(tmp_path: Path) -> None:
    certificates(tmp_path / "made")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(tmp_path / "made" / "server.pem", tmp_path / "made" / "server.key")
    asking = ssl.create_default_context(cafile=str(tmp_path / "made" / "ca.pem"))

    async def story() -> bytes:

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await writer.start_tls(serving)
            writer.write(await reader.readexactly(5))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await writer.start_tls(asking, server_hostname="127.0.0.1")
            writer.write(b"hello")
            said = await reader.readexactly(5)
            writer.close()
        return said

    assert uvloop.run(story(), loop_factory=Loop) == b"hello"
