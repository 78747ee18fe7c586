"""What answers at a process's address from its first moment on, before there is anything else to ask."""

from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.web.away import PATIENTS_LINKS, away

AGAIN_AFTER: Final = {"Retry-After": "1"}


class StartingApp:
    """A web application that stands in front of the real one and says why it is not there yet.

    Attributes:
        waits_for: why the process cannot do its work yet, in plain words for `/readyz`.
    """

    def __init__(self) -> None:
        self._inside: ASGIApp | None = None
        self.waits_for = "it is starting"

    def wait_for(self, what: str) -> None:
        self.waits_for = what

    def open(self, inside: ASGIApp) -> None:
        """Let every request through from now on."""
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._inside is not None:
            await self._inside(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(PATIENTS_LINKS):
            await away()(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope["path"])(scope, receive, send)

    def _answer(self, path: str) -> JSONResponse:
        if path == "/healthz":
            return JSONResponse({"status": "ok"})
        if path == "/readyz":
            return JSONResponse({"ready": False, "problems": [self.waits_for]}, status_code=503, headers=AGAIN_AFTER)
        problem = {"title": "Not ready yet", "status": 503, "detail": f"Keepwell is not ready yet: {self.waits_for}."}
        return JSONResponse(problem, status_code=503, headers=AGAIN_AFTER, media_type="application/problem+json")
