"""The lean client against a server that answers byte for byte as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.notifier.ports.wire import KEPT, Answer, Lost, NotSent, Poster, read_answer
from tests.support.bench import eventually

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
Script = Callable[["Line"], Awaitable[None]]


@dataclass
class Line:
    """One connection, seen from the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self) -> tuple[bytes, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head, await self.reader.readexactly(length)

    async def say(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()


@dataclass
class Server:
    port: int = 0
    lines: list[Line] = field(default_factory=list)
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)

    def poster(self, timeout: float = 5.0) -> Poster:
        return Poster(f"http://127.0.0.1:{self.port}/a/b.json", {"Authorization": "Basic x"}, timeout=timeout)


@asynccontextmanager
async def server(script: Script) -> AsyncIterator[Server]:
    here = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        here.lines.append(line)
        try:
            while True:
                here.requests.append(await line.request())
                await script(line)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            line.ended.set()
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    here.port = listening.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        listening.close()
        for line in here.lines:
            line.writer.transport.abort()


async def test_a_request_is_whole_and_its_answer_is_read() -> None:
    async with server(lambda line: line.say(OK)) as here:
        poster = here.poster()
        answer = await poster.post(b"To=%2B1")
        poster.close()
    assert (answer.status, answer.body) == (201, b"{}")
    head, body = here.requests[0]
    assert head.startswith(b"POST /a/b.json HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{here.port}\r\n".encode() in head
    assert b"\r\nAuthorization: Basic x\r\n" in head
    assert body == b"To=%2B1"


async def test_a_connection_is_used_again_and_as_many_are_open_as_posts_run_side_by_side() -> None:
    async with server(lambda line: line.say(OK)) as here:
        poster = here.poster()
        for _ in range(3):
            await poster.post(b"x")
        assert len(here.lines) == 1
        await asyncio.gather(*(poster.post(b"x") for _ in range(4)))
        assert len(here.lines) == 4
        poster.close()


async def test_each_answer_belongs_to_its_own_request() -> None:
    async def echo(line: Line) -> None:
        body = here.requests[-1][1]
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)

    async with server(echo) as here:
        poster = here.poster()

        async def caller(number: int) -> None:
            for turn in range(20):
                said = f"{number}/{turn}".encode()
                assert (await poster.post(said)).body == said

        await asyncio.gather(*map(caller, range(5)))
        poster.close()


async def test_a_connection_that_nobody_has_needed_for_long_is_closed() -> None:
    async with server(lambda line: line.say(OK)) as here:
        poster = here.poster()
        await asyncio.gather(poster.post(b"x"), poster.post(b"x"))
        oldest = next(iter(poster._idle))
        poster._idle[oldest] -= KEPT
        await poster.post(b"x")
        assert len(poster._idle) == 1
        closed = [asyncio.create_task(line.ended.wait()) for line in here.lines]
        done, waiting = await asyncio.wait(closed, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        assert (len(done), len(waiting)) == (1, 1)
        waiting.pop().cancel()
        poster.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.0 201 Created\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}and more",
    ],
)
async def test_a_connection_that_is_used_up_is_not_used_again(answer: bytes) -> None:
    async with server(lambda line: line.say(answer)) as here:
        poster = here.poster()
        assert (await poster.post(b"x")).body == b"{}"
        assert (await poster.post(b"x")).body == b"{}"
        assert len(here.lines) == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_not_written_to() -> None:
    async def answer_and_go(line: Line) -> None:
        await line.say(OK)
        line.writer.close()

    async with server(answer_and_go) as here:
        poster = here.poster()

        async def noticed() -> bool:
            return not poster._idle

        for _ in range(3):
            await poster.post(b"x")
            await eventually(noticed)
        assert len(here.requests) == 3


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with server(lambda line: line.say(OK)) as here:
        poster = here.poster()
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        await poster.post(b"x")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 201 Cre", b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{}"])
async def test_a_connection_that_breaks_before_the_whole_answer_leaves_the_request_lost(said: bytes) -> None:
    async def break_off(line: Line) -> None:
        await line.say(said)
        line.writer.transport.abort()

    async with server(break_off) as here:
        with pytest.raises(Lost):
            await here.poster().post(b"x")
        assert len(here.requests) == 1


async def test_an_answer_that_does_not_come_leaves_the_request_lost_and_the_connection_closed() -> None:
    async with server(lambda line: line.say()) as here:
        poster = here.poster(timeout=0.1)
        with pytest.raises(Lost, match="TimeoutError"):
            await poster.post(b"x")
        await asyncio.wait_for(here.lines[0].ended.wait(), 5)


async def test_a_caller_that_goes_away_takes_its_connection_along() -> None:
    """Its late answer must not be taken for that of the next request."""
    asked = asyncio.Event()

    async def answer_once_asked_again(line: Line) -> None:
        asked.set()
        if len(here.requests) > 1:
            await line.say(OK)

    async with server(answer_once_asked_again) as here:
        poster = here.poster()
        first = asyncio.create_task(poster.post(b"first"))
        await asyncio.wait_for(asked.wait(), 5)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert (await poster.post(b"second")).status == 201
        assert len(here.lines) == 2
        poster.close()


@pytest.mark.parametrize(
    ("came", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
            b"abc0123456789",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 204 No Content\r\nRetry-After: 7\r\n\r\n", b""),
    ],
)
def test_an_answer_is_read_whole_and_never_before_it_is_whole(came: bytes, body: bytes) -> None:
    for size in range(len(came)):
        assert read_answer(came[:size], ended=False) is None
    found = read_answer(came, ended=False)
    assert found is not None
    answer, size, kept = found
    assert (answer.body, size, kept) == (body, len(came), True)


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    came = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nabc"
    assert read_answer(came, ended=False) is None
    assert read_answer(came, ended=True) == (Answer(200, {b"x": b"y"}, b"abc"), len(came), False)


@pytest.mark.parametrize(
    "came",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_001,
    ],
)
def test_what_is_no_answer_is_refused_without_saying_what_came(came: bytes) -> None:
    with pytest.raises(ValueError, match=r"^[a-z HTP]+$"):
        read_answer(came, ended=False)


async def test_what_is_no_answer_leaves_the_request_lost() -> None:
    async with server(lambda line: line.say(b"nonsense\r\n\r\n")) as here:
        with pytest.raises(Lost, match="no HTTP answer"):
            await here.poster().post(b"x")
