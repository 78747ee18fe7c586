"""Pages: Jinja2 with autoescape, and headers that allow nothing inline and nothing from another host."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED_TEMPLATES: Final = Path(__file__).parent / "templates"
SHARED_STATIC: Final = Path(__file__).parent / "static"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def templates(*folders: Path) -> "Environment":
    """Return an environment that looks into a service's folders and then into the shared one.

    An undefined name is an error, not an empty string.
    """
    from jinja2 import (  # noqa: PLC0415 - a service without pages does without
        ChoiceLoader,
        Environment,
        FileSystemLoader,
        StrictUndefined,
    )

    loaders = [FileSystemLoader(folder) for folder in (*folders, SHARED_TEMPLATES)]
    return Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # They change with the program alone: their files are not looked at again for each page.
        auto_reload=False,
    )


class SafeHeaders:
    """ASGI middleware that sets the headers above on every answer, and keeps pages out of caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
