"""E-mail over SMTP.

A mail server cannot be asked what it has. What is lost after the message was written is therefore unknown for ever: it
stays so, in sight of the staff, and is never sent again, for a second copy of a reminder is worse than a gap.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import Final

import aiosmtplib

from services.notifier.model.call_outcomes import Accepted, Blind, CallOutcome, Later, Refused, Unknown
from services.notifier.ports.port import Letter, ProviderText, Query, Sighted
from shared.clock import Clock

PAUSE: Final = timedelta(seconds=30)
"""How long to wait after a server that cannot be reached or says to try later."""
CONNECTIONS: Final = 8
"""Connections at once: mail servers count them."""
TAKES: Final = 600.0
"""Real seconds for the answer to a whole message: a relay may look it over first (RFC 5321, 4.5.3.2.6)."""
_PERMANENT: Final = 500
BLIND: Final = Blind("a mail server tells nothing")


@dataclass(frozen=True)
class SmtpAccount:
    """The mail server and who writes."""

    host: str
    port: int
    sender: str
    username: str | None
    password: str | None
    tls: str
    ca_file: str | None = None

    @property
    def address(self) -> str:
        """Return the sender's bare address, which goes on the envelope; the name before it is for readers."""
        return parseaddr(self.sender)[1]

    @property
    def start_tls(self) -> bool | None:
        """Return whether STARTTLS is a must; None takes it where it is offered. A password never goes in clear."""
        if self.tls == "auto":
            return True if self.password else None
        return self.tls == "starttls"

    @property
    def domain(self) -> str:
        """Return the sender's domain, which also names this client."""
        return self.address.rpartition("@")[2] or "localhost"

    def client(self, *, timeout: float) -> aiosmtplib.SMTP:
        """Return a client that is not connected yet.

        Args:
            timeout: real seconds for each step.

        Raises:
            OSError: the file with the authority cannot be read, or holds none.
        """
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            local_hostname=self.domain,
            timeout=timeout,
            use_tls=self.tls == "tls",
            start_tls=self.start_tls,
            tls_context=None if self.ca_file is None else _trusting(self.ca_file),
        )


class SmtpPort:
    """Sends e-mails.

    Args:
        account: see there.
        clock: dates them.
        timeout: real seconds for each step.
    """

    can_look = False

    def __init__(self, account: SmtpAccount, clock: Clock, *, timeout: float) -> None:
        self._account = account
        self._clock = clock
        self._timeout = timeout
        self._slots = asyncio.Semaphore(CONNECTIONS)

    async def send(self, letter: Letter) -> CallOutcome:
        """Hand over one e-mail; unknown only where the message itself was under way."""
        message = self._message(letter)
        async with self._slots:
            try:
                client = self._account.client(timeout=self._timeout)
            except OSError as error:
                return Later(PAUSE, reason_of(error), reached=False)
            try:
                refusal = await self._open(client, letter.to)
                return refusal or await self._write(client, message)
            finally:
                client.close()

    def close(self) -> None:
        """Close nothing: a connection ends with its e-mail."""

    async def look(self, query: Query) -> Sighted:
        """Say that nothing can be seen."""
        del query
        return BLIND

    async def sent_to(self, number: str, since: datetime) -> tuple[ProviderText, ...] | Blind:
        """Say that nothing can be seen."""
        del number, since
        return BLIND

    async def received(self, since: datetime) -> tuple[ProviderText, ...] | Blind:
        """Say that nothing can be seen."""
        del since
        return BLIND

    async def _open(self, client: aiosmtplib.SMTP, to: str) -> CallOutcome | None:
        """Do all that comes before the message: whatever fails here, the server provably has nothing."""
        try:
            await client.connect()
            await client.mail(self._account.address)
            await client.rcpt(to)
        except aiosmtplib.SMTPRecipientRefused as error:
            return _answered(error)
        except aiosmtplib.SMTPResponseException as error:
            # The server refuses us (greeting, login, sender), not this message: a person has to act.
            return Later(PAUSE, _code(error))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Later(PAUSE, reason_of(error), reached=False)
        return None

    async def _write(self, client: aiosmtplib.SMTP, message: EmailMessage) -> CallOutcome:
        try:
            await client.data(message.as_bytes(policy=SMTP_POLICY), timeout=max(self._timeout, TAKES))
        except aiosmtplib.SMTPResponseException as error:
            return _answered(error)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Unknown(type(error).__name__)
        return Accepted(str(message["Message-ID"]), "sent")

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"] = self._account.sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._clock.now())
        # The message's own id and not the attempt's: a mailbox knows a copy by it.
        message["Message-ID"] = f"<{letter.message}@{self._account.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body)
        if letter.calendar is not None:
            message.add_attachment(
                letter.calendar.entry,
                maintype="text",
                subtype="calendar",
                filename="visit.ics",
                params={"method": letter.calendar.method, "charset": "UTF-8"},
            )
        return message


def _trusting(ca_file: str) -> ssl.SSLContext:
    """Return a context that takes whom a file vouches for: an authority, or a server itself, whoever signed for it."""
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _code(error: aiosmtplib.SMTPResponseException) -> str:
    """Return a server's answer as a code, with the longer one (RFC 3463) where it gives one."""
    longer = _ENHANCED.match(error.message)
    return f"SMTP {error.code}{f' {longer[1]}' if longer else ''}"


_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")


def reason_of(error: BaseException) -> str:
    """Return the kind of an error; that of a certificate, where one lies under it."""
    under: BaseException | None = error
    while under is not None:
        if isinstance(under, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(under):
            return ssl.SSLCertVerificationError.__name__
        under = under.__cause__ or under.__context__
    return type(error).__name__


def _answered(error: aiosmtplib.SMTPResponseException) -> CallOutcome:
    code = _code(error)
    return Refused(code) if error.code >= _PERMANENT else Later(PAUSE, code)
