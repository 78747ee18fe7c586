"""Twilio's Messages contract: create, list, fetch.

Source: the pages and the Python package of Twilio's REST API 2010-04-01; the package works against this unchanged.
"""

import asyncio
import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.sandbox.app import Reset, hung_up
from services.sandbox.caller import NotLoopbackError, require_loopback
from services.sandbox.ledger import Ledger
from services.sandbox.listing import Listed, NotADateError, Received, message_json, page_of, wish_of
from services.sandbox.model.chance import roll
from services.sandbox.model.numbers import INCAPABLE, valid_number
from services.sandbox.model.profiles import BEFORE_WRITE, Fault
from services.sandbox.model.texts import LONGEST_BODY
from services.sandbox.network import OPTED_OUT, Begun, Network, TextCall
from services.sandbox.settings import SandboxSettings
from shared.clock import Clock

MESSAGES: Final = "/2010-04-01/Accounts/{account}/Messages.json"
ONE_MESSAGE: Final = "/2010-04-01/Accounts/{account}/Messages/{sid}.json"

Endpoint = Callable[[Request], Awaitable[Response]]


class RefusalError(Exception):
    """A call that the provider refuses, with its own code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def answer(self, headers: dict[str, str] | None = None) -> JSONResponse:
        """Return the provider's error in its own shape."""
        return JSONResponse(
            {
                "code": self.code,
                "message": str(self),
                "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
                "status": self.status,
            },
            status_code=self.status,
            headers=headers,
        )


class MessagesApi:
    """The three calls of the contract, over one network."""

    def __init__(self, settings: SandboxSettings, clock: Clock, ledger: Ledger, network: Network) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._network = network

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_route(MESSAGES, self._guarded(self.create), methods=["POST"], include_in_schema=False)
        router.add_route(MESSAGES, self._guarded(self.list), methods=["GET"], include_in_schema=False)
        router.add_route(ONE_MESSAGE, self._guarded(self.fetch), methods=["GET"], include_in_schema=False)
        return router

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                self._check(request)
                return await endpoint(request)
            except RefusalError as refusal:
                headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if refusal.status == 401 else None  # noqa: PLR2004
                return refusal.answer(headers)

        return guarded

    def _check(self, request: Request) -> None:
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        try:
            name, _, secret = b64decode(sent, validate=True).partition(b":")
        except NotBase64:
            name, secret = b"", b""
        right = secrets.compare_digest(name, self._settings.account_sid.encode()) and secrets.compare_digest(
            secret, self._settings.auth_token.encode()
        )
        if scheme.lower() != "basic" or not right:
            raise RefusalError(401, 20003, "Authenticate")
        if request.path_params["account"] != self._settings.account_sid:
            raise RefusalError(404, 20404, "The requested resource was not found")

    async def create(self, request: Request) -> Response:
        """Take a text: 201 with its SID, or whatever happens to the call."""
        call = self._read(dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)))
        begun = self._network.begin(call)
        if begun.fault in BEFORE_WRITE:
            self._network.refuse(call, 20429 if begun.fault is Fault.TOO_MANY else 0, begun)
            return _refusal_of(begun.fault)
        if self._network.blocked(call):
            self._network.refuse(call, OPTED_OUT, begun)
            raise RefusalError(400, OPTED_OUT, "Attempt to send to unsubscribed recipient")
        text = self._network.accept(begun)
        answer = message_json(self._settings.account_sid, text, self._network.stage(text), created=True)
        return await self._answer(request, begun, JSONResponse(answer, status_code=201))

    async def _answer(self, request: Request, begun: Begun, answer: Response) -> Response:
        """Let happen what happens after the text was written down."""
        match begun.fault:
            case Fault.ERROR_AFTER:
                return _server_error(503)
            case Fault.RESET_AFTER:
                return Reset()
            case Fault.TIMEOUT_AFTER:
                await self._hang(request)
                return Reset()
            case Fault.SLOW:
                await self._clock.pause(0.2 + 1.3 * roll(begun.call.key, "slow", begun.attempt))
        return answer

    async def _hang(self, request: Request) -> None:
        """Leave the caller waiting until it gives up, or the limit is reached."""
        waits = [
            asyncio.ensure_future(self._clock.pause(self._settings.hang_seconds)),
            asyncio.ensure_future(hung_up(request)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _read(self, form: dict[str, str]) -> TextCall:
        to, body, callback = form.get("To", ""), form.get("Body", ""), form.get("StatusCallback") or None
        sender, service = form.get("From", ""), form.get("MessagingServiceSid") or None
        if sender.startswith("MG"):
            sender, service = "", sender
        call = TextCall(
            to=to,
            sender=sender or (self._settings.phone if service else ""),
            body=body,
            service=service,
            callback=callback,
        )
        flaw = _flaw(call, self._settings.also)
        if flaw is not None:
            self._network.refuse(call, flaw.code)
            raise flaw
        return call

    async def list(self, request: Request) -> Response:
        """List texts that went out or came in, the newest first, by To, From and the day or instant of each."""
        try:
            wish = wish_of(request.query_params)
        except NotADateError as error:
            raise RefusalError(400, 20001, str(error)) from error
        begun = self._network.begin_list(wish.to or "")
        if begun in BEFORE_WRITE:
            return _refusal_of(begun)
        now = self._clock.now()
        texts = self._ledger.texts_of.get(wish.to, []) if wish.to else list(self._ledger.texts.values())
        listed: list[Listed | Received] = [
            Listed(text, self._network.stage(text))
            for text in texts
            if (now - text.at).total_seconds() >= text.script.listed_after
        ]
        received = self._ledger.inbound_to.get(wish.to, []) if wish.to else self._ledger.inbound.values()
        listed += [Received(text) for text in received]
        listed.sort(key=lambda one: self._ledger.place[one.text.sid], reverse=True)
        return JSONResponse(page_of(self._settings.account_sid, wish, listed))

    async def fetch(self, request: Request) -> Response:
        """Return one text."""
        text = self._ledger.texts.get(request.path_params["sid"])
        if text is None:
            raise RefusalError(404, 20404, "The requested resource was not found")
        return JSONResponse(message_json(self._settings.account_sid, text, self._network.stage(text)))


def _flaw(call: TextCall, also: frozenset[str]) -> RefusalError | None:
    """Return why the provider would not even look at a call, or None."""
    callback = _callback_flaw(call.callback, also)
    checks = (
        (not call.to, 21604, "A 'To' phone number is required."),
        (not call.sender, 21603, "A 'From' phone number is required."),
        (not call.body, 21602, "Message body is required."),
        (len(call.body) > LONGEST_BODY, 21617, "The concatenated message body exceeds the 1600 character limit."),
        (not valid_number(call.to), 21211, f"The 'To' number {call.to} is not a valid phone number."),
        (not valid_number(call.sender), 21212, f"The 'From' number {call.sender} is not a valid phone number."),
        (call.to in INCAPABLE, 21614, f"'To' number {call.to} is not a valid mobile number"),
        (bool(callback), 21609, f"The 'StatusCallback' URL is not a valid URL: {callback}"),
    )
    return next((RefusalError(400, code, message) for wrong, code, message in checks if wrong), None)


def _callback_flaw(url: str | None, also: frozenset[str]) -> str:
    try:
        require_loopback(url or "http://localhost", also)
    except NotLoopbackError as error:
        return str(error)
    return ""


def _refusal_of(fault: Fault | None) -> Response:
    match fault:
        case Fault.TOO_MANY:
            return RefusalError(429, 20429, "Too Many Requests").answer({"Retry-After": "1"})
        case Fault.RESET_BEFORE:
            return Reset()
        case _:
            return _server_error(500)


def _server_error(status: int) -> Response:
    return RefusalError(status, 20500, "An internal server error has occurred").answer()
