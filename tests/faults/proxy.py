"""A TCP proxy that stands between two parts and can cut, delay or half open what goes through it."""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.clock import RealClock
from shared.embedded.ports import LOOPBACK

RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER by which a close sends RST: the other side learns that the connection is lost, not that it has ended."""
MOST_HELD: Final = 4 << 20
"""Bytes that a delayed direction keeps before its sender is paused."""


class Wire(asyncio.Protocol):
    """One direction's receiving end: what comes in here goes out at `other`, at once or later."""

    def __init__(self, proxy: "Proxy") -> None:
        self.proxy = proxy
        self.transport: asyncio.Transport | None = None
        self.other: Wire | None = None
        self._held: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._flush: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.proxy.wires.add(self)

    def data_received(self, data: bytes) -> None:
        """Pass on, or keep."""
        loop = asyncio.get_running_loop()
        if self.other is None or self._held or self.proxy.delay or self.proxy.silent:
            self._held.append((loop.time() + self.proxy.delay, data))
            self._size += len(data)
            if self._size > MOST_HELD and self.transport is not None:
                self.transport.pause_reading()
            self.flush()
        else:
            self._pass(data)

    def flush(self) -> None:
        """Pass on what is due, and come back for the rest."""
        loop = asyncio.get_running_loop()
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        while self._held and not self.proxy.silent and self.other is not None:
            at, data = self._held[0]
            if at > loop.time():
                self._flush = loop.call_at(at, self.flush)
                return
            self._held.popleft()
            self._size -= len(data)
            self._pass(data)
        if self._size <= MOST_HELD and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _pass(self, data: bytes) -> None:
        transport = None if self.other is None else self.other.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    def pause_writing(self) -> None:
        """Let the sender wait while the receiver cannot keep up."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the sender go on."""
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side too, unless this is the side that does not learn of it."""
        self.proxy.wires.discard(self)
        if self._flush is not None:
            self._flush.cancel()
        other = self.other
        if other is not None and other.transport is not None and not self.proxy.silent:
            if exc is None:
                other.transport.close()
            else:
                reset(other.transport)

    def eof_received(self) -> bool:
        """Close both."""
        return False


def reset(transport: asyncio.Transport) -> None:
    """Lose a connection."""
    found = transport.get_extra_info("socket")
    if found is not None and not transport.is_closing():
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    transport.abort()


class Proxy:
    """Stands before one address.

    Args:
        target: the port on loopback that it stands before.

    Attributes:
        port: where it listens.
        delay: seconds that each piece of data is kept.
        silent: nothing passes in either direction; connections stay open.
        shut: new connections are lost at once.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0
        self.silent = False
        self.shut = False
        self.wires: set[Wire] = set()
        self._clock = RealClock()
        self._connecting: set[asyncio.Task[None]] = set()

    def accepted(self) -> "Client":
        """Take a connection; for the server alone."""
        return Client(self)

    def connect(self, client: Wire) -> None:
        """Reach the target for a client."""
        task = asyncio.create_task(self._connect(client))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, client: Wire) -> None:
        assert client.transport is not None
        try:
            _, server = await asyncio.get_running_loop().create_connection(lambda: Wire(self), LOOPBACK, self.target)
        except OSError:
            reset(client.transport)
            return
        client.other, server.other = server, client
        if client.transport.is_closing() and server.transport is not None:
            server.transport.close()
            return
        client.flush()

    async def cut(self, seconds: float) -> None:
        """Lose every connection, and each new one for so long."""
        self.shut = True
        self._lose_all()
        try:
            await self._clock.pause(seconds)
        finally:
            self.shut = False

    async def slow(self, seconds: float, by: float) -> None:
        """Keep each piece of data for a while, in order, for so long."""
        self.delay = by
        try:
            await self._clock.pause(seconds)
        finally:
            self.delay = 0.0
            self._flush_all()

    async def hang(self, seconds: float) -> None:
        """Let nothing pass for so long, then all of it: a network that stands still."""
        self.silent = True
        try:
            await self._clock.pause(seconds)
        finally:
            self.silent = False
            self._flush_all()

    async def half_open(self, seconds: float) -> None:
        """Lose the target's side of every connection; the client's side hangs for so long, then is lost too."""
        self.silent = self.shut = True
        clients = [wire for wire in self.wires if isinstance(wire, Client)]
        for wire in clients:
            if wire.other is not None and wire.other.transport is not None:
                reset(wire.other.transport)
        try:
            await self._clock.pause(seconds)
        finally:
            self.silent = self.shut = False
            for wire in clients:
                if wire.transport is not None:
                    reset(wire.transport)

    def _flush_all(self) -> None:
        for wire in list(self.wires):
            wire.flush()

    def _lose_all(self) -> None:
        for wire in list(self.wires):
            if wire.transport is not None:
                reset(wire.transport)


class Client(Wire):
    """The side of a connection that was opened to the proxy."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Reach the target for it, unless the proxy is shut."""
        super().connection_made(transport)
        if self.proxy.shut and self.transport is not None:
            reset(self.transport)
        else:
            self.proxy.connect(self)


@asynccontextmanager
async def before(target: int, *, port: int = 0) -> AsyncIterator[Proxy]:
    """Stand before a port on loopback while the context is open.

    Args:
        target: the port.
        port: where to listen; a free one by default.
    """
    proxy = Proxy(target)
    server = await asyncio.get_running_loop().create_server(proxy.accepted, LOOPBACK, port)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.silent, proxy.delay = False, 0.0
        server.close()
        proxy._lose_all()
        await asyncio.gather(*proxy._connecting, return_exceptions=True)
