"""Connections that notice within seconds that nobody is at the other end any more.

A host that dies, a container whose address changes, a firewall that forgets: none of them says goodbye. The kernel goes
on repeating what was sent for a quarter of an hour (`tcp_retries2`, tcp(7)) before it tells the program, and clients
with a longer time-out of their own than their caller's patience never look.
"""

import asyncio
import socket
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


class Loop(uvloop.Loop):
    """An event loop all of whose outgoing TCP connections notice when the other end is gone."""

    async def create_connection(self, *args: Any, **named: Any) -> Any:
        """Connect and return transport and protocol; see `asyncio.loop.create_connection`.

        Raises:
            TimeoutError: nobody answered within `GONE_AFTER`; the kernel would ask for two minutes.
        """
        transport: Any
        async with asyncio.timeout(GONE_AFTER):
            transport, protocol = await super().create_connection(*args, **named)
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family in {socket.AF_INET, socket.AF_INET6}:
            for level, name, value in options():
                connected.setsockopt(level, name, value)
        return transport, protocol
