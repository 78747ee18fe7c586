"""A page, and no document for programs, for a person who asks for something that is not there."""

from functools import cache
from http import HTTPStatus
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from shared.web.pages import templates

_FOR_PROGRAMS: Final = ("/api/", "/webhooks/")
_WORDS: Final = {
    HTTPStatus.NOT_FOUND: ("Nothing here", "There is nothing at this address. It may have been cut off on its way."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "Nothing to look at here",
        "This address only takes what a form sends. Nothing was changed by opening it.",
    ),
}


def wants_page(request: Request) -> bool:
    """Tell whether a person with a browser asks, and not a program."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not request.url.path.startswith(_FOR_PROGRAMS)


def page(status: HTTPStatus, headers: dict[str, str] | None = None) -> HTMLResponse:
    """Return what the person sees: what is the matter, and a way on."""
    title, text = _WORDS.get(status, ("That did not work", "Go back, look at what was typed, and try again."))
    return HTMLResponse(_rendered(title, text), status_code=status, headers=headers)


@cache
def _rendered(title: str, text: str) -> str:
    return templates().get_template("astray.html").render(title=title, text=text)
