"""The process's one outgoing HTTP session, opened with its first call.

A service that starts has nobody to call yet, and aiohttp takes a tenth of its start to load.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import aiohttp

AT_ONCE: Final = 100
"""Connections that a process may have open to others at once."""

Outgoing = Callable[[], "aiohttp.ClientSession"]
"""Gives the process's one session; to be called where it is used, in the event loop."""


class Lazily:
    """Opens a session when it is first asked for."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def __call__(self) -> "aiohttp.ClientSession":
        import aiohttp  # noqa: PLC0415 - see the module

        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE))
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
