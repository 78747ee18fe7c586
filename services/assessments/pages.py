"""The patient's pages behind a one-time link: no script, one instrument a page, kind when the link no longer opens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from services.assessments.commands import alerts as alert_commands
from services.assessments.commands import checkins as checkin_commands
from services.assessments.commands import results
from services.assessments.commands.checkins import AlreadyAnsweredError, AnswerResult
from services.assessments.dependencies import Dependencies, hash_of
from services.assessments.forms import Form, choices, form_of, words_of
from services.assessments.model.alert import level_of
from services.assessments.model.instrument import Instrument
from services.assessments.model.lifecycles import CheckinState
from services.assessments.model.machine import IllegalTransitionError
from services.assessments.model.name_hint import name_hint
from services.assessments.packs import Packs
from services.assessments.rendering import STYLE, STYLE_AT, Pages
from services.assessments.store import answering, read_models
from services.assessments.store.answering import Linked
from services.assessments.store.checkins import Checkin
from services.assessments.store.read_models import Clinic, Patient
from services.assessments.store.uncounted_answers import WhyUncounted
from shared.database import Database, Reader, Transaction
from shared.languages import Language
from shared.protection import Keyring
from shared.telemetry.log import get_logger
from shared.web.patience import patience

log = get_logger(__name__)

MOST_FIELDS: Final = 100
MISSING: Final = 422
Page = Callable[[], HTMLResponse]
"""A page that is still to be rendered."""
LinkLanguage = Annotated[str | None, Query(alias="lang")]


@dataclass(frozen=True)
class LinkRequest:
    """One request to a link.

    Attributes:
        language: to speak.
        name_start: the beginning of a name, where several people are reached by one number.
        shown_at: since when the page is looked at that is answered with: one that is shown again was so before.
    """

    checkin: Checkin
    patient: Patient
    clinic: Clinic
    language: str
    name_start: str | None
    shown_at: datetime

    @classmethod
    def of(cls, linked: Linked | None, wanted: str | None, keyring: Keyring, now: datetime) -> "LinkRequest | None":
        """Return the request to a link, or None where there is no such link."""
        if linked is None:
            return None
        name_start = None
        if linked.name is not None and linked.others:
            others = [keyring.open(other, context="name") for other in linked.others]
            name_start = name_hint(keyring.open(linked.name, context="name"), others)
        return cls(linked.checkin, linked.patient, linked.clinic, wanted or linked.patient.language, name_start, now)


@dataclass(frozen=True)
class Sent:
    """A form that was sent: the instrument, its answers by item, and what was written with them."""

    instrument: Instrument
    given: dict[str, int]
    words: str | None

    @classmethod
    def of(cls, packs: Packs, name: str, posted: dict[str, str]) -> "Sent":
        """Return what a sent form holds of an instrument."""
        instrument = packs.get(name)
        return cls(instrument, choices(instrument, posted), words_of(instrument, posted))

    @property
    def name(self) -> str:
        """The instrument's id."""
        return self.instrument.id

    @property
    def empty(self) -> bool:
        """Whether nothing was answered: a program that looks at links sends such forms."""
        return not self.given and not self.words

    @property
    def alerts(self) -> bool:
        """Whether these answers need a person now, kept or not."""
        return level_of(self.instrument, self.given, self.words) is not None


def _language(wanted: str | None) -> str | None:
    return wanted if wanted in set(Language) else None


def _guessed(request: Request) -> str:
    asked = _language(request.query_params.get("lang"))
    first = request.headers.get("accept-language", "")[:2].lower()
    return asked or (first if first in set(Language) else Language.EN)


def _kind_route(pages: Pages) -> type[APIRoute]:
    """Return a class of routes whose errors are pages too: whoever opens a link may need help now."""

    class KindRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
            inner = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    async with asyncio.timeout(patience(request)):
                        return await inner(request)
                except TimeoutError:
                    # A database that stands still says nothing by itself.
                    log.warning("page.without_database")
                    why, status = "away", int(HTTPStatus.SERVICE_UNAVAILABLE)
                except HTTPException as refused:
                    bad = refused.status_code == HTTPStatus.BAD_REQUEST
                    why, status = "unreadable", MISSING if bad else refused.status_code
                except Exception:
                    # What it is stands in the log; the page does not say whether anything was kept.
                    log.exception("page.failed")
                    why, status = "away", HTTPStatus.SERVICE_UNAVAILABLE
                return pages.failed(why, status, language=_guessed(request), clinic=pages.only_clinic)

            return handler

    return KindRoute


def router(database: Database, deps: Dependencies) -> APIRouter:
    """Return the routes of the patient's pages."""
    pages = Pages(deps)
    routes = APIRouter(include_in_schema=False, route_class=_kind_route(pages))

    @routes.get(STYLE_AT)
    async def stylesheet() -> Response:
        """Return the stylesheet; its name changes with its content."""
        return Response(STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=31536000, immutable"})

    @routes.api_route("/c/{token}", methods=["GET", "HEAD"])
    async def show(token: str, request: Request, lang: LinkLanguage = None) -> HTMLResponse:
        """Show what is still to be answered; to look changes nothing."""
        async with database.reading() as reader:
            if pages.only_clinic is None:
                pages.only_clinic = await read_models.only_clinic(reader)
            link = LinkRequest.of(
                await answering.linked(reader, hash_of(token)), _language(lang), deps.keyring, reader.now
            )
            if link is None:
                return (await _unknown(pages, reader, request))()
            if (why := _closed(link.checkin, reader)) is not None:
                return pages.closed(why, language=link.language, clinic=link.clinic)
            return (await _next(pages, reader, link, link.checkin, alerted=False))()

    @routes.post("/c/{token}")
    async def receive(token: str, request: Request, lang: LinkLanguage = None) -> HTMLResponse:
        """Keep what was answered, all or some, and show what comes next."""
        posted = {name: str(value) for name, value in (await request.form(max_fields=MOST_FIELDS)).items()}
        async with database.transaction() as tx:
            link = LinkRequest.of(
                await answering.lock_linked(tx, hash_of(token)), _language(lang), deps.keyring, tx.now
            )
            if link is None:
                page = await _unknown(pages, tx, request, posted)
            else:
                page = await _receive(pages, tx, link, posted)
        # Rendered after the commit: nobody is thanked for what was not kept, and a page that fails takes no alert back.
        return page()

    @routes.api_route("/c/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def leads_away(rest: str, request: Request) -> HTMLResponse:
        """Answer what is no link, and what cannot be done with one."""
        async with database.reading() as reader:
            page = (await _unknown(pages, reader, request))()
        if rest and "/" not in rest:
            page.status_code = HTTPStatus.METHOD_NOT_ALLOWED
            page.headers["Allow"] = "GET, HEAD, POST"
        return page

    return routes


async def _unknown(pages: Pages, reader: Reader, request: Request, posted: dict[str, str] | None = None) -> Page:
    """Return the page of a link that leads nowhere, or no more; nothing of it is kept, and nothing shown of anybody."""
    pages.only_clinic = await read_models.only_clinic(reader)
    sent = None
    if posted and (name := posted.get("instrument", "")) in pages.deps.packs.ids:
        sent = Sent.of(pages.deps.packs, name, posted)
    alerted = sent is not None and sent.alerts
    return partial(pages.closed, "unknown", language=_guessed(request), clinic=pages.only_clinic, alerted=alerted)


def _closed(checkin: Checkin, reader: Reader) -> str | None:
    state = checkin_commands.state_of(checkin, reader.now)
    return {CheckinState.COMPLETED: "used", CheckinState.EXPIRED: "expired"}.get(state)


async def _receive(pages: Pages, tx: Transaction, link: LinkRequest, posted: dict[str, str]) -> Page:
    deps, checkin = pages.deps, link.checkin
    name = posted.get("instrument", "")
    if name not in checkin.instruments:
        name = checkin.instruments[0]
    sent = Sent.of(deps.packs, name, posted)
    closed = _closed(checkin, tx)
    shown_at = deps.shown_at(checkin.id, posted.get("page", ""))
    if shown_at is not None and shown_at <= tx.now:
        link = replace(link, shown_at=shown_at)
    # From no page of ours, or sooner after it than a person reads: a program that looks into links.
    doubted = shown_at is None or tx.now - link.shown_at < deps.at_least
    if sent.empty or doubted:
        await _tell_anyway(pages, tx, link, sent)
        if closed is not None:
            return partial(pages.closed, closed, language=link.language, clinic=link.clinic, alerted=sent.alerts)
        return await _once_more(pages, tx, link, sent, "form.again" if not sent.empty else "")
    try:
        outcome = await checkin_commands.answer(
            tx, deps, checkin, link.patient, instrument_id=name, given=sent.given, words=sent.words, replacing=True
        )
    except AlreadyAnsweredError:
        # Word by word what was kept before: a second click.
        await _tell_anyway(pages, tx, link, sent)
        return await _next(pages, tx, link, checkin, alerted=sent.alerts)
    except IllegalTransitionError:
        await _tell_anyway(pages, tx, link, sent)
        return await _kept_beside(pages, tx, link, sent, closed or "used")
    return await _after(pages, tx, link, sent, outcome)


async def _kept_beside(pages: Pages, tx: Transaction, link: LinkRequest, sent: Sent, closed: str) -> Page:
    """Keep answers to a check-in that has ended, where they are not the ones that it ended with."""
    deps, checkin = pages.deps, link.checkin
    before = await answering.earlier(tx, deps.keyring, checkin)
    if closed == "used" and before.holds(sent.name, sent.given, words=sent.words):
        return _thanks(pages, link, alerted=sent.alerts)
    why = WhyUncounted.AGAIN if closed == "used" else WhyUncounted.LATE
    kept = await results.set_aside(tx, deps, checkin, sent.name, given=sent.given, words=sent.words, why=why)
    notice = str(why) if kept else "full"
    return partial(pages.closed, notice, language=link.language, clinic=link.clinic, alerted=sent.alerts)


async def _tell_anyway(pages: Pages, tx: Transaction, link: LinkRequest, sent: Sent) -> None:
    """Raise the alert that answers call for, though they came too late, or once more, and are not kept as a score."""
    await alert_commands.raise_for(tx, pages.deps, link.checkin, sent.name, sent.given, words=sent.words)


async def _after(pages: Pages, tx: Transaction, link: LinkRequest, sent: Sent, outcome: AnswerResult) -> Page:
    """Return the page after answers were kept."""
    checkin = outcome.checkin
    if checkin.state is CheckinState.COMPLETED:
        return _thanks(pages, link, alerted=sent.alerts)
    if outcome.absent:
        return await _once_more(pages, tx, link, sent, "missing.saved", absent=outcome.absent)
    notice = "form.changed" if outcome.changed else ""
    return await _next(pages, tx, link, checkin, alerted=sent.alerts, notice=notice)


async def _once_more(
    pages: Pages, tx: Transaction, link: LinkRequest, sent: Sent, notice: str, *, absent: tuple[str, ...] | None = None
) -> Page:
    """Return the form as it was sent; without `absent` nothing of it was kept, and every question stays."""
    instrument = pages.deps.packs.get(sent.name)
    before = await answering.earlier(tx, pages.deps.keyring, link.checkin)
    saved = before.saved.get(sent.name, {})
    if absent is None:
        absent = () if notice else tuple(item.id for item in instrument.required if item.id not in saved)
    form = form_of(
        instrument,
        link.language,
        link.checkin.instruments,
        saved=saved,
        posted=sent.given,
        absent=absent,
        words=sent.words,
    )
    return _page_of(pages, link, form, MISSING, alerted=sent.alerts, notice=notice or "missing.empty")


def _page_of(pages: Pages, link: LinkRequest, form: Form, status: int, **notice: Any) -> Page:
    mark = pages.deps.page_mark(link.checkin.id, link.shown_at)
    return partial(
        pages.form,
        form,
        status,
        language=link.language,
        clinic=link.clinic,
        mark=mark,
        name_start=link.name_start,
        **notice,
    )


def _thanks(pages: Pages, link: LinkRequest, *, alerted: bool) -> Page:
    return partial(pages.render, "thanks.html", 200, language=link.language, clinic=link.clinic, alerted=alerted)


async def _next(
    pages: Pages, reader: Reader, link: LinkRequest, checkin: Checkin, *, alerted: bool, notice: str = ""
) -> Page:
    """Return the form of the first instrument that is not complete, with what is not answered yet."""
    before = await answering.earlier(reader, pages.deps.keyring, checkin)
    name = next(instrument for instrument in checkin.instruments if instrument not in before.complete)
    form = form_of(pages.deps.packs.get(name), link.language, checkin.instruments, saved=before.saved.get(name, {}))
    return _page_of(pages, replace(link, shown_at=reader.now), form, 200, alerted=alerted, notice=notice)
