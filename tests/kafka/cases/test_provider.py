"""The texting provider turns a deaf ear, hides, refuses: on the running stack nobody is hurt by it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import vobject
from aiosmtpd.smtp import SMTP

from tests.integration.notifier.fake_provider import ACCOUNT, OUR_NUMBER, TOKEN, FakeProvider, fake_provider
from tests.integration.notifier.test_mail import Mailbox
from tests.support.bench import eventually
from tests.support.clinic import PURPOSES, Clinic, Person, clinic, gathered, row_of
from tests.support.prometheus import Prometheus, prometheus

SECOND, NEITHER = "the token of tomorrow", "the token of yesterday"
FORTY = 40


@dataclass
class Ground:
    """A clinic with a provider of its own."""

    clinic: Clinic
    phones: FakeProvider
    mailbox: Mailbox

    async def hand_over(self, number: str, words: str, at: datetime, token: str = TOKEN) -> int:
        """Have the provider list a text and hand it over; return the webhook's status."""
        sid = f"SM{uuid4().hex}"
        said = {"sid": sid, "to": OUR_NUMBER, "from": number, "body": words, "status": "received"}
        listed: dict[str, Any] = {**said, "error_code": None, "direction": "inbound", "date_sent": format_datetime(at)}
        self.phones.inbound.insert(0, listed)
        form = {"MessageSid": sid, "From": number, "To": OUR_NUMBER, "Body": words, "AccountSid": ACCOUNT}
        return await self.phones.post(f"{self.clinic.keepwell.base}/webhooks/twilio/inbound", form, token=token)

    async def reminders_to(self, person: Person) -> int:
        return sum("your visit is on" in words for words in self.phones.to(person.number))

    async def problems(self, words: str) -> str:
        """Return the problem of `/status` in which these words stand; nothing where none does."""
        found = (await self.clinic.keepwell.get("/status"))["problems"]
        return next((one for one in found if words in one), "")

    async def told(self, words: str) -> str:
        """Wait until `/status` tells of a problem in these words."""
        return str(await eventually(lambda: self.problems(words), seconds=30))


@pytest.fixture(scope="module")
async def here(servers: Mapping[str, str]) -> AsyncIterator[Ground]:
    mailbox, loop = Mailbox(), asyncio.get_running_loop()
    relay = await loop.create_server(lambda: SMTP(mailbox, hostname="mail.example", loop=loop), "127.0.0.1", 0)
    async with relay, fake_provider() as phones:
        settings = {
            **servers,
            "KEEPWELL_TWILIO_BASE_URL": phones.url,
            "KEEPWELL_TWILIO_ACCOUNT_SID": ACCOUNT,
            "KEEPWELL_TWILIO_AUTH_TOKEN": TOKEN,
            "KEEPWELL_TWILIO_AUTH_TOKEN_OTHER": SECOND,
            "KEEPWELL_TWILIO_FROM": OUR_NUMBER,
            "KEEPWELL_SMTP_HOST": "127.0.0.1",
            "KEEPWELL_SMTP_PORT": str(relay.sockets[0].getsockname()[1]),
            "KEEPWELL_SMTP_FROM": "Clínica Ñandú <visits@clinic.example>",
        }
        async with clinic(settings, sandbox=False) as running:
            yield Ground(running, phones, mailbox)


async def alarm_of(watching: Prometheus) -> str:
    """Return the state of the alert rule about refused calls."""
    groups = (await watching.get("rules"))["groups"]
    (rule,) = [one for group in groups for one in group["rules"] if one["name"] == "KeepwellWebhooksRefused"]
    assert rule["health"] != "err", rule
    return str(rule["state"])


async def test_a_stop_refused_at_the_door_is_obeyed_before_anything_goes_out(here: Ground, tmp_path: Path) -> None:
    care = here.clinic
    pat, ana = await care.enrol("Pat"), await care.enrol("Ana")
    for person in (pat, ana):
        await care.book(person, await care.at(4, 10))
    for token in (TOKEN, SECOND):
        assert await here.hand_over(ana.number, "hello", await care.now(), token) == 200, "two tokens hold at once"
    report = {"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": ACCOUNT}
    callback = f"{care.keepwell.base}/webhooks/twilio/status"
    assert await here.phones.post(callback, report, token=NEITHER) == 403
    for person, words in ((pat, "STOP"), (ana, "what time?"), (ana, "C")):
        await care.live(minutes=20)
        assert await here.hand_over(person.number, words, await care.now(), NEITHER) == 403
    problem = await here.told("calls of the texting provider were refused")
    assert "KEEPWELL_TWILIO_AUTH_TOKEN_OTHER" in problem, "it names the cause and the remedy"

    async def on_today() -> bool:
        return "calls of the texting provider were refused" in await care.desk.get("/console/today")

    await eventually(on_today, seconds=30)
    async with prometheus(care.keepwell.base.removeprefix("http://"), tmp_path) as watching:

        async def alarmed() -> bool:
            # It fires once it has been so for a minute of real time; until then it is pending.
            return await alarm_of(watching) in {"pending", "firing"}

        await eventually(alarmed, seconds=60)
        assert await here.hand_over(ana.number, "still there?", await care.now()) == 200, "the token is right again"

        async def over() -> bool:
            told = await here.problems("calls of the texting provider were refused")
            return not told and await alarm_of(watching) == "inactive"

        await eventually(over, seconds=60)
    await care.until(10, 1, days=1)
    assert await here.reminders_to(pat) == 0
    assert await here.reminders_to(ana) == 1
    assert "it asked for no more texts" in await care.patient_page(pat)
    assert row_of(await care.waiting("replies"), "what time?")


async def test_forty_failures_of_one_cause_are_one_finding(here: Ground) -> None:
    care = here.clinic
    people = await care.enrol_each(range(FORTY))
    at = await care.at(5, 10)
    await gathered(care.book, people, [at] * FORTY)
    await care.until(10, 1, days=2)
    mine = {person.number for person in people}
    sent = [one for one in here.phones.ledger if one.to in mine]
    assert len(sent) == FORTY
    assert set(await gathered(here.phones.report, sent, ["undelivered"] * FORTY, ["30034"] * FORTY)) == {204}
    await care.settle()
    problem = await here.told("texts did not arrive")
    assert f"{FORTY} texts did not arrive" in problem, "a true count"
    assert "not registered with the carriers" in problem
    assert "Remedy: " in problem
    row = row_of(await care.desk.get("/console/today"), "texts not delivered")
    assert f"{FORTY} texts not delivered" in row
    assert "and 37 more" in row or "more</p>" in row


async def test_a_dead_number_is_not_tried_for_ever(here: Ground) -> None:
    care = here.clinic
    person = await care.enrol()
    for _ in range(9):
        await care.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
        await care.settle()
        last = [one for one in here.phones.ledger if one.to == person.number][-1]
        await here.phones.report(last, "undelivered", "30006")
        await care.settle()
        await care.live(days=1)
    assert len(here.phones.to(person.number)) == 1
    assert person.name in row_of(await care.waiting("contacts"), person.name)


async def test_nobody_gets_a_text_twice_because_the_list_hides_what_was_sent(here: Ground) -> None:
    care = here.clinic
    people = await care.enrol_each(range(5))
    await care.settle()
    here.phones.redacted = "body"
    here.phones.script.extend(["lose"] * 5)
    for person in people:
        await care.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await care.live(hours=3)
    assert [len(here.phones.to(person.number)) for person in people] == [1] * 5
    problem = await here.told("nobody knows whether they went out")
    assert problem.startswith("of 5 texts")
    code, said, complaint = await care.keepwell.command("doctor", "--json")
    assert "shows what it sent" not in said, (code, complaint)
    here.phones.redacted = ""


async def by_mail(care: Clinic, name: str) -> Person:
    """Enrol somebody who agreed to mail alone."""
    consents = [{"purpose": one, "how": "on paper", "at": "2026-11-01T15:00:00Z"} for one in PURPOSES]
    contacts = [{"kind": "email", "value": f"{name.lower()}@mail.example", "consents": consents}]
    return await care.enrol(name, contacts=contacts)


async def test_a_mail_is_read_by_every_calendar_and_names_no_envelope(here: Ground) -> None:
    care = here.clinic
    status, answer = await care.keepwell.call("PATCH", "/clinic", {"sender_name": "Clínica Ñandú — Salud"})
    assert status == 200, answer
    person = await by_mail(care, "Ida")
    at = await care.at(4, 10)
    session = await care.book(person, at)
    await care.keepwell.live_until(at - timedelta(days=3) + timedelta(minutes=1))
    await care.keepwell.post(f"/sessions/{session['id']}/cancel")
    await care.live(minutes=3)
    mails = [mail for mail in here.mailbox.mails if mail["To"] == "ida@mail.example"]
    assert len(mails) == 2
    for mail, method in zip(mails, ("REQUEST", "CANCEL"), strict=True):
        (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        assert part.get_content_charset() == "utf-8"
        entry = vobject.readOne(part.get_content())
        assert (entry.method.value, entry.vevent.summary.value) == (method, "Visit: Clínica Ñandú — Salud")
        assert entry.vevent.attendee.value == "mailto:ida@mail.example"
        assert entry.vevent.organizer.value == "mailto:visits@clinic.example"
        assert mail["From"] == "Clínica Ñandú <visits@clinic.example>"
    assert set(here.mailbox.senders) == {("clinic.example", "visits@clinic.example")}


async def test_a_mail_lost_after_it_was_written_is_never_called_failed_nor_sent_again(here: Ground) -> None:
    care = here.clinic
    person = await by_mail(care, "Lea")
    here.mailbox.after_data = "lose"
    await care.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await care.settle()
    here.mailbox.after_data = ""
    await care.live(hours=3)
    (message,) = (await care.keepwell.get(f"/patients/{person.id}/messages"))["items"]
    assert message["state"] == "unknown"
    assert sum(mail["To"] == "lea@mail.example" for mail in here.mailbox.mails) == 1


async def test_mail_that_waits_is_not_waited_out_in_silence(here: Ground) -> None:
    care = here.clinic
    people = [await by_mail(care, name) for name in ("May", "Ada", "Eli", "Ben", "Uma")]
    here.mailbox.refuse_recipient = "451 try later"
    for person in people:
        await care.keepwell.post("/checkins", {"patient": person.id, "instruments": ["phq-9"]}, status=201)
    await care.settle()
    await care.live(minutes=30)
    assert (await care.keepwell.get("/status"))["counts"]["waiting_mails"] == 5
    here.mailbox.refuse_recipient = None
    await care.live(hours=2)
    sent = [str(mail["To"]) for mail in here.mailbox.mails]
    assert [sent.count(f"{person.name.split()[0].lower()}@mail.example") for person in people] == [1] * 5
