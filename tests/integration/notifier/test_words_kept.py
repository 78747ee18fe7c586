"""What was sent can be read afterwards, by those who may, and who read it is told."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from services.notifier.commands import claiming
from services.notifier.letters import House, LetterWriter
from services.notifier.store import claims
from services.notifier.tables import ATTEMPTS
from shared.events import MessageFailed, MessageSent, MessagesRead
from shared.ids import StaffId
from shared.web.tokens import Principal, Scope
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import KEYRING
from tests.support.statements import statements

PHONE = "+12025550123"
SECRET = "k9-Zq_3vT0aB7xWmP2sLrE5dN8fHyGcUjQ4oI6tXw1M"


async def words(harness: NotifierHarness, patient: Any) -> list[str | None]:
    answer = await harness.bench.call("GET", f"/patients/{patient}/messages")
    assert answer.status == 200, answer.text
    return [each["body"] for item in answer.json["items"] for each in item["words"]]


async def test_no_message_goes_out_whose_words_nobody_can_read_afterwards(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.booking_due(patient)
    await harness.settled()
    sent = harness.fake_provider.to(PHONE)
    assert sent
    assert await words(harness, patient) == sent


async def test_the_secret_of_a_check_in_link_is_not_shown_to_staff_nor_told_on(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    told = harness.checkin_told(patient, uuid4(), link=f"https://care.example/c/{SECRET}")
    await harness.bench.tell(told)
    await harness.settled()
    assert SECRET in harness.fake_provider.to(PHONE)[0]
    answer = await harness.bench.call("GET", f"/patients/{patient}/messages")
    assert "https://care.example/" in answer.text
    assert SECRET not in answer.text
    (sent,) = await harness.bench.said(MessageSent)
    assert sent.words is not None
    assert SECRET not in KEYRING.open(sent.words, context="sent-words")


async def test_the_words_lie_nowhere_in_clear(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    async with harness.bench.database.reading() as reader:
        kept = await reader.one(select(ATTEMPTS))
    assert not [each for each in kept if "your visit is on" in str(each)]
    (sent,) = await harness.bench.said(MessageSent)
    assert "your visit" not in sent.model_dump_json()
    assert "your visit is on" in KEYRING.open(sent.words or "", context="sent-words")


async def test_each_attempt_shows_its_own_words(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    session = await harness.book(patient)
    harness.fake_provider.script.append("busy")
    await harness.due(session)
    await harness.settled()
    await harness.confirm(session)
    await harness.until(harness.clock.now() + timedelta(hours=1))
    answer = await harness.bench.call("GET", f"/patients/{patient}/messages")
    (item,) = answer.json["items"]
    assert [each["state"] for each in item["words"]] == ["later", "accepted"]
    assert ["Reply C to confirm" in each["body"] for each in item["words"]] == [True, False]


async def test_a_message_from_before_says_plainly_that_its_words_were_not_kept(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    async with harness.bench.database.transaction() as tx:
        await tx.execute(update(ATTEMPTS).values(words=None))
    assert await words(harness, patient) == [None]


async def test_what_never_went_out_has_no_words_and_what_failed_has(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE, ()))
    await harness.due(await harness.book(patient))
    await harness.in_state("withheld")
    assert await words(harness, patient) == []
    other = await harness.enrol(contact_of("sms", "+12025550124"))
    harness.fake_provider.script.append("refuse 21211")
    await harness.due(await harness.book(other))
    await harness.settled()
    (failed,) = await harness.bench.said(MessageFailed)
    assert failed.words is not None
    assert "your visit is on" in KEYRING.open(failed.words, context="sent-words")


async def test_nobody_reads_words_without_leaving_a_trace(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await harness.settled()
    message = (await harness.only()).id
    await harness.bench.call("GET", f"/patients/{patient}/messages")
    member = StaffId(uuid4())
    principal = Principal(harness.bench.clinic, "Nurse Kim", frozenset({Scope.READ}), member)
    token = harness.bench.context.tokens.create(principal, life=timedelta(hours=1))
    await harness.bench.call("GET", f"/messages/{message}", token=token)
    listed, one = await harness.bench.said(MessagesRead)
    assert (listed.patient, listed.message, listed.by, listed.staff) == (patient, None, "test", None)
    assert (one.patient, one.message, one.staff) == (patient, message, member)


async def test_a_claim_takes_no_more_statements_for_keeping_the_words(resting: NotifierHarness) -> None:
    patient = await resting.enrol(contact_of("sms", PHONE))
    await resting.due(await resting.book(patient))
    database, writer = resting.bench.database, LetterWriter(KEYRING, House("https://x", "visits@clinic.example", 3))
    with statements(database) as found:
        async with database.transaction() as tx:
            (ready,) = await claiming.prepare(tx, writer, await claims.claim(tx, 10, ["sms"]), 1)
    assert ready.kept.body == ready.letter.body
    said = sorted(each.split()[0].strip(";") for each in found)
    assert said == ["BEGIN", "COMMIT", "INSERT", "SELECT", "SELECT", "UPDATE"]
