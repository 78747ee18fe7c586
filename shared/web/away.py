"""The page for whoever opens a patient's link while the part that would answer it is away.

It needs nothing but itself: no template, no stylesheet, no database. A person who opens a link may need help now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse

from shared.languages import LANGUAGES, Texts

PATIENTS_LINKS: Final = "/c/"
"""Where the addresses of patients' links begin."""
_HEADERS: Final = {"Cache-Control": "no-store", "Retry-After": "60", "X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True)
class Whom:
    """Whom to call, where it is certain whose patient opens a link: the clinic's phone and crisis text by language."""

    phone: str
    crisis: Mapping[str, str] = field(default_factory=dict)


def away(whom: Whom | None = None, status: int = 503) -> HTMLResponse:
    """Return the page in every language, for nothing is known of who reads it."""
    parts = "".join(_part(language, whom, status) for language in map(str, LANGUAGES))
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(_texts().say('en', 'title'))}</title></head><body><main>{parts}</main></body></html>"
    )
    return HTMLResponse(html, status_code=status, headers=_HEADERS)


def _part(language: str, whom: Whom | None, status: int) -> str:
    def say(key: str, **placed: str) -> str:
        return escape(_texts().say(language, key, **placed))

    tag = "h1" if language == "en" else "h2"
    gone = status < 500  # noqa: PLR2004 - HTTP's errors of the caller
    lines = [say("unknown" if gone else "text")]
    if whom is None:
        lines.append(say("anywhere"))
    else:
        lines += [escape(whom.crisis.get(language, "")), say("call", phone=whom.phone)]
    head = say("lost" if gone else "title")
    return (
        f'<section lang="{language}"><{tag}>{head}</{tag}>'
        + "".join(f"<p>{line}</p>" for line in lines if line)
        + "</section>"
    )


@cache
def _texts() -> Texts:
    return Texts.load(Path(__file__).parent / "texts")
