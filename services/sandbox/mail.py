"""The mailbox: an SMTP server on this machine that keeps what it is given, byte by byte."""

import asyncio
from email import message_from_bytes, policy
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.sandbox.entries import MailKept, MailRefused
from services.sandbox.ledger import Ledger
from services.sandbox.model.chance import digest
from services.sandbox.model.script import mail_deferred
from services.sandbox.settings import SandboxSettings
from shared.clock import Clock

LARGEST: Final = 5 * 1024 * 1024
"""Bytes of one mail."""

OK: Final = "250 OK"


class Mailbox:
    """The server, and what it answers. Methods named `handle_...` are called by aiosmtpd."""

    def __init__(self, settings: SandboxSettings, clock: Clock, ledger: Ledger) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._server: asyncio.Server | None = None
        self.port = settings.smtp_port

    async def start(self) -> None:
        """Listen; `port` is then the real one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="sandbox.localhost", loop=loop),
            self._settings.smtp_host,
            self._settings.smtp_port,
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse addresses of domains that do not exist."""
        if address.rpartition("@")[2].lower() in self._settings.refused_domains:
            self._ledger.record(MailRefused(at=self._clock.now(), recipient=address, code=550))
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Keep a mail, or put it off as the profile has it."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        recipients = tuple(envelope.rcpt_tos)
        subject = str(message_from_bytes(raw, policy=policy.default).get("Subject", ""))
        call = digest("mail", *recipients, subject)
        attempt = self._ledger.next_attempt(call)
        if mail_deferred(self._ledger.profile, self._ledger.seed, call, attempt):
            self._ledger.record(
                MailRefused(at=self._clock.now(), recipient=recipients[0], code=451, call=call, attempt=attempt)
            )
            return "451 4.3.0 Try again later"
        kept = MailKept(
            id=self._ledger.name("", "mail", len(self._ledger.mails)),
            at=self._clock.now(),
            sender=envelope.mail_from or "",
            recipients=recipients,
            raw=raw,
        )
        self._ledger.record(kept)
        return f"250 2.0.0 Kept as {kept.id[:12]}"
