import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from icalendar import Calendar

from services.notifier.history import HISTORY
from services.notifier.service import build
from shared.clock import SteppedClock
from shared.events import MessageSent
from tests.integration.notifier.exchange import Exchange
from tests.integration.notifier.practice import Practice, contact_of
from tests.support.bench import bench_of, running
from tests.support.databases import Databases

PHONE = "+15550101234"
MAILBOX = "ana@example.org"


@dataclass
class Mailbox:
    """A mail server that keeps what it takes, and fails on demand."""

    mails: list[EmailMessage] = field(default_factory=list)
    refuse_recipient: str | None = None
    after_data: str = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        if self.after_data == "lose":
            server.transport.abort()
        return self.after_data or "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def mailing(
    databases: Databases, clock: SteppedClock, phones: Exchange, mailbox: Mailbox
) -> AsyncIterator[Practice]:
    """A clinic that sends e-mail as well."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, hostname="mail.example", loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = await databases.fresh(HISTORY, clock)
    provider = phones.provider(smtp_host="127.0.0.1", smtp_port=port)
    async with bench_of(build, database, clock, provider=provider) as bench:
        practice = Practice(bench, phones)
        await practice.opens()
        async with running(bench.service):
            yield practice
    server.close()
    await database.close()


def calendar_of(mail: EmailMessage) -> str:
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    entry = part.get_payload(decode=True)
    assert isinstance(entry, bytes)
    Calendar.from_ical(entry)
    return entry.decode()


async def test_who_only_agreed_to_mail_gets_mail_with_a_calendar_entry(mailing: Practice, mailbox: Mailbox) -> None:
    patient = await mailing.enrol(contact_of("email", MAILBOX))
    session = await mailing.book(patient)
    await mailing.due(session)
    await mailing.in_state("sent")
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Your visit on Friday, December 4"
    assert mail["To"] == MAILBOX
    assert f"UID:{session.id}@keepwell" in calendar_of(mail)
    (sent,) = await mailing.bench.said(MessageSent)
    assert (sent.channel, sent.to) == ("email", "a•••@example.org")


async def test_a_text_that_cannot_arrive_is_followed_by_a_mail(mailing: Practice, mailbox: Mailbox) -> None:
    patient = await mailing.enrol(contact_of("sms", PHONE), contact_of("email", MAILBOX))
    await mailing.due(await mailing.book(patient))
    await mailing.in_state("accepted")
    assert mailbox.mails == []
    for _ in range(2):
        await mailing.exchange.report(mailing.exchange.ledger[0], "undelivered", "30006")
    await mailing.in_state("undelivered", "sent")
    assert len(mailbox.mails) == 1
    assert mailing.exchange.requests == 1


async def test_without_consent_for_mail_there_is_no_next_channel(mailing: Practice, mailbox: Mailbox) -> None:
    mailing.exchange.script.append("refuse 21211")
    patient = await mailing.enrol(contact_of("sms", PHONE), contact_of("email", MAILBOX, ("checkins",)))
    await mailing.due(await mailing.book(patient))
    await mailing.in_state("failed")
    assert mailbox.mails == []


async def test_a_calendar_that_holds_a_session_is_told_when_it_moves_and_when_it_is_cancelled(
    mailing: Practice, mailbox: Mailbox
) -> None:
    session = await mailing.book(await mailing.enrol(contact_of("email", MAILBOX)))
    await mailing.due(session)
    await mailing.settled()
    await mailing.move(session, "2026-12-09T11:00")
    await mailing.until(mailing.clock.now() + timedelta(minutes=2))
    await mailing.cancel(session)
    await mailing.until(mailing.clock.now() + timedelta(minutes=2))
    first, moved, cancelled = (calendar_of(mail) for mail in mailbox.mails)
    assert ["SEQUENCE:1" in first, "SEQUENCE:2" in moved, "SEQUENCE:3" in cancelled] == [True] * 3
    assert "20261209T160000Z" in moved
    assert "METHOD:CANCEL" in cancelled


async def test_a_mail_lost_after_it_was_written_is_closed_and_never_sent_again(
    mailing: Practice, mailbox: Mailbox
) -> None:
    mailbox.after_data = "lose"
    await mailing.due(await mailing.book(await mailing.enrol(contact_of("email", MAILBOX))))
    await mailing.in_state("failed")
    message = await mailing.only()
    assert message.error == "unknown"
    assert any("cannot be asked" in line for line in await mailing.story(message.id))
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(("answer", "state"), [("550 no such mailbox", "failed"), ("451 try later", "planned")])
async def test_a_mail_server_says_never_or_not_now(
    mailing: Practice, mailbox: Mailbox, answer: str, state: str
) -> None:
    mailbox.refuse_recipient = answer
    await mailing.due(await mailing.book(await mailing.enrol(contact_of("email", MAILBOX))))
    await mailing.settled()
    assert await mailing.states() == [state]
    assert mailbox.mails == []
