"""The patient's pages behind a one-time link: no script, one instrument a page, kind when the link no longer opens."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.assessments.acts import alerts as alert_acts
from services.assessments.acts import checkins as checkin_acts
from services.assessments.acts.checkins import AlreadyAnsweredError, Outcome
from services.assessments.forms import Form, choices, form_of
from services.assessments.kit import Kit, hash_of
from services.assessments.model.alert import level_of
from services.assessments.model.lifecycles import CheckinState
from services.assessments.model.machine import IllegalTransitionError
from services.assessments.store import answering
from services.assessments.store.answering import Linked
from services.assessments.store.checkins import Checkin
from services.assessments.store.known import Clinic, Patient
from shared.database import Database, Reader, Transaction
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
MOST_FIELDS: Final = 100
GONE: Final = 410
NOT_FOUND: Final = 404
MISSING: Final = 422
Page = Callable[[], HTMLResponse]
"""A page that is still to be rendered."""
LinkLanguage = Annotated[str | None, Query(alias="lang")]


NUMBER: Final = re.compile(r"\+?\d[\d ().-]{5,}\d|\b\d{3}\b")


def numbers(text: str) -> list[tuple[str, str]]:
    """Return the phone numbers of a text, each as written and as it is called, short ones such as 988 too."""
    return [(found, re.sub(r"[^+0-9]", "", found)) for found in dict.fromkeys(NUMBER.findall(text))]


class Pages:
    """Renders the pages; nothing here decides."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self._texts = Texts.load(ROOM / "texts")
        self._templates = templates(ROOM / "templates")
        self._templates.filters["numbers"] = numbers

    def render(self, name: str, status: int, *, language: str, clinic: Clinic | None, **values: object) -> HTMLResponse:
        """Return a page in a language."""

        def say(key: str, **placed: object) -> str:
            return self._texts.say(language, key, **placed)

        # Thanks and a crisis text answer a form: a switch of language would open the link anew and lose them.
        stays = name == "thanks.html" or bool(values.get("alerted"))
        other = Language.EN if language == Language.ES else Language.ES
        html = self._templates.get_template(name).render(
            say=say, language=language, other=str(other), clinic=clinic, stylesheet=STYLE_AT, stays=stays, **values
        )
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    def form(self, form: Form, status: int, *, language: str, clinic: Clinic, alerted: bool) -> HTMLResponse:
        """Return the page of one instrument."""
        return self.render(
            "form.html",
            status,
            language=language,
            clinic=clinic,
            part=form.part,
            sections=form.sections,
            errors=form.errors,
            resumed=form.resumed,
            alerted=alerted,
        )

    def closed(self, why: str, *, language: str, clinic: Clinic | None, alerted: bool = False) -> HTMLResponse:
        """Return the page of a link that does not open; it shows nothing of a patient."""
        status = NOT_FOUND if why == "unknown" else GONE
        return self.render("closed.html", status, language=language, clinic=clinic, why=why, alerted=alerted)


@dataclass(frozen=True)
class Visit:
    """One request to a link: the check-in, its patient and clinic, and the language to speak."""

    checkin: Checkin
    patient: Patient
    clinic: Clinic
    language: str

    @classmethod
    def of(cls, linked: Linked | None, wanted: str | None) -> "Visit | None":
        """Return the visit of a link, or None where there is no such link."""
        if linked is None:
            return None
        return cls(linked.checkin, linked.patient, linked.clinic, wanted or linked.patient.language)


@dataclass(frozen=True)
class Sent:
    """A form that was sent: the instrument, and its answers by item."""

    name: str
    given: dict[str, int]

    @property
    def alerts(self) -> bool:
        """Whether these answers need a person now, kept or not."""
        return level_of(self.name, self.given) is not None


def _language(wanted: str | None) -> str | None:
    return wanted if wanted in set(Language) else None


def _guessed(request: Request) -> str:
    first = request.headers.get("accept-language", "")[:2].lower()
    return first if first in set(Language) else Language.EN


def router(database: Database, kit: Kit) -> APIRouter:
    """Return the routes of the patient's pages."""
    routes = APIRouter(include_in_schema=False)
    pages = Pages(kit)

    @routes.get(STYLE_AT)
    async def stylesheet() -> Response:
        """Return the stylesheet; its name changes with its content."""
        return Response(STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=31536000, immutable"})

    @routes.get("/c/{token}")
    async def show(token: str, request: Request, lang: LinkLanguage = None) -> HTMLResponse:
        """Show what is still to be answered."""
        async with database.reading() as reader:
            visit = Visit.of(await answering.linked(reader, hash_of(token)), _language(lang))
            if visit is None:
                return pages.closed("unknown", language=_language(lang) or _guessed(request), clinic=None)
            if (why := _closed(visit.checkin, reader)) is not None:
                return pages.closed(why, language=visit.language, clinic=visit.clinic)
            form = await _next_form(reader, kit, visit.checkin, visit.language)
            return pages.form(form, 200, language=visit.language, clinic=visit.clinic, alerted=False)

    @routes.post("/c/{token}")
    async def receive(token: str, request: Request, lang: LinkLanguage = None) -> HTMLResponse:
        """Keep what was answered, all or some, and show what comes next."""
        posted = {name: str(value) for name, value in (await request.form(max_fields=MOST_FIELDS)).items()}
        async with database.transaction() as tx:
            visit = Visit.of(await answering.lock_linked(tx, hash_of(token)), _language(lang))
            if visit is None:
                return pages.closed("unknown", language=_language(lang) or _guessed(request), clinic=None)
            page = await _receive(pages, tx, visit, posted)
        # Rendered after the commit: nobody is thanked for what was not kept, and a page that fails takes no alert back.
        return page()

    return routes


def _closed(checkin: Checkin, reader: Reader) -> str | None:
    if checkin.state is CheckinState.COMPLETED:
        return "used"
    if checkin.state is CheckinState.EXPIRED or reader.now >= checkin.expires_at:
        return "expired"
    return None


async def _receive(pages: Pages, tx: Transaction, visit: Visit, posted: dict[str, str]) -> Page:
    kit, checkin = pages.kit, visit.checkin
    name = posted.get("instrument", "")
    if name not in checkin.instruments:
        name = checkin.instruments[0]
    sent = Sent(name, choices(kit.packs.get(name), posted))
    try:
        outcome = await checkin_acts.answer(tx, kit, checkin, visit.patient, instrument_id=name, given=sent.given)
    except AlreadyAnsweredError:
        await _tell_anyway(pages, tx, visit, sent)
        return await _next(pages, tx, visit, checkin, alerted=sent.alerts)
    except IllegalTransitionError as refused:
        await _tell_anyway(pages, tx, visit, sent)
        if refused.now == CheckinState.EXPIRED:
            return partial(pages.closed, "expired", language=visit.language, clinic=visit.clinic, alerted=sent.alerts)
        return _thanks(pages, visit, alerted=sent.alerts)
    return await _after(pages, tx, visit, sent, outcome)


async def _tell_anyway(pages: Pages, tx: Transaction, visit: Visit, sent: Sent) -> None:
    """Raise the alert that answers call for, though they came too late, or once more, and are not kept as a score."""
    if sent.alerts:
        await alert_acts.raise_for(tx, pages.kit, visit.checkin, sent.name, sent.given)


async def _after(pages: Pages, tx: Transaction, visit: Visit, sent: Sent, outcome: Outcome) -> Page:
    """Return the page after answers were kept."""
    kit, checkin = pages.kit, outcome.checkin
    if checkin.state is CheckinState.COMPLETED:
        return _thanks(pages, visit, alerted=sent.alerts)
    if not outcome.absent:
        return await _next(pages, tx, visit, checkin, alerted=sent.alerts)
    before = await answering.earlier(tx, kit.keyring, checkin)
    form = form_of(
        kit.packs.get(sent.name),
        visit.language,
        checkin.instruments,
        saved=before.saved.get(sent.name, {}),
        posted=sent.given,
        absent=outcome.absent,
    )
    return partial(pages.form, form, MISSING, language=visit.language, clinic=visit.clinic, alerted=sent.alerts)


def _thanks(pages: Pages, visit: Visit, *, alerted: bool) -> Page:
    return partial(pages.render, "thanks.html", 200, language=visit.language, clinic=visit.clinic, alerted=alerted)


async def _next(pages: Pages, tx: Transaction, visit: Visit, checkin: Checkin, *, alerted: bool) -> Page:
    form = await _next_form(tx, pages.kit, checkin, visit.language)
    return partial(pages.form, form, 200, language=visit.language, clinic=visit.clinic, alerted=alerted)


async def _next_form(reader: Reader, kit: Kit, checkin: Checkin, language: str) -> Form:
    """Return the form of the first instrument that is not complete, with what is not answered yet."""
    before = await answering.earlier(reader, kit.keyring, checkin)
    name = next(instrument for instrument in checkin.instruments if instrument not in before.complete)
    return form_of(kit.packs.get(name), language, checkin.instruments, saved=before.saved.get(name, {}))
