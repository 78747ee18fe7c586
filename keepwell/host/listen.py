"""Listening: one socket taken early, so that every address is known before anything starts, and a server on it."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

DEFAULT_PORT: Final = 8080
CLOSE_WITHIN: Final = 3
"""Real seconds that open requests may take at a stop; streams are cut then."""


class PortTakenError(Exception):
    """The port that was asked for is in use."""


def listen(host: str, port: int | None) -> socket.socket:
    """Take a port: the one asked for, or by default 8080 or, where that is taken, a free one.

    Raises:
        PortTakenError: the port that was asked for is in use, or the host is no address of this machine.
    """
    wanted = [port] if port is not None else [DEFAULT_PORT, 0]
    for candidate in wanted:
        try:
            return socket.create_server((host, candidate), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            reason = error.strerror or str(error)
    raise PortTakenError(
        f"KEEPWELL_HTTP_HOST {host!r} and KEEPWELL_HTTP_PORT {port} cannot be listened on: {reason}. "
        "Stop what uses the port, or set another; 0 takes a free one."
    )


def address(listening: socket.socket, *, host: str) -> str:
    """Return the base address of a socket; where it listens on every interface, this machine's own."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104 - compared
    return f"http://{shown}:{listening.getsockname()[1]}"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process, which stops its parts in order."""
        yield


class Server:
    """Serves an application on a socket until it is stopped.

    Args:
        app: what is served.
        listening: where, and `more` of the same.
        trusted_proxies: addresses or networks, with commas, whose X-Forwarded-For and -Proto are believed; nobody's
            where absent, for anybody can send them.
        options: more for uvicorn.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        *more: socket.socket,
        trusted_proxies: str | None = None,
        **options: Any,
    ) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=trusted_proxies is not None,
            forwarded_allow_ips=trusted_proxies or "",
            timeout_graceful_shutdown=CLOSE_WITHIN,
            **options,
        )
        self._server = _Server(config)
        self._listening = [listening, *more]
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=self._listening))

    async def stop(self) -> None:
        """Answer what is open, within bounds, and stop; a second time does nothing."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task
        for listening in self._listening:
            listening.close()
