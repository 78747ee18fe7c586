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
from tests.integration.notifier.exchange import OUR_NUMBER
from tests.integration.notifier.practice import Practice, Session, contact_of
from tests.support.bench import KEYRING, Answer

PHONE = "+12025550123"


async def text(practice: Practice, body: str, number: str = PHONE, **fields: str) -> None:
    form = {"From": number, "To": OUR_NUMBER, "Body": body, "NumMedia": "0"} | fields
    form.setdefault("MessageSid", f"SM{len(body)}{practice.clock.now().timestamp()}{hash((body, number))}")
    assert await practice.exchange.post(practice.bench.base_url + INBOUND_PATH, form) == 200


async def replies(practice: Practice) -> list[tuple[str, Any]]:
    return [(reply.intent, reply.session) for reply in await practice.bench.said(ReplyReceived)]


async def last_flags(practice: Practice) -> tuple[str, ...]:
    return (await practice.bench.said(ReplyReceived))[-1].flags


async def stopped(practice: Practice) -> bool:
    async with practice.bench.database.reading() as reader:
        return bool(await reader.all(select(STOPS)))


async def two_visits(practice: Practice, *, language: Any = "en") -> tuple[Session, Session]:
    """Enrol Pat, book Tuesday and Thursday, and remind of both."""
    patient = await practice.enrol(contact_of("sms", PHONE), language=language)
    first = await practice.book(patient, "2026-12-15T10:00")
    second = await practice.book(patient, "2026-12-17T10:00")
    await practice.due(first, "1d")
    await practice.due(second)
    await practice.settled()
    return first, second


async def reminder(practice: Practice) -> str:
    """Return the English reminder, word for word."""
    return next(body for body in practice.exchange.to(PHONE) if "December 15" in body)


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
async def test_a_quoted_reminder_never_ends_a_persons_texts(practice: Practice, shape: str) -> None:
    await two_visits(practice)
    before = len(practice.exchange.ledger)
    await text(practice, shape.format(await reminder(practice)))
    await practice.settled()
    assert not await stopped(practice)
    ((intent, session),) = set(await replies(practice))
    assert session is None
    if shape != "Fwd: {}":
        assert intent == "reaction"
        assert len(practice.exchange.ledger) == before
    assert ("dislike" in await last_flags(practice)) == shape.startswith(("Disliked", "No le"))


async def test_a_quote_hides_nothing_of_what_was_written_below_it(practice: Practice) -> None:
    first, _ = await two_visits(practice)
    quoted = await reminder(practice)
    await text(practice, f"> {quoted}\nC")
    assert await replies(practice) == [("confirm", first.id)]
    await text(practice, f"> {quoted}\nplease stop texting me")
    assert await stopped(practice)


async def test_a_like_of_the_first_check_in_is_no_stop(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.open_checkin(patient)
    await practice.settled()
    (sent,) = practice.exchange.to(PHONE)
    assert "Reply STOP" in sent
    await text(practice, f"Liked “{sent}”")
    assert await replies(practice) == [("reaction", None)]
    assert not await stopped(practice)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("No", {"OptOutType": "STOP"}),
        ("ALTO", {"OptOutType": "STOP"}),
        ("whatever", {"OptOutType": "stop"}),
    ],
)
async def test_who_stopped_by_the_providers_word_is_never_texted(
    practice: Practice, body: str, fields: dict[str, str]
) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await text(practice, body, MessageSid="SM1", **fields)
    await text(practice, body, MessageSid="SM2", **fields)
    await practice.settled()
    assert await stopped(practice)
    assert practice.exchange.ledger == [], "the provider has answered"
    await text(practice, "Hola", OptOutType="START")
    assert not await stopped(practice)
    assert [event.granted for event in await practice.bench.said(ConsentChanged)] == [False, True]


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
async def test_one_phone_in_another_spelling_is_never_another_phone(practice: Practice, kept: str, writes: str) -> None:
    patient = await practice.enrol(contact_of("sms", kept))
    await text(practice, "please stop", writes)
    await practice.due(await practice.book(patient))
    await practice.in_state("accepted", "withheld")
    assert [sent.to for sent in practice.exchange.ledger] == [kept.replace(" ", "")]


async def test_a_second_yes_names_the_second_visit(practice: Practice) -> None:
    first, second = await two_visits(practice)
    await text(practice, "C", MessageSid="SM1")
    await practice.settled()
    assert practice.exchange.to(PHONE)[-1].endswith(
        "we expect you on Tuesday, December 15 at 10:00 AM. "
        "Not confirmed yet: Thursday, December 17 at 10:00 AM. Reply C for the next one."
    )
    await text(practice, "C", MessageSid="SM2")
    await practice.settled()
    assert practice.exchange.to(PHONE)[-1].endswith("we expect you on Thursday, December 17 at 10:00 AM.")
    assert await replies(practice) == [("confirm", first.id), ("confirm", second.id)]


@pytest.mark.parametrize(
    ("body", "meant"), [("C both", (0, 1)), ("C thursday", (1,)), ("C 10:00 tuesday", (0,)), ("si las dos", (0, 1))]
)
async def test_a_yes_that_names_its_visits_is_not_spent_on_another(
    practice: Practice, body: str, meant: tuple[int, ...]
) -> None:
    visits = await two_visits(practice)
    await text(practice, body)
    assert await replies(practice) == [("confirm", visits[index].id) for index in meant]


async def test_three_yes_of_five_visits_are_three_visits(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    visits = [await practice.book(patient, f"2026-12-{15 + index}T10:00") for index in range(5)]
    for visit in visits:
        await practice.due(visit)
        await practice.clock.move_by(timedelta(days=1))
    await practice.settled()
    for number in range(3):
        await text(practice, "C", MessageSid=f"SM{number}")
    assert [session for _, session in await replies(practice)] == [visit.id for visit in visits[:3]]


async def test_a_yes_taken_back_leaves_nobody_expected(practice: Practice) -> None:
    first, _ = await two_visits(practice)
    await text(practice, "C", MessageSid="SM1")
    await practice.confirm(first)
    await text(practice, "can't come tuesday", MessageSid="SM2")
    await practice.settled()
    assert await replies(practice) == [("confirm", first.id), ("decline", first.id)]
    assert "you may not come on Tuesday, December 15 at 10:00 AM" in practice.exchange.to(PHONE)[-1]
    await text(practice, "C tuesday", MessageSid="SM3")
    assert (await replies(practice))[-1] == ("confirm", first.id)


async def test_in_doubt_nothing_else_goes_out_until_the_question_is_answered(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await text(practice, "enough", MessageSid="SM1")
    await practice.settled()
    (question,) = practice.exchange.to(PHONE)
    assert "should we stop texting you?" in question
    await practice.due(await practice.book(patient))
    await practice.settled()
    assert len(practice.exchange.ledger) == 1
    held = (await practice.messages())[-1]
    assert (held.state, held.reason) == ("planned", "asked")
    await text(practice, "KEEP", MessageSid="SM2")
    await practice.settled()
    assert ["your visit is on" in body for body in practice.exchange.to(PHONE)].count(True) == 1
    async with practice.bench.database.reading() as reader:
        assert await reader.all(select(QUESTIONS)) == []


async def wants_texts(
    practice: Practice, contact: UUID, reason: str = "Said so by phone today.", **more: Any
) -> Answer:
    path, key = f"/contacts/{contact}/wants-texts", {"Idempotency-Key": str(uuid4())}
    return await practice.bench.call("POST", path, {"reason": reason}, headers=key, **more)


async def test_a_reminder_does_not_wait_for_an_answer_that_a_person_has_had_by_phone(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    patient = await practice.enrol(contact)
    await text(practice, "enough", MessageSid="SM1")
    await practice.due(await practice.book(patient))
    await practice.settled()
    assert (await practice.messages())[-1].reason == "asked"
    answer = await wants_texts(practice, contact.id)
    assert (answer.status, answer.json["were_held"]) == (200, True)
    await practice.settled()
    assert ["your visit is on" in body for body in practice.exchange.to(PHONE)].count(True) == 1
    async with practice.bench.database.reading() as reader:
        kept = (await reader.all(select(CONSENTS).order_by(CONSENTS.c.id)))[-1]
        assert await reader.all(select(QUESTIONS)) == []
    assert (kept.patient, kept.granted) == (patient, True)
    who, sealed = kept.how.split(": ")
    assert who == "staff, test"
    assert KEYRING.open(sealed, context="doubt-reason") == "Said so by phone today."
    assert (await wants_texts(practice, contact.id)).json["were_held"] is False


async def test_a_person_who_ends_a_doubt_lifts_no_stop(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    patient = await practice.enrol(contact)
    await text(practice, "enough", MessageSid="SM1")
    await text(practice, "STOP", MessageSid="SM2")
    assert (await wants_texts(practice, contact.id)).json["were_held"] is False
    await practice.due(await practice.book(patient))
    await practice.settled()
    assert await stopped(practice)
    assert not any("your visit is on" in body for body in practice.exchange.to(PHONE))


async def test_no_doubt_is_ended_without_a_reason_nor_by_another_clinic(practice: Practice) -> None:
    contact = contact_of("sms", PHONE)
    await practice.enrol(contact)
    await text(practice, "enough", MessageSid="SM1")
    assert (await wants_texts(practice, contact.id, "   ")).status == 422
    another = practice.bench.token(clinic=ClinicId(uuid4()))
    assert (await wants_texts(practice, contact.id, token=another)).status == 404
    looker = practice.bench.token(scopes=frozenset({"read"}))
    assert (await wants_texts(practice, contact.id, token=looker)).status == 403
    async with practice.bench.database.reading() as reader:
        assert len(await reader.all(select(QUESTIONS))) == 1


async def test_the_answer_stop_after_the_question_ends_it(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.due(await practice.book(patient))
    await text(practice, "how do I unsubscribe my mom", MessageSid="SM1")
    await text(practice, "yes", MessageSid="SM2")
    assert await stopped(practice)


async def test_the_wrong_person_gets_nothing_more_and_the_right_one_is_not_lost(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE), contact_of("email", "pat@mail.example"))
    other = await practice.enrol(contact_of("sms", "+12025550199"))
    await practice.due(await practice.book(patient, "2026-12-15T10:00"), "1d")
    await practice.settled()
    await text(practice, "wrong number, this is not Pat")
    await practice.settled()
    assert await replies(practice) == [("wrong-number", None)]
    assert "We will not text this number again" in practice.exchange.to(PHONE)[-1]
    (said,) = await practice.bench.said(ConsentChanged)
    assert (said.patient, said.granted, said.how) == (patient, False, "wrong number")
    for who in (patient, other):
        await practice.due(await practice.book(who, "2026-12-16T10:00"), "1d")
    await practice.settled()
    assert sum("your visit is on" in body for body in practice.exchange.to(PHONE)) == 1
    assert len(practice.exchange.to("+12025550199")) == 1
    # The clinic corrects it: texts go to the new number.
    await practice.enrol(contact_of("sms", "+12025550177"), patient=patient, version=2)
    await practice.due(await practice.book(patient, "2026-12-17T10:00"), "1d")
    await practice.settled()
    assert len(practice.exchange.to("+12025550177")) == 1


async def test_a_family_is_asked_which_visit_and_answers_with_a_number(practice: Practice) -> None:
    mother, son = [await practice.enrol(contact_of("sms", PHONE)) for _ in range(2)]
    hers = await practice.book(mother, "2026-12-15T10:00")
    his = await practice.book(son, "2026-12-15T10:30")
    for visit in (hers, his):
        await practice.due(visit, "1d")
    await practice.settled()
    await text(practice, "C", MessageSid="SM1")
    await practice.settled()
    assert practice.exchange.to(PHONE)[-1].endswith(
        "which visit do you mean? Reply 1 for Tuesday, December 15 at 10:00 AM; 2 for Tuesday, December 15 at 10:30 AM."
    )
    await text(practice, "2", MessageSid="SM2")
    confirmed = [reply for reply in await practice.bench.said(ReplyReceived) if reply.intent == "confirm"]
    assert [(reply.patient, reply.session) for reply in confirmed] == [(son, his.id)]


async def test_machines_that_answer_each_other_end_and_a_driver_is_not_answered(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    for number in range(6):
        await practice.clock.move_by(timedelta(minutes=2))
        await text(practice, "HELP", MessageSid=f"SM{number}")
    await text(practice, "I'm driving with Do Not Disturb While Driving turned on.", MessageSid="SM-d")
    await practice.settled()
    assert len(practice.exchange.ledger) == 3
    sealed = (await practice.bench.said(ReplyReceived))[-1].text
    assert KEYRING.open(sealed, context="reply").startswith("I'm driving")


async def test_a_picture_is_passed_on_and_its_sender_told_that_nobody_sees_it(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await text(practice, "", NumMedia="1")
    await practice.settled()
    assert await last_flags(practice) == ("picture",)
    assert "cannot open pictures" in practice.exchange.to(PHONE)[0]
