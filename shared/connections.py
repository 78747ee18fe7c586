"""Connections that notice within seconds that nobody is at the other end any more.

A host that dies, a container whose address changes, a firewall that forgets: none of them says goodbye. The kernel goes
on repeating what was sent for a quarter of an hour (`tcp_retries2`, tcp(7)) before it tells the program, and clients
with a longer time-out of their own than their caller's patience never look.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any, Final

import uvloop

GONE_AFTER: Final = 10
"""Real seconds without a word from the other end's kernel after which a connection is ended. A process that is busy or
frozen does not end it: its kernel answers."""
_PROBE_EVERY: Final = 2
_PROBES: Final = 3


def options() -> list[tuple[int, int, int]]:
    """Return level, name and value of each socket option that this system has for it.

    What was sent must be acknowledged in time (`TCP_USER_TIMEOUT`, RFC 5482; Linux); where nothing is on its way, the
    other end is probed.
    """
    wanted = {
        "TCP_USER_TIMEOUT": GONE_AFTER * 1000,
        "TCP_KEEPIDLE": GONE_AFTER - _PROBE_EVERY * _PROBES,
        "TCP_KEEPINTVL": _PROBE_EVERY,
        "TCP_KEEPCNT": _PROBES,
    }
    known = [(name, value) for name, value in wanted.items() if hasattr(socket, name)]
    return [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *((socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in known),
    ]


def was_lost(error: Exception) -> bool:
    """Tell whether an error is uvloop's for a write to a connection that was lost an instant before.

    Whoever writes by the transport that it was handed (PostgreSQL's client does) still gets to see it.
    """
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)


class _Connection:
    """A transport that says of a connection which was lost just now that it was, as an `OSError`.

    uvloop raises RuntimeError where a loop of Python's own says nothing. Kafka's client does not expect that: the task
    that keeps its group, or the one that knows where the brokers are, died of it and was never started again.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: Any) -> None:
        """Write; see `asyncio.WriteTransport.write`.

        Raises:
            ConnectionResetError: the connection is lost.
        """
        self._given(self._transport.write, data)

    def writelines(self, data: Any) -> None:
        """Write; see `asyncio.WriteTransport.writelines` and `write`."""
        self._given(self._transport.writelines, data)

    def _given(self, write: Callable[[Any], None], data: Any) -> None:
        try:
            write(data)
        except RuntimeError as error:
            if was_lost(error):
                raise ConnectionResetError(
                    errno.ECONNRESET, "The connection was lost before this was written."
                ) from error
            raise


class Loop(uvloop.Loop):
    """An event loop all of whose outgoing TCP connections notice when the other end is gone.

    A name is looked up once at a time, whoever asks for it. The system looks up four names side by side, each for five
    seconds and more where nobody knows it: without this, all those who want to get back to a Kafka that is away keep
    everybody else from connecting to a PostgreSQL that is there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lookups: dict[tuple[Any, ...], asyncio.Task[Any]] = {}

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - as every loop's
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """Look a name up, together with whoever else asks for the same; see `asyncio.loop.getaddrinfo`."""
        asked = (host, port, family, type, proto, flags)
        lookup = self._lookups.get(asked)
        if lookup is None:
            found = super().getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)
            lookup = self._lookups[asked] = self.create_task(found)
            lookup.add_done_callback(lambda done: self._looked_up(asked, done))
        # Whoever gives up leaves the lookup to the others, and to whoever comes next.
        return await asyncio.shield(lookup)

    def _looked_up(self, asked: tuple[Any, ...], lookup: asyncio.Task[Any]) -> None:
        del self._lookups[asked]
        if not lookup.cancelled():
            lookup.exception()  # nobody may be left who wants to know

    async def create_connection(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **named: Any
    ) -> Any:
        """Connect and return transport and protocol; see `asyncio.loop.create_connection`.

        Raises:
            TimeoutError: nobody answered within `GONE_AFTER`; the kernel would ask for two minutes.
        """
        transport: Any
        async with asyncio.timeout(GONE_AFTER):
            transport, protocol = await self._connect(protocol_factory, host, port, named)
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family in {socket.AF_INET, socket.AF_INET6}:
            for level, name, value in options():
                connected.setsockopt(level, name, value)
        return _Connection(transport), protocol

    async def start_tls(self, transport: Any, protocol: Any, sslcontext: Any, **named: Any) -> Any:
        """Go on with TLS; see `asyncio.loop.start_tls`."""
        plain = transport._transport if isinstance(transport, _Connection) else transport  # noqa: SLF001 - ours
        return _Connection(await super().start_tls(plain, protocol, sslcontext, **named))

    async def _connect(
        self, protocol_factory: Callable[[], Any], host: Any, port: Any, named: dict[str, Any]
    ) -> tuple[Any, Any]:
        """Connect to the first of a host's addresses that answers; raise what the last one said."""
        if not isinstance(host, str):
            return await super().create_connection(protocol_factory, host, port, **named)
        found = await self.getaddrinfo(host, port, family=named.get("family", 0), type=socket.SOCK_STREAM)
        if named.get("ssl"):
            named = {"server_hostname": host} | named
        protocol = protocol_factory()
        silent: OSError | None = None
        for address in dict.fromkeys(place[0] for *_, place in found):
            try:
                return await super().create_connection(lambda: protocol, address, port, **named)
            except OSError as error:
                if silent is not None:
                    error.add_note(f"Before it: {silent}")
                silent = error
        raise silent or OSError(f"{host} has no address.")
