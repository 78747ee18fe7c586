import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
import vobject
from aiosmtpd.smtp import SMTP
from icalendar import Calendar

from services.notifier.history import HISTORY
from services.notifier.service import build
from shared.clock import RealClock, SteppedClock
from shared.events import MessageFailed, MessageSent
from shared.settings import NotifierSettings, Settings
from tests.integration.notifier.fake_provider import FakeProvider
from tests.integration.notifier.harness import NotifierHarness, at, contact_of
from tests.support.bench import bench_of, running
from tests.support.databases import Databases

IMPATIENT = Settings(notifier=NotifierSettings(provider_timeout=1))
SLOW = 2.5
"""Real seconds for which a relay looks a mail over: longer than each other step may take here."""
PHONE = "+15550101234"
MAILBOX = "ana@example.org"


@dataclass
class Mailbox:
    """A mail server that keeps what it takes, and fails on demand."""

    mails: list[EmailMessage] = field(default_factory=list)
    refuse_recipient: str | None = None
    after_data: str = ""
    takes: float = 0.0
    senders: list[tuple[str, str]] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, _server: Any, session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.senders.append((session.host_name, address))
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        await RealClock().pause(self.takes)
        if self.after_data == "lose":
            server.transport.abort()
        return self.after_data or "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def mailing(
    databases: Databases, clock: SteppedClock, phones: FakeProvider, mailbox: Mailbox, request: pytest.FixtureRequest
) -> AsyncIterator[NotifierHarness]:
    """A clinic that sends e-mail as well."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, hostname="mail.example", loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with databases.lent(HISTORY, clock) as database:
        provider = phones.provider(smtp_host="127.0.0.1", smtp_port=port, **getattr(request, "param", {}))
        async with bench_of(build, database, clock, provider=provider, settings=IMPATIENT) as bench:
            harness = NotifierHarness(bench, phones)
            await harness.opens()
            async with running(bench.service):
                yield harness
        server.close()


def calendar_of(mail: EmailMessage) -> str:
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    entry = part.get_payload(decode=True)
    assert isinstance(entry, bytes)
    Calendar.from_ical(entry)
    return entry.decode()


async def test_who_only_agreed_to_mail_gets_mail_with_a_calendar_entry(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
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


async def test_a_text_that_cannot_arrive_is_followed_by_a_mail(mailing: NotifierHarness, mailbox: Mailbox) -> None:
    await mailing.open_checkin(await mailing.enrol(contact_of("sms", PHONE), contact_of("email", MAILBOX)))
    await mailing.in_state("accepted")
    assert mailbox.mails == []
    for _ in range(2):
        await mailing.fake_provider.report(mailing.fake_provider.ledger[0], "undelivered", "30008")
    await mailing.in_state("undelivered", "sent")
    assert len(mailbox.mails) == 1
    assert mailing.fake_provider.requests == 1


async def test_who_agreed_to_text_and_mail_is_not_left_without_the_calendar_entry(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
    session = await mailing.book(await mailing.enrol(contact_of("sms", PHONE), contact_of("email", MAILBOX)))
    await mailing.due(session, "3d")
    await mailing.in_state("accepted", "sent")
    assert f"UID:{session.id}@keepwell" in calendar_of(mailbox.mails[0])
    await mailing.clock.move_to(at("2026-12-03T10:00"))
    await mailing.due(session, "1d")
    await mailing.fake_provider.report(mailing.fake_provider.ledger[0], "undelivered", "30008")
    await mailing.settled()
    assert len(mailing.fake_provider.to(PHONE)) == 2
    assert len(mailbox.mails) == 1
    await mailing.cancel(session)
    await mailing.until(mailing.clock.now() + timedelta(minutes=2))
    assert (len(mailing.fake_provider.to(PHONE)), len(mailbox.mails)) == (3, 2)
    assert "METHOD:CANCEL" in calendar_of(mailbox.mails[1])


async def test_who_agreed_to_reminders_by_text_alone_gets_no_mail_beside(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
    patient = await mailing.enrol(contact_of("sms", PHONE), contact_of("email", MAILBOX, ("checkins", "booking")))
    await mailing.due(await mailing.book(patient))
    await mailing.in_state("accepted")
    assert mailbox.mails == []


async def test_without_consent_for_mail_there_is_no_next_channel(mailing: NotifierHarness, mailbox: Mailbox) -> None:
    mailing.fake_provider.script.append("refuse 21211")
    patient = await mailing.enrol(contact_of("sms", PHONE), contact_of("email", MAILBOX, ("checkins",)))
    await mailing.due(await mailing.book(patient))
    await mailing.in_state("failed")
    assert mailbox.mails == []


async def test_a_calendar_that_holds_a_session_is_told_when_it_moves_and_when_it_is_cancelled(
    mailing: NotifierHarness, mailbox: Mailbox
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


async def test_a_mail_lost_after_it_was_written_is_not_called_failed_and_never_sent_again(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
    mailbox.after_data = "lose"
    await mailing.due(await mailing.book(await mailing.enrol(contact_of("email", MAILBOX))))
    await mailing.in_state("unknown")
    message = await mailing.only()
    assert message.error == "unknown"
    (said,) = await mailing.bench.said(MessageFailed)
    assert said.error == "unknown"
    async with mailing.bench.database.reading() as reader:
        assert (await mailing.bench.service.status(reader))["unknown_attempts"] == 0
    assert any("cannot be asked" in line for line in await mailing.story(message.id))
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(("answer", "state"), [("550 no such mailbox", "failed"), ("451 try later", "planned")])
async def test_a_mail_server_says_never_or_not_now(
    mailing: NotifierHarness, mailbox: Mailbox, answer: str, state: str
) -> None:
    mailbox.refuse_recipient = answer
    await mailing.due(await mailing.book(await mailing.enrol(contact_of("email", MAILBOX))))
    await mailing.settled()
    assert await mailing.states() == [state]
    assert mailbox.mails == []


async def test_a_slow_answer_to_a_whole_mail_is_not_taken_for_a_lost_one(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
    mailbox.takes = SLOW
    await mailing.due(await mailing.book(await mailing.enrol(contact_of("email", MAILBOX))))
    await mailing.in_state("sent")
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    "mailing", [{"smtp_from": "Clínica Ñandú <visits@clinic.example>"}], indirect=True, ids=["a name in From"]
)
async def test_a_name_in_the_sender_stands_in_no_envelope_and_no_organizer(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
    await mailing.opens(version=2, sender_name="Clínica Ñandú — Salud")
    await mailing.due(await mailing.book(await mailing.enrol(contact_of("email", MAILBOX))))
    await mailing.in_state("sent")
    (mail,) = mailbox.mails
    assert mail["From"] == "Clínica Ñandú <visits@clinic.example>"
    assert mailbox.senders == [("clinic.example", "visits@clinic.example")]
    entry = calendar_of(mail).replace("\r\n ", "")
    assert 'ORGANIZER;CN="Clínica Ñandú — Salud":mailto:visits@clinic.example' in entry
    assert f"ATTENDEE;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:{MAILBOX}" in entry


async def test_no_mail_promises_what_a_calendar_may_not_do(mailing: NotifierHarness, mailbox: Mailbox) -> None:
    await mailing.opens(version=2, sender_name="Clínica Ñandú — Salud")
    session = await mailing.book(await mailing.enrol(contact_of("email", MAILBOX)))
    await mailing.due(session)
    await mailing.settled()
    await mailing.move(session, "2026-12-09T11:00")
    await mailing.until(mailing.clock.now() + timedelta(minutes=2))
    await mailing.cancel(session)
    await mailing.until(mailing.clock.now() + timedelta(minutes=2))
    shown: dict[str, Any] = {}
    named = ("December 4 at 10:00", "December 9 at 11:00", "December 9 at 11:00")
    for mail, words in zip(mailbox.mails, named, strict=True):
        (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        assert part.get_content_charset() == "utf-8"
        entry = vobject.readOne(part.get_content())
        assert part.get_param("method") == entry.method.value
        # As a calendar follows it: the newest of a UID holds, and a cancelled one goes.
        event = entry.vevent
        known = shown.get(event.uid.value)
        assert known is None or int(event.sequence.value) > int(known.sequence.value)
        shown[event.uid.value] = event
        assert event.summary.value == "Visit: Clínica Ñandú — Salud"
        body = mail.get_body(("plain",))
        assert body is not None
        said = " ".join(body.get_content().split())
        assert words in said
        assert "updates your calendar" not in said
    assert "still shows" in said
    (left,) = shown.values()
    assert left.status.value == "CANCELLED"
