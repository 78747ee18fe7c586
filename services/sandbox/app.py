"""The web application of the sandbox, and the ways in which it can leave a caller without an answer."""

import socket
import struct
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

TRANSPORT: Final = "keepwell.transport"
"""Where the connection stands in a request's scope, if the server lets us at it."""


class SandboxApp(FastAPI):
    """A FastAPI application that remembers a request's connection, so that it can be reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        uvicorn passes a bound method of the object that holds the connection; elsewhere there is none, and an answer
        is cut short instead of reset.
        """
        if scope["type"] == "http":
            scope[TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


class Reset(Response):
    """No answer: the connection is reset, or where that is out of reach an answer is begun and cut."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut the connection."""
        transport = scope.get(TRANSPORT)
        if transport is None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
            return
        connection = transport.get_extra_info("socket")
        if connection is not None and not transport.is_closing():
            # A close without lingering sends RST instead of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        await wait_for_hang_up(receive)


async def wait_for_hang_up(receive: Receive) -> None:
    """Return when the caller is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def hung_up(request: Request) -> None:
    """Return when the caller of a request, whose body was read, is gone."""
    await wait_for_hang_up(request.receive)
