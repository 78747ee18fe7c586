"""One question to a Kafka broker, in its own protocol: which brokers does the cluster know?

Forty lines rather than a client: a client logs an error at each attempt while the broker is still starting.
"""

import asyncio
import struct
from dataclasses import dataclass
from typing import Final

from shared.embedded.ports import LOOPBACK

_METADATA: Final = 3
_VERSION: Final = 4
"""The oldest that Kafka 4 speaks; https://kafka.apache.org/protocol#The_Messages_Metadata."""

_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Metadata:
    """A broker's answer: the ids of the brokers that serve, and the id of their cluster."""

    brokers: frozenset[int]
    cluster: str | None


async def ask(port: int) -> Metadata | None:
    """Return what the broker on a loopback port knows; None if nothing there answers as Kafka does."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(request())
                length = struct.unpack(">i", await reader.readexactly(4))[0]
                return parse(await reader.readexactly(length))
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, struct.error, UnicodeDecodeError):
        return None


def request() -> bytes:
    """Return the question: no topics, none created."""
    body = struct.pack(">hhih", _METADATA, _VERSION, 1, -1) + struct.pack(">i?", 0, False)
    return struct.pack(">i", len(body)) + body


def parse(answer: bytes) -> Metadata:
    """Read the answer's head: correlation, throttle, brokers (id, host, port, rack), cluster.

    Raises:
        struct.error: if it is shorter than it says.
    """
    _, _, count = struct.unpack_from(">iii", answer)
    at = 12
    brokers = set()
    for _ in range(count):
        brokers.add(struct.unpack_from(">i", answer, at)[0])
        _, at = _text(answer, at + 4)
        _, at = _text(answer, at + 4)
    cluster, _ = _text(answer, at)
    return Metadata(frozenset(brokers), cluster)


def _text(answer: bytes, at: int) -> tuple[str | None, int]:
    length = struct.unpack_from(">h", answer, at)[0]
    at += 2
    if length < 0:
        return None, at
    return answer[at : at + length].decode(), at + length
