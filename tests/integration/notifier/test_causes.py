"""One cause that hits everybody is one finding; an address that does not work is not tried for ever."""

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.events import ContactChecked, MessageFailed
from tests.integration.notifier.fake_provider import FakeProvider
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.integration.notifier.test_mail import MAILBOX, Mailbox, mailbox, mailing

__all__ = ["mailbox", "mailing"]

PHONE = "+15550101234"
FORTY = [f"+1555010{index:04}" for index in range(40)]


async def notes(harness: NotifierHarness) -> list[str]:
    async with harness.bench.database.reading() as reader:
        said = await harness.bench.service.notes(reader)
    # This clinic has nobody on call, which is a finding of its own.
    return [note for note in said if "on call" not in note]


async def remind(harness: NotifierHarness, phones: list[str]) -> None:
    for phone in phones:
        await harness.due(await harness.book(await harness.enrol(contact_of("sms", phone))))
    await harness.settled()


@pytest.mark.parametrize(
    ("code", "words"), [("30034", "not registered with the carriers"), ("30007", "filter these texts")]
)
async def test_forty_failures_of_one_cause_are_not_forty_riddles(
    harness: NotifierHarness, code: str, words: str
) -> None:
    await remind(harness, FORTY)
    for sent in harness.fake_provider.ledger:
        await harness.fake_provider.report(sent, "undelivered", code)
    (note,) = await notes(harness)
    assert note.startswith("40 texts did not arrive since 2026-12-01")
    assert words in note
    assert "Remedy: " in note


async def test_one_failure_is_no_cause_of_all(harness: NotifierHarness) -> None:
    await remind(harness, [PHONE])
    await harness.fake_provider.report(harness.fake_provider.ledger[0], "undelivered", "30034")
    assert await notes(harness) == []


async def test_a_revoked_token_is_not_waited_out_in_silence(harness: NotifierHarness) -> None:
    harness.fake_provider.script.extend(["forbid"] * 200)
    await remind(harness, FORTY[:5])
    await harness.until(harness.clock.now() + timedelta(minutes=4))
    (note,) = await notes(harness)
    assert note.startswith("5 texts cannot leave since 2026-12-01")
    assert "KEEPWELL_TWILIO_AUTH_TOKEN" in note
    async with harness.bench.database.reading() as reader:
        assert (await harness.bench.service.status(reader))["waiting_texts"] == 5


@pytest.mark.parametrize("code", ["30005", "30006"])
async def test_a_dead_number_is_not_tried_for_ever(harness: NotifierHarness, code: str) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact)
    await harness.due(await harness.book(patient))
    await harness.settled()
    await harness.fake_provider.report(harness.fake_provider.ledger[0], "undelivered", code)
    for day in range(5, 13):
        await harness.due(await harness.book(patient, f"2026-12-{day:02}T10:00"))
    await harness.settled()
    assert len(harness.fake_provider.to(PHONE)) == 1
    assert {row.reason for row in (await harness.messages())[1:]} == {"bad_address"}
    (checked,) = await harness.bench.said(ContactChecked)
    assert (checked.contact, checked.works, checked.why) == (contact.id, False, code)


@pytest.mark.parametrize("code", ["21211", "21614"])
async def test_a_number_that_the_provider_refuses_gives_way_to_mail(
    mailing: NotifierHarness, mailbox: Mailbox, code: str
) -> None:
    mailing.fake_provider.script.append(f"refuse {code}")
    patient = await mailing.enrol(contact_of("sms", PHONE), contact_of("email", MAILBOX))
    await mailing.open_checkin(patient)
    await mailing.in_state("failed", "sent")
    await mailing.open_checkin(patient, "day-3")
    await mailing.settled()
    assert len(mailbox.mails) == 2
    assert mailing.fake_provider.requests == 1


async def test_another_number_of_the_patient_is_used_instead(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE), contact_of("sms", "+15550107777"))
    harness.fake_provider.script.append("refuse 21211")
    await harness.due(await harness.book(patient))
    await harness.due(await harness.book(patient, "2026-12-05T10:00"))
    await harness.settled()
    assert len(harness.fake_provider.to("+15550107777")) == 1


@pytest.mark.parametrize("answer", ["550 no such user", "550 5.1.1 no such user", "553 5.1.2 no such domain"])
async def test_a_mailbox_that_is_not_there_is_not_written_to_again(
    mailing: NotifierHarness, mailbox: Mailbox, answer: str
) -> None:
    mailbox.refuse_recipient = answer
    patient = await mailing.enrol(contact_of("email", MAILBOX))
    await mailing.due(await mailing.book(patient))
    await mailing.in_state("failed")
    mailbox.refuse_recipient = None
    await mailing.due(await mailing.book(patient, "2026-12-05T10:00"))
    await mailing.settled()
    assert mailbox.mails == []
    assert len(await mailing.bench.said(MessageFailed)) == 1


async def test_a_server_that_refuses_us_is_not_taken_for_a_mailbox_that_is_not_there(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
    mailbox.refuse_recipient = "550 5.7.1 relaying denied"
    patient = await mailing.enrol(contact_of("email", MAILBOX))
    await mailing.due(await mailing.book(patient))
    await mailing.in_state("failed")
    assert await mailing.bench.said(ContactChecked) == []


async def test_what_bounced_is_marked_by_staff_and_nothing_more_goes_there(
    mailing: NotifierHarness, mailbox: Mailbox
) -> None:
    contact = contact_of("email", "name@gmial.com")
    patient = await mailing.enrol(contact)
    marked = await mailing.bench.call("POST", f"/contacts/{contact.id}/bad", headers={"Idempotency-Key": str(uuid4())})
    assert (marked.status, marked.json["works"]) == (200, False)
    await mailing.due(await mailing.book(patient))
    await mailing.in_state("withheld")
    assert mailbox.mails == []
    good = await mailing.bench.call("POST", f"/contacts/{contact.id}/works", headers={"Idempotency-Key": str(uuid4())})
    assert good.status == 200
    await mailing.due(await mailing.book(patient, "2026-12-05T10:00"))
    await mailing.settled()
    assert len(mailbox.mails) == 1
    assert [(said.works, said.why, said.by) for said in await mailing.bench.said(ContactChecked)] == [
        (False, "staff", "test"),
        (True, "staff", "test"),
    ]


async def test_nobody_marks_another_clinics_address(harness: NotifierHarness, phones: FakeProvider) -> None:
    del phones
    contact = contact_of("sms", PHONE)
    await harness.enrol(contact)
    token = harness.bench.token(clinic=uuid4())  # type: ignore[arg-type]  # any id of no clinic
    key = {"Idempotency-Key": str(uuid4())}
    answer = await harness.bench.call("POST", f"/contacts/{contact.id}/bad", token=token, headers=key)
    assert answer.status == 404
