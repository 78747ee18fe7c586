"""What a patient was sent and what they wrote stand on their page, word for word."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.clinic.tables import AUDIT, MESSAGES
from shared import events
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.support.bench import KEYRING

SAID = "Riverside: your visit is on Tuesday, December 15 at 10 AM. Reply C to confirm, STOP to end texts."


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.bench.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


def words(body: str, subject: str = "") -> str:
    return KEYRING.seal(json.dumps({"subject": subject, "body": body}), context="sent-words")


async def page_of(browser: Browser, patient: Any) -> str:
    return (await browser.get(f"/console/patients/{patient['id']}")).text


@pytest.mark.parametrize("kind", [events.MessageSent, events.MessageFailed])
async def test_no_message_stands_on_the_page_without_its_words(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any, kind: type[events.MessageEvent]
) -> None:
    await home.bench.tell(sample.message(kind, 1, words=words(SAID)))
    page = await page_of(browser, patient)
    assert f"<q>{SAID}</q>" in page
    assert "not kept" not in page


async def test_words_are_not_lost_when_a_message_arrives(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.message(events.MessageSent, 1, words=words(SAID)))
    await home.bench.tell(sample.message(events.MessageDelivered, 2))
    assert SAID in await page_of(browser, patient)
    await home.bench.tell(sample.message(events.MessageFailed, 3, error="30003"))
    assert SAID in await page_of(browser, patient)


async def test_a_mail_shows_its_subject_and_all_its_lines(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    mail = words("Hello,\n\nyour visit is on Tuesday.\n\nRiverside <clinic>", "Your visit on Tuesday")
    await home.bench.tell(sample.message(events.MessageSent, 1, channel="email", words=mail))
    page = await page_of(browser, patient)
    assert "<summary>Your visit on Tuesday" in page
    assert '<p class="pre"><q>Hello,\n\nyour visit is on Tuesday.\n\nRiverside &lt;clinic&gt;</q></p>' in page


async def test_a_message_from_before_says_that_its_words_were_not_kept(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.message(events.MessageSent, 1))
    assert "The words were not kept." in await page_of(browser, patient)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (events.MessageWithheld, {"reason": "no_consent"}),
        (events.MessageFailed, {"error": "unsendable"}),
        (events.MessagePlanned, {"goes_at": NOON + timedelta(hours=1), "in_time": True}),
    ],
)
async def test_of_what_was_never_worded_nothing_is_said_to_be_lost(
    home: Home, patient: Any, kind: Any, why: Any
) -> None:
    await home.bench.tell(SampleEvents(home.bench.clinic, UUID(patient["id"])).message(kind, 1, **why))
    page = await page_of(await home.logged_in(), patient)
    assert "Reminder by text" in page
    assert "not kept" not in page


async def test_a_check_in_says_that_the_link_is_left_out(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    said = words("Riverside: how are you doing? Two minutes: https://care.example/...")
    await home.bench.tell(sample.message(events.MessageSent, 1, purpose="checkin", occurrence="day-7", words=said))
    page = await page_of(browser, patient)
    assert "https://care.example/..." in page
    assert "own link is left out here" in page


async def test_what_a_patient_wrote_is_shown_whole_line_by_line(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    text = "First line\nsecond <b>line</b>\n\n" + "word " * 300 + "the end"
    await home.bench.tell(sample.reply(text, intent="confirm"))
    page = await page_of(browser, patient)
    whole = text.replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;")
    assert f'<p class="pre"><q>{whole}</q></p>' in page


async def test_the_words_lie_sealed_in_the_table_and_in_no_other_column(home: Home, sample: SampleEvents) -> None:
    await home.bench.tell(sample.message(events.MessageSent, 1, words=words(SAID)))
    async with home.bench.database.reading() as reader:
        kept = await reader.one(select(MESSAGES))
    assert not [each for each in kept if "your visit" in str(each)]


async def test_who_read_messages_by_the_interface_for_programs_is_on_record(
    home: Home, sample: SampleEvents, patient: Any
) -> None:
    member, message = uuid4(), uuid4()
    common = {"clinic": home.bench.clinic, "version": 1, "patient": UUID(patient["id"]), "at": NOON}
    await home.bench.tell(events.MessagesRead(**common, message=None, by="EHR bridge", staff=None))
    await home.bench.tell(events.MessagesRead(**common, message=message, by="Nurse Kim", staff=member))
    async with home.bench.database.reading() as reader:
        lines = await reader.all(select(AUDIT).where(AUDIT.c.what.like("message%")).order_by(AUDIT.c.id))
    assert [(line.who, line.what, line.thing, line.patient, line.at) for line in lines] == [
        ("token:EHR bridge", "messages.read", None, UUID(patient["id"]), NOON),
        (f"staff:{member}", "message.read", message, UUID(patient["id"]), NOON),
    ]


async def test_a_page_with_words_on_it_is_not_opened_without_a_line_in_the_audit_trail(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.message(events.MessageSent, 1, words=words(SAID)))
    assert SAID in await page_of(browser, patient)
    async with home.bench.database.reading() as reader:
        lines = await reader.all(select(AUDIT).where(AUDIT.c.what == "patient.read"))
    assert [line.patient for line in lines] == [UUID(patient["id"])]
