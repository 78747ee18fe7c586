"""What people really send, handed over as the provider does, and what comes of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.notifier.tables import CONSENTS, QUESTIONS, STOPS
from services.notifier.webhooks import INBOUND_PATH
from shared.events import ConsentChanged, ReplyReceived
from shared.ids import ClinicId
from tests.integration.notifier.fake_provider import OUR_NUMBER
from tests.integration.notifier.harness import NotifierHarness, Session, contact_of
from tests.support.bench import KEYRING, Answer

PHONE = "+12025550123"


async def text(harness: NotifierHarness, body: str, number: str = PHONE, **fields: str) -> None:
    form = {"From": number, "To": OUR_NUMBER, "Body": body, "NumMedia": "0"} | fields
    form.setdefault("MessageSid", f"SM{len(body)}{harness.clock.now().timestamp()}{hash((body, number))}")
    assert await harness.fake_provider.post(harness.bench.base_url + INBOUND_PATH, form) == 200


async def replies(harness: NotifierHarness) -> list[tuple[str, Any]]:
    return [(reply.intent, reply.session) for reply in await harness.bench.said(ReplyReceived)]


async def last_flags(harness: NotifierHarness) -> tuple[str, ...]:
    return (await harness.bench.said(ReplyReceived))[-1].flags


async def stopped(harness: NotifierHarness) -> bool:
    async with harness.bench.database.reading() as reader:
        return bool(await reader.all(select(STOPS)))


async def two_visits(harness: NotifierHarness, *, language: Any = "en") -> tuple[Session, Session]:
    """Enrol Pat, book Tuesday and Thursday, and remind of both."""
    patient = await harness.enrol(contact_of("sms", PHONE), language=language)
    first = await harness.book(patient, "2026-12-15T10:00")
    second = await harness.book(patient, "2026-12-17T10:00")
    await harness.due(first, "1d")
    await harness.due(second)
    await harness.settled()
    return first, second


async def reminder(harness: NotifierHarness) -> str:
    """Return the English reminder, word for word."""
    return next(body for body in harness.fake_provider.to(PHONE) if "December 15" in body)


SHAPES = [
    "Liked “{}”",
    "Loved “{}”",
    "Disliked “{}”",
    'Liked "{}"',
    "Laughed at “{}”",
    "Emphasized “{}”",
    "Questioned “{}”",
    "Removed a like from “{}”",
    "Reacted 👍 to “{}”",
    "👍 to “{}”",
    "\u200a👍\u200b to “ {} ”",
    "❤️ to «{}»",
    "Le gustó “{}”",
    "Le encantó “{}”",
    "Me gusta “{}”",
    "No le gustó “{}”",
    "Reaccionó con 👍 a “{}”",
    "> {}",
    "{}",
    "Fwd: {}",
]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_quoted_reminder_never_ends_a_persons_texts(harness: NotifierHarness, shape: str) -> None:
    await two_visits(harness)
    before = len(harness.fake_provider.ledger)
    await text(harness, shape.format(await reminder(harness)))
    await harness.settled()
    assert not await stopped(harness)
    ((intent, session),) = set(await replies(harness))
    assert session is None
    if shape != "Fwd: {}":
        assert intent == "reaction"
        assert len(harness.fake_provider.ledger) == before
    assert ("dislike" in await last_flags(harness)) == shape.startswith(("Disliked", "No le"))


async def test_a_quote_hides_nothing_of_what_was_written_below_it(harness: NotifierHarness) -> None:
    first, _ = await two_visits(harness)
    quoted = await reminder(harness)
    await text(harness, f"> {quoted}\nC")
    assert await replies(harness) == [("confirm", first.id)]
    await text(harness, f"> {quoted}\nplease stop texting me")
    assert await stopped(harness)


async def test_a_like_of_the_first_check_in_is_no_stop(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.open_checkin(patient)
    await harness.settled()
    (sent,) = harness.fake_provider.to(PHONE)
    assert "Reply STOP" in sent
    await text(harness, f"Liked “{sent}”")
    assert await replies(harness) == [("reaction", None)]
    assert not await stopped(harness)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("No", {"OptOutType": "STOP"}),
        ("ALTO", {"OptOutType": "STOP"}),
        ("whatever", {"OptOutType": "stop"}),
    ],
)
async def test_who_stopped_by_the_providers_word_is_never_texted(
    harness: NotifierHarness, body: str, fields: dict[str, str]
) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, body, MessageSid="SM1", **fields)
    await text(harness, body, MessageSid="SM2", **fields)
    await harness.settled()
    assert await stopped(harness)
    assert harness.fake_provider.ledger == [], "the provider has answered"
    await text(harness, "Hola", OptOutType="START")
    assert not await stopped(harness)
    assert [event.granted for event in await harness.bench.said(ConsentChanged)] == [False, True]


@pytest.mark.parametrize(
    ("kept", "writes"),
    [
        ("+525512345678", "+5215512345678"),
        ("+525512345678", "whatsapp:+525512345678"),
        ("+525512345678", "whatsapp:+5215512345678"),
        ("+52 55 1234 5678", "+525512345678"),
        ("+12025550123", "+1 202 555 0123"),
        ("+12025550123", " 12025550123"),
        ("+12025550123", "tel:+1-202-555-0123"),
    ],
)
async def test_one_phone_in_another_spelling_is_never_another_phone(
    harness: NotifierHarness, kept: str, writes: str
) -> None:
    patient = await harness.enrol(contact_of("sms", kept))
    await text(harness, "please stop", writes)
    await harness.due(await harness.book(patient))
    await harness.in_state("accepted", "withheld")
    assert [sent.to for sent in harness.fake_provider.ledger] == [kept.replace(" ", "")]


async def test_a_second_yes_names_the_second_visit(harness: NotifierHarness) -> None:
    first, second = await two_visits(harness)
    await text(harness, "C", MessageSid="SM1")
    await harness.settled()
    assert harness.fake_provider.to(PHONE)[-1].endswith(
        "we expect you on Tuesday, December 15 at 10:00 AM. "
        "Not confirmed yet: Thursday, December 17 at 10:00 AM. Reply C for the next one."
    )
    await text(harness, "C", MessageSid="SM2")
    await harness.settled()
    assert harness.fake_provider.to(PHONE)[-1].endswith("we expect you on Thursday, December 17 at 10:00 AM.")
    assert await replies(harness) == [("confirm", first.id), ("confirm", second.id)]


@pytest.mark.parametrize(
    ("body", "meant"), [("C both", (0, 1)), ("C thursday", (1,)), ("C 10:00 tuesday", (0,)), ("si las dos", (0, 1))]
)
async def test_a_yes_that_names_its_visits_is_not_spent_on_another(
    harness: NotifierHarness, body: str, meant: tuple[int, ...]
) -> None:
    visits = await two_visits(harness)
    await text(harness, body)
    assert await replies(harness) == [("confirm", visits[index].id) for index in meant]


async def test_three_yes_of_five_visits_are_three_visits(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    visits = [await harness.book(patient, f"2026-12-{15 + index}T10:00") for index in range(5)]
    for visit in visits:
        await harness.due(visit)
        await harness.clock.move_by(timedelta(days=1))
    await harness.settled()
    for number in range(3):
        await text(harness, "C", MessageSid=f"SM{number}")
    assert [session for _, session in await replies(harness)] == [visit.id for visit in visits[:3]]


async def test_a_yes_taken_back_leaves_nobody_expected(harness: NotifierHarness) -> None:
    first, _ = await two_visits(harness)
    await text(harness, "C", MessageSid="SM1")
    await harness.confirm(first)
    await text(harness, "can't come tuesday", MessageSid="SM2")
    await harness.settled()
    assert await replies(harness) == [("confirm", first.id), ("decline", first.id)]
    assert "you may not come on Tuesday, December 15 at 10:00 AM" in harness.fake_provider.to(PHONE)[-1]
    await text(harness, "C tuesday", MessageSid="SM3")
    assert (await replies(harness))[-1] == ("confirm", first.id)


async def test_in_doubt_nothing_else_goes_out_until_the_question_is_answered(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "enough", MessageSid="SM1")
    await harness.settled()
    (question,) = harness.fake_provider.to(PHONE)
    assert "should we stop texting you?" in question
    await harness.due(await harness.book(patient))
    await harness.settled()
    assert len(harness.fake_provider.ledger) == 1
    held = (await harness.messages())[-1]
    assert (held.state, held.reason) == ("planned", "asked")
    await text(harness, "KEEP", MessageSid="SM2")
    await harness.settled()
    assert ["your visit is on" in body for body in harness.fake_provider.to(PHONE)].count(True) == 1
    async with harness.bench.database.reading() as reader:
        assert await reader.all(select(QUESTIONS)) == []


async def wants_texts(
    harness: NotifierHarness, contact: UUID, reason: str = "Said so by phone today.", **more: Any
) -> Answer:
    path, key = f"/contacts/{contact}/wants-texts", {"Idempotency-Key": str(uuid4())}
    return await harness.bench.call("POST", path, {"reason": reason}, headers=key, **more)


async def test_a_reminder_does_not_wait_for_an_answer_that_a_person_has_had_by_phone(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact)
    await text(harness, "enough", MessageSid="SM1")
    await harness.due(await harness.book(patient))
    await harness.settled()
    assert (await harness.messages())[-1].reason == "asked"
    answer = await wants_texts(harness, contact.id)
    assert (answer.status, answer.json["were_held"]) == (200, True)
    await harness.settled()
    assert ["your visit is on" in body for body in harness.fake_provider.to(PHONE)].count(True) == 1
    async with harness.bench.database.reading() as reader:
        kept = (await reader.all(select(CONSENTS).order_by(CONSENTS.c.id)))[-1]
        assert await reader.all(select(QUESTIONS)) == []
    assert (kept.patient, kept.granted) == (patient, True)
    who, sealed = kept.how.split(": ")
    assert who == "staff, test"
    assert KEYRING.open(sealed, context="doubt-reason") == "Said so by phone today."
    assert (await wants_texts(harness, contact.id)).json["were_held"] is False


async def test_a_person_who_ends_a_doubt_lifts_no_stop(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    patient = await harness.enrol(contact)
    await text(harness, "enough", MessageSid="SM1")
    await text(harness, "STOP", MessageSid="SM2")
    assert (await wants_texts(harness, contact.id)).json["were_held"] is False
    await harness.due(await harness.book(patient))
    await harness.settled()
    assert await stopped(harness)
    assert not any("your visit is on" in body for body in harness.fake_provider.to(PHONE))


async def test_no_doubt_is_ended_without_a_reason_nor_by_another_clinic(harness: NotifierHarness) -> None:
    contact = contact_of("sms", PHONE)
    await harness.enrol(contact)
    await text(harness, "enough", MessageSid="SM1")
    assert (await wants_texts(harness, contact.id, "   ")).status == 422
    another = harness.bench.token(clinic=ClinicId(uuid4()))
    assert (await wants_texts(harness, contact.id, token=another)).status == 404
    looker = harness.bench.token(scopes=frozenset({"read"}))
    assert (await wants_texts(harness, contact.id, token=looker)).status == 403
    async with harness.bench.database.reading() as reader:
        assert len(await reader.all(select(QUESTIONS))) == 1


async def test_the_answer_stop_after_the_question_ends_it(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.due(await harness.book(patient))
    await text(harness, "how do I unsubscribe my mom", MessageSid="SM1")
    await text(harness, "yes", MessageSid="SM2")
    assert await stopped(harness)


async def test_the_wrong_person_gets_nothing_more_and_the_right_one_is_not_lost(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE), contact_of("email", "pat@mail.example"))
    other = await harness.enrol(contact_of("sms", "+12025550199"))
    await harness.due(await harness.book(patient, "2026-12-15T10:00"), "1d")
    await harness.settled()
    await text(harness, "wrong number, this is not Pat")
    await harness.settled()
    assert await replies(harness) == [("wrong-number", None)]
    assert "We will not text this number again" in harness.fake_provider.to(PHONE)[-1]
    (said,) = await harness.bench.said(ConsentChanged)
    assert (said.patient, said.granted, said.how) == (patient, False, "wrong number")
    for who in (patient, other):
        await harness.due(await harness.book(who, "2026-12-16T10:00"), "1d")
    await harness.settled()
    assert sum("your visit is on" in body for body in harness.fake_provider.to(PHONE)) == 1
    assert len(harness.fake_provider.to("+12025550199")) == 1
    # The clinic corrects it: texts go to the new number.
    await harness.enrol(contact_of("sms", "+12025550177"), patient=patient, version=2)
    await harness.due(await harness.book(patient, "2026-12-17T10:00"), "1d")
    await harness.settled()
    assert len(harness.fake_provider.to("+12025550177")) == 1


async def test_a_family_is_asked_which_visit_and_answers_with_a_number(harness: NotifierHarness) -> None:
    mother, son = [await harness.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    hers = await harness.book(mother, "2026-12-15T10:00")
    his = await harness.book(son, "2026-12-15T10:30")
    for visit in (hers, his):
        await harness.due(visit, "1d")
    await harness.settled()
    await text(harness, "C", MessageSid="SM1")
    await harness.settled()
    assert harness.fake_provider.to(PHONE)[-1].endswith(
        "which visit do you mean? Reply 1 for Tuesday, December 15 at 10:00 AM; 2 for Tuesday, December 15 at 10:30 AM."
    )
    await text(harness, "2", MessageSid="SM2")
    confirmed = [reply for reply in await harness.bench.said(ReplyReceived) if reply.intent == "confirm"]
    assert [(reply.patient, reply.session) for reply in confirmed] == [(son, his.id)]


async def test_machines_that_answer_each_other_end_and_a_driver_is_not_answered(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    for number in range(6):
        await harness.clock.move_by(timedelta(minutes=2))
        await text(harness, "HELP", MessageSid=f"SM{number}")
    await text(harness, "I'm driving with Do Not Disturb While Driving turned on.", MessageSid="SM-d")
    await harness.settled()
    assert len(harness.fake_provider.ledger) == 3
    sealed = (await harness.bench.said(ReplyReceived))[-1].text
    assert KEYRING.open(sealed, context="reply").startswith("I'm driving")


async def test_a_picture_is_passed_on_and_its_sender_told_that_nobody_sees_it(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "", NumMedia="1")
    await harness.settled()
    assert await last_flags(harness) == ("picture",)
    assert "cannot open pictures" in harness.fake_provider.to(PHONE)[0]
