"""Where the provider reports deliveries and hands over texts.

Open to the world, so nothing is read before the signature was checked: over the public address, which differs from the
one that this process sees behind a proxy, and over every parameter that came.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.dialects.postgresql import insert
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from services.notifier.desk import Desk
from services.notifier.metrics import FORGED
from services.notifier.model.arriving import Arrival
from services.notifier.model.inbound import verdict_of
from services.notifier.store import callbacks, inbound
from services.notifier.tables import FORGERIES
from services.notifier.together import Together
from shared.clock import Clock, RealClock
from shared.database import Database
from shared.telemetry import trace
from shared.telemetry.log import get_logger
from shared.web.problems import Forbidden, Invalid

log = get_logger(__name__)

STATUS_PATH: Final = "/webhooks/twilio/status"
INBOUND_PATH: Final = "/webhooks/twilio/inbound"
PROBE_PATH: Final = "/webhooks/twilio/probe"
"""Checks a signature and does nothing else: `keepwell doctor` calls it by the public address."""
LONGEST_BODY: Final = 64 * 1024
LONGEST_SID: Final = 64
LONGEST_TEXT: Final = 4096
NO_ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""TwiML for "say nothing": answers go the way of every other message, so that they are sent once and on record."""


@dataclass(frozen=True)
class Door:
    """What a webhook needs.

    Attributes:
        token: the account's secret; None where no provider is set, and then nobody is let in.
        public_url: the address that the provider signs over, without a trailing slash.
        stamp: the machine's own clock: trial time may stand still while texts come one after the other.
        name: tells this process from others that texts come to.
    """

    database: Database
    desk: Desk
    token: str | None
    public_url: str
    stamp: Clock = field(default_factory=RealClock)
    name: str = field(default_factory=lambda: secrets.token_hex(8))


class Form(dict[str, str]):
    """The parameters of a call; a name that came more than once has its last value, and all of them by `all`."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def all(self, name: str) -> list[str]:
        """Return every value of a name."""
        return [value for each, value in self._pairs if each == name]


def webhooks(door: Door) -> APIRouter:
    """Return the routes for the provider."""
    router = APIRouter(include_in_schema=False)
    validator = RequestValidator(door.token) if door.token else None
    for path in (STATUS_PATH, INBOUND_PATH):
        FORGED.labels(path)

    async def keep(given: Sequence[callbacks.Report]) -> None:
        async with door.database.transaction() as tx:
            await callbacks.receive(tx, given)

    reports = Together(keep, door.database.clock)

    @router.post(STATUS_PATH)
    async def status(request: Request) -> Response:
        form = await _checked(request, door, validator)
        report = callbacks.Report(
            sid=_needed(form, "MessageSid", LONGEST_SID),
            status=_needed(form, "MessageStatus", LONGEST_SID).lower(),
            error=form.get("ErrorCode") or None,
            message=_id(request.query_params.get("message")),
            attempt=_id(request.query_params.get("attempt")),
            fields=form,
            trace=trace.current(),
        )
        await reports.give(report)
        door.desk.bell.ring()
        return Response(status_code=204)

    @router.post(INBOUND_PATH)
    async def text(request: Request) -> Response:
        arrival = Arrival(door.database.clock.now(), stamp=door.stamp.now(), door=door.name)
        form = await _checked(request, door, validator)
        received = inbound.Text(
            sid=_needed(form, "MessageSid", LONGEST_SID),
            number=_needed(form, "From", LONGEST_SID),
            body=form.get("Body", "")[:LONGEST_TEXT],
            arrival=arrival,
            verdict=verdict_of(form.all("OptOutType")),
            media=_count(form.get("NumMedia")),
        )
        async with door.database.transaction() as tx:
            await inbound.receive(tx, received, door.desk, door.stamp)
        return Response(NO_ANSWER, media_type="text/xml")

    @router.post(PROBE_PATH)
    async def probe(request: Request) -> Response:
        await _signed(request, door, validator)
        return Response(status_code=204)

    return router


async def _checked(request: Request, door: Door, validator: RequestValidator | None) -> Form:
    """Return the form of a request that the provider signed; one that it did not is recorded and counted.

    Raises:
        Forbidden: it did not.
        Invalid: it is longer than any webhook.
    """
    try:
        return await _signed(request, door, validator)
    except Forbidden:
        await _record_forgery(door, request.url.path)
        raise


async def _signed(request: Request, door: Door, validator: RequestValidator | None) -> Form:
    """Return the form of a request that the provider signed.

    Raises:
        Forbidden: it did not.
        Invalid: it is longer than any webhook.
    """
    body = await _body(request)
    pairs = _pairs(body)
    query = request.url.query
    address = door.public_url + request.url.path + (f"?{query}" if query else "")
    signature = request.headers.get("X-Twilio-Signature", "")
    if pairs is None or validator is None or not validator.validate(address, ImmutableMultiDict(pairs), signature):
        raise Forbidden("The signature does not fit this address and these parameters.")
    # PostgreSQL's text cannot hold a null character.
    return Form([(name, value.replace("\x00", "")) for name, value in pairs if "\x00" not in name])


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


async def _record_forgery(door: Door, path: str) -> None:
    FORGED.labels(path).inc()
    log.warning("webhook.forged", path=path)
    async with door.database.transaction() as tx:
        minute: datetime = tx.now.replace(second=0, microsecond=0)
        statement = insert(FORGERIES).values(path=path, minute=minute, count=1)
        again = {"count": FORGERIES.c.count + 1}
        await tx.execute(statement.on_conflict_do_update(index_elements=["path", "minute"], set_=again))


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
