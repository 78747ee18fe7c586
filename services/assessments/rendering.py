"""The patient's pages as HTML: no script, one small stylesheet, and on every one of them whom to call."""

import hashlib
import re
from pathlib import Path
from typing import Final

from fastapi.responses import HTMLResponse

from services.assessments.dependencies import Dependencies
from services.assessments.forms import Form
from services.assessments.store.read_models import Clinic
from shared.languages import Language, Texts
from shared.web.pages import templates

ROOM: Final = Path(__file__).parent
STYLE: Final = (ROOM / "static" / "patient.css").read_bytes()
STYLE_AT: Final = f"/c/static/patient-{hashlib.sha256(STYLE).hexdigest()[:12]}.css"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
GONE: Final = 410
NOT_FOUND: Final = 404
NUMBER: Final = re.compile(r"\+?\d[\d ().-]{5,}\d|\b\d{3}\b")


def numbers(text: str) -> list[tuple[str, str]]:
    """Return the phone numbers of a text, each as written and as it is called, short ones such as 988 too."""
    return [(found, re.sub(r"[^+0-9]", "", found)) for found in dict.fromkeys(NUMBER.findall(text))]


class Pages:
    """Renders the pages; nothing here decides.

    Attributes:
        only_clinic: whose texts stand on a page that belongs to no known link, where there is but one clinic; as it
            was last read, for the page that says that the database is away.
    """

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        self.only_clinic: Clinic | None = None
        self._texts = Texts.load(ROOM / "texts")
        self._templates = templates(ROOM / "templates")
        self._templates.filters["numbers"] = numbers

    def render(self, name: str, status: int, *, language: str, clinic: Clinic | None, **values: object) -> HTMLResponse:

        def say(key: str, **placed: object) -> str:
            return self._texts.say(language, key, **placed)

        # Thanks and a crisis text answer a form: a switch of language would open the link anew and lose them.
        stays = name == "thanks.html" or bool(values.get("alerted")) or bool(values.get("stays"))
        other = Language.EN if language == Language.ES else Language.ES
        placed = {"alerted": False, **values, "stays": stays}
        html = self._templates.get_template(name).render(
            say=say, language=language, other=str(other), clinic=clinic, stylesheet=STYLE_AT, **placed
        )
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    def form(
        self,
        form: Form,
        status: int,
        *,
        language: str,
        clinic: Clinic,
        alerted: bool,
        mark: str,
        name_start: str | None,
        notice: str = "",
    ) -> HTMLResponse:
        """Return the page of one instrument.

        Args:
            form: what it asks.
            status: of the answer.
            language: to speak.
            clinic: whose it is.
            alerted: whether what was just sent needs a person now.
            mark: what its form carries back.
            name_start: the beginning of a name, where several people are reached by one number.
            notice: the key of a sentence about what was just sent.
        """
        return self.render(
            "form.html",
            status,
            language=language,
            clinic=clinic,
            part=form.part,
            sections=form.sections,
            errors=form.errors,
            resumed=form.resumed,
            words=form.words,
            alerted=alerted,
            mark=mark,
            name_start=name_start,
            notice=notice,
        )

    def closed(self, why: str, *, language: str, clinic: Clinic | None, alerted: bool = False) -> HTMLResponse:
        """Return the page of a link that does not open; it shows nothing of a patient."""
        status = NOT_FOUND if why == "unknown" else GONE
        return self.failed(why, status, language=language, clinic=clinic, alerted=alerted)

    def failed(
        self, why: str, status: int, *, language: str, clinic: Clinic | None, alerted: bool = False
    ) -> HTMLResponse:
        """Return a page that shows nothing but why there is nothing, and whom to call."""
        stays = why not in {"used", "expired", "unknown"}
        return self.render(
            "closed.html", status, language=language, clinic=clinic, why=why, alerted=alerted, stays=stays
        )
