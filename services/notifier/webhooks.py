"""Where the provider reports deliveries and hands over texts.

Open to the world, so nothing is read before the signature was checked: over the public address, which differs from the
one that this process sees behind a proxy, and over every parameter that came.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from services.notifier.batcher import Batcher
from services.notifier.commands import inbound
from services.notifier.commands import reports as commands
from services.notifier.commands.reply_events import Text
from services.notifier.metrics import FORGED
from services.notifier.model.arriving import Arrival
from services.notifier.model.inbound import verdict_of
from services.notifier.planner import Planner
from services.notifier.store import webhook_health
from services.notifier.store.reports import count_forgery
from shared.clock import Clock, RealClock
from shared.database import Database, Transaction
from shared.telemetry import trace
from shared.telemetry.log import get_logger
from shared.web.problems import Forbidden, Invalid

log = get_logger(__name__)

STATUS_PATH: Final = "/webhooks/twilio/status"
INBOUND_PATH: Final = "/webhooks/twilio/inbound"
PROBE_PATH: Final = "/webhooks/twilio/probe"
"""Checks a signature and does nothing else: `keepwell doctor` calls it by the public address."""
EVERY: Final = timedelta(seconds=5)
"""Real time after which a right signature is written down again."""
LONGEST_BODY: Final = 64 * 1024
LONGEST_SID: Final = 64
LONGEST_TEXT: Final = 4096
NO_ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""TwiML for "say nothing": answers go the way of every other message, so that they are sent once and on record."""


class SignatureRecord:
    """Writes whether the provider's calls come through: each that is refused, and now and then one that is not."""

    def __init__(self) -> None:
        self._written: datetime | None = None

    async def heard(self, context: "WebhookContext") -> None:
        """Note that a signature was right, at once after one that was wrong."""
        now = context.stamp.now()
        if self._written is not None and now - self._written < EVERY:
            return
        async with context.database.transaction() as tx:
            await webhook_health.heard(tx)
        self._written = now

    async def refused(self, tx: Transaction) -> None:
        """Note that a call of the provider's was refused."""
        await webhook_health.refused(tx)
        self._written = None


@dataclass(frozen=True)
class WebhookContext:
    """What a webhook needs.

    Attributes:
        tokens: the account's secrets, of which either signs; none where no provider is set: then nobody is let in.
        account: the account's name, which its calls carry.
        public_url: the address that the provider signs over, without a trailing slash.
        stamp: the machine's own clock: trial time may stand still while texts come one after the other.
        name: tells this process from others that texts come to.
    """

    database: Database
    planner: Planner
    tokens: Sequence[str]
    account: str | None
    public_url: str
    stamp: Clock = field(default_factory=RealClock)
    signatures: SignatureRecord = field(default_factory=SignatureRecord)
    name: str = field(default_factory=lambda: secrets.token_hex(8))


class Form(dict[str, str]):
    """The parameters of a call; a name that came more than once has its last value, and all of them by `all`."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def all(self, name: str) -> list[str]:
        """Return every value of a name."""
        return [value for each, value in self._pairs if each == name]


def webhooks(context: WebhookContext) -> APIRouter:
    """Return the routes for the provider."""
    router = APIRouter(include_in_schema=False)
    validators = [RequestValidator(token) for token in context.tokens]
    for path in (STATUS_PATH, INBOUND_PATH):
        FORGED.labels(path)

    async def keep(given: Sequence[commands.Report]) -> None:
        async with context.database.transaction() as tx:
            await commands.receive(tx, given)

    reports = Batcher(keep, context.database.clock)

    @router.post(STATUS_PATH)
    async def status(request: Request) -> Response:
        form = await _checked(request, context, validators)
        report = commands.Report(
            sid=_needed(form, "MessageSid", LONGEST_SID),
            status=_needed(form, "MessageStatus", LONGEST_SID).lower(),
            error=form.get("ErrorCode") or None,
            message=_id(request.query_params.get("message")),
            attempt=_id(request.query_params.get("attempt")),
            fields=form,
            trace=trace.current(),
        )
        await reports.submit(report)
        context.planner.wake_up.wake()
        return Response(status_code=204)

    @router.post(INBOUND_PATH)
    async def text(request: Request) -> Response:
        arrival = Arrival(context.database.clock.now(), stamp=context.stamp.now(), door=context.name)
        form = await _checked(request, context, validators)
        received = Text(
            sid=_needed(form, "MessageSid", LONGEST_SID),
            number=_needed(form, "From", LONGEST_SID),
            body=form.get("Body", "")[:LONGEST_TEXT],
            arrival=arrival,
            verdict=verdict_of(form.all("OptOutType")),
            media=_count(form.get("NumMedia")),
        )
        async with context.database.transaction() as tx:
            await inbound.receive(tx, received, context.planner, context.stamp)
        return Response(NO_ANSWER, media_type="text/xml")

    @router.post(PROBE_PATH)
    async def probe(request: Request) -> Response:
        _signed(request, await _body(request), context, validators)
        return Response(status_code=204)

    return router


async def _checked(request: Request, context: WebhookContext, validators: Sequence[RequestValidator]) -> Form:
    """Return the form of a request that the provider signed; one that it did not is recorded and counted.

    Raises:
        Forbidden: it did not.
        Invalid: it is longer than any webhook.
    """
    body = await _body(request)
    try:
        form = _signed(request, body, context, validators)
    except Forbidden:
        await _record_forgery(context, request.url.path, ours=_names_us(request, body, context))
        raise
    await context.signatures.heard(context)
    return form


def _signed(request: Request, body: bytes, context: WebhookContext, validators: Sequence[RequestValidator]) -> Form:
    """Return the form of a request that the provider signed.

    Raises:
        Forbidden: it did not.
    """
    pairs = _pairs(body)
    query = request.url.query
    address = context.public_url + request.url.path + (f"?{query}" if query else "")
    signature = request.headers.get("X-Twilio-Signature", "")
    if pairs is None or not any(
        validator.validate(address, ImmutableMultiDict(pairs), signature) for validator in validators
    ):
        raise Forbidden("The signature does not fit this address and these parameters.")
    # PostgreSQL's text cannot hold a null character.
    return Form([(name, value.replace("\x00", "")) for name, value in pairs if "\x00" not in name])


def _names_us(request: Request, body: bytes, context: WebhookContext) -> bool:
    """Tell whether a call that was refused looks like the provider's own, for our account."""
    form = dict(_pairs(body) or [])
    signed = bool(request.headers.get("X-Twilio-Signature")) and "MessageSid" in form
    return signed and context.account is not None and form.get("AccountSid", context.account) == context.account


async def _body(request: Request) -> bytes:
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > LONGEST_BODY:
            raise Invalid(f"A webhook has at most {LONGEST_BODY} bytes.")
    return bytes(read)


def _pairs(body: bytes) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:
        return None


async def _record_forgery(context: WebhookContext, path: str, *, ours: bool) -> None:
    FORGED.labels(path).inc()
    log.warning("webhook.forged", path=path, ours=ours)
    async with context.database.transaction() as tx:
        if ours:
            await context.signatures.refused(tx)
        await count_forgery(tx, path, ours=ours)


def _needed(form: Mapping[str, str], name: str, longest: int) -> str:
    value = form.get(name, "").strip()
    if not value or len(value) > longest:
        raise Invalid.at(f"/{name}", f"It must have 1 to {longest} characters.")
    return value


def _count(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and text.isascii() else 0


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
