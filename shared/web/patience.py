"""How long a page waits before it says that its database does not answer: one that stands still says nothing itself."""

from typing import Final

from fastapi import FastAPI, Request

DEFAULT: Final = 5.0
"""Real seconds for a page that only shows. Engineering default."""
_ORDERS: Final = 3
"""Times as long for a form: other services may have to answer first, and sent again it counts once."""
_READS: Final = frozenset({"GET", "HEAD"})


def set_patience(app: FastAPI, seconds: float) -> None:
    """Have an application's pages wait for so many real seconds."""
    app.state.page_seconds = seconds


def patience(request: Request) -> float:
    """Return the real seconds that the answer to a request may take."""
    seconds = float(getattr(request.app.state, "page_seconds", DEFAULT))
    return seconds if request.method in _READS else _ORDERS * seconds
