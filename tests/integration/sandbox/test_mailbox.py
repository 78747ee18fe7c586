"""The mailbox over real SMTP."""

from email.message import EmailMessage

import aiohttp
import aiosmtplib
import pytest

from services.sandbox.model.profiles import Profile
from services.sandbox.service import SandboxService

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Keepwell//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:1@keepwell
SEQUENCE:0
DTSTAMP:20261201T170000Z
DTSTART;TZID=America/New_York:20261204T100000
DTEND;TZID=America/New_York:20261204T110000
SUMMARY:Visit at Riverside
LOCATION:12 River Road
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def letter(to: str = "ada@example.org", subject: str = "Your visit on Friday") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Riverside <clinic@example.org>", to, subject
    mail.set_content("Hello Ada,\n\nsee you on Friday: https://example.org/map.\n")
    mail.add_attachment(CALENDAR.encode(), maintype="text", subtype="calendar", filename="visit.ics")
    return mail


async def post(sandbox: SandboxService, mail: EmailMessage) -> None:
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=sandbox.smtp_port, start_tls=False)


async def test_a_mail_with_an_appointment_is_kept_and_shown(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession
) -> None:
    await post(sandbox, letter())

    [mail] = sandbox.read().mails
    assert (mail.subject, mail.to) == ("Your visit on Friday", ["ada@example.org"])
    assert mail.calendar is not None
    assert "METHOD:REQUEST" in mail.calendar
    async with http.get(f"{base}/sandbox/mail") as page:
        assert "Your visit on Friday" in await page.text()
    async with http.get(f"{base}/sandbox/mail/{mail.id}") as page:
        shown = await page.text()
    assert "Friday 4 December 2026, 10:00" in shown
    assert "America/New_York" in shown
    assert '<a href="https://example.org/map">' in shown
    async with http.get(f"{base}/sandbox/mail/{mail.id}/parts/0") as part:
        assert (await part.read()).decode().splitlines() == CALENDAR.splitlines()
        assert "attachment" in part.headers["Content-Disposition"]


async def test_a_domain_that_does_not_exist_is_refused_for_good(sandbox: SandboxService) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await post(sandbox, letter(to="ada@refused.example"))
    assert refused.value.recipients[0].code == 550
    assert sandbox.read().mails == []
    assert [one.code for one in sandbox.read().mails_refused] == [550]


async def test_a_rough_mailbox_puts_some_mails_off_and_takes_them_later(sandbox: SandboxService) -> None:
    sandbox.tune(Profile.ROUGH, 1)
    put_off: list[int] = []
    for number in range(60):
        while len(sandbox.ledger.mails) == number:
            try:
                await post(sandbox, letter(subject=f"Letter {number}"))
            except aiosmtplib.SMTPResponseException as error:
                put_off.append(error.code)
    assert set(put_off) == {451}
    assert len(put_off) == len(sandbox.read().mails_refused)
