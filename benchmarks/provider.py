"""A provider that answers at once, in a process of its own: `python -m benchmarks.provider` prints its port.

It speaks just enough of Twilio's Messages contract; `GET /` tells how often it was called and for how many messages.
"""

import asyncio
import json
import secrets
import signal
from typing import cast

import uvloop

MARK = b"message%3D"
RUN = secrets.token_hex(4)


class Ledger:
    """What was asked for."""

    def __init__(self) -> None:
        self.calls = 0
        self.messages: set[bytes] = set()


class Provider(asyncio.Protocol):
    """One connection."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(body, asked=head.startswith(b"get"))

    def _answer(self, body: bytes, *, asked: bool) -> None:
        ledger = self._ledger
        if asked:
            status, answer = b"200 OK", json.dumps({"calls": ledger.calls, "messages": len(ledger.messages)}).encode()
        else:
            ledger.calls += 1
            place = body.find(MARK)
            if place >= 0:
                ledger.messages.add(body[place + len(MARK) : place + len(MARK) + 36])
            status = b"201 Created"
            answer = b'{"sid":"SM%s%024x","status":"queued","error_code":null}' % (RUN.encode(), ledger.calls)
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(answer), answer)
            )


async def main() -> None:
    loop, ledger, stop = asyncio.get_running_loop(), Ledger(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Provider(ledger), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
