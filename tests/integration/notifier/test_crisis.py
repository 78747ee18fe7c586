"""Words of crisis by text, and whether a page reaches anybody."""

from datetime import timedelta

import pytest

from services.notifier.model.purposes import Channel
from services.notifier.store import on_call as reachable
from services.notifier.watch import OnCallWatch
from shared.events import AlertOverdue, AlertRaised, OnCallChecked, PatientDischarged, ReplyReceived, StaffContact
from shared.ids import new_id
from tests.integration.notifier.practice import Practice, contact_of
from tests.support.bench import KEYRING

PHONE = "+15550101234"
NURSE = "+15550109999"
CRISIS = (
    "Lakeside Clinic: In a crisis call or text 988. This number is not watched at all hours. Our phone: +1 555 010 0100"
)


async def text(practice: Practice, body: str, number: str = PHONE) -> None:
    assert await practice.exchange.text(practice.bench.base_url, number, body) == 200
    await practice.settled()


def answers(practice: Practice, number: str = PHONE) -> list[str]:
    return [said for said in practice.exchange.to(number) if said == CRISIS]


@pytest.mark.parametrize("words", ["quiero suicidarme", "I dont want to be here anymore", "i have the pills"])
async def test_words_of_suicide_never_meet_silence(practice: Practice, words: str) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await text(practice, words)
    assert practice.exchange.to(PHONE) == [CRISIS]


async def test_the_second_cry_of_a_day_does_not_meet_silence(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    for words in ("ok thanks", "I dont want to be here anymore", "i have the pills", "i took all of them"):
        await text(practice, words)
    assert len(answers(practice)) == 3


async def test_a_cry_at_night_is_not_held_until_the_morning(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await practice.clock.move_by(timedelta(hours=14))
    await text(practice, "i have the pills")
    assert len(answers(practice)) == 1


async def test_a_cry_from_an_unknown_number_does_not_meet_silence(practice: Practice) -> None:
    await text(practice, "quiero suicidarme", number="+15550107777")
    assert len(answers(practice, "+15550107777")) == 1


async def test_a_cry_from_a_discharged_patient_does_not_meet_silence(practice: Practice) -> None:
    patient = await practice.enrol(contact_of("sms", PHONE))
    await practice.bench.tell(PatientDischarged(clinic=practice.bench.clinic, patient=patient, version=2))
    await text(practice, "I want to die")
    assert len(answers(practice)) == 1


@pytest.mark.parametrize("words", [("STOP", "i have the pills"), ("stop texting me i want to die",)])
async def test_a_cry_that_a_stop_keeps_from_being_answered_says_so(practice: Practice, words: tuple[str, ...]) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    for each in words:
        await text(practice, each)
    assert answers(practice) == []
    assert {"crisis", "unanswered"} <= set((await practice.bench.said(ReplyReceived))[-1].flags)
    await text(practice, "START")
    await text(practice, "i want to die")
    assert "unanswered" not in (await practice.bench.said(ReplyReceived))[-1].flags


async def test_machines_that_answer_one_another_are_damped(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    for _ in range(25):
        await text(practice, "This is an emergency line. Call 911.")
    assert 3 < len(answers(practice)) <= 20


async def test_ordinary_words_get_no_crisis_text(practice: Practice) -> None:
    await practice.enrol(contact_of("sms", PHONE))
    await text(practice, "this traffic is killing me, running late")
    assert answers(practice) == []


def on_call(*numbers: str) -> tuple[StaffContact, ...]:
    return tuple(StaffContact(kind="sms", value=KEYRING.seal(number, context="contact")) for number in numbers)


async def look(practice: Practice) -> OnCallChecked | None:
    watch = OnCallWatch(practice.bench.database, KEYRING, frozenset({Channel.SMS}))
    await practice.bench.said(clear=True)
    await watch.look()
    said = await practice.bench.said(OnCallChecked)
    return said[-1] if said else None


async def unreached(practice: Practice) -> bool:
    async with practice.bench.database.reading() as reader:
        (seen,) = await reachable.found(reader, KEYRING, frozenset({Channel.SMS}))
        return seen.reaches_nobody


async def test_that_the_number_on_call_said_stop_is_known_before_an_alert(practice: Practice) -> None:
    await practice.opens(version=2, oncall=on_call(NURSE))
    told = await look(practice)
    assert told is not None
    assert [contact.trouble for contact in told.contacts] == [None]
    await text(practice, "STOP", number=NURSE)
    told = await look(practice)
    assert told is not None
    assert [contact.trouble for contact in told.contacts] == ["stopped"]
    assert await unreached(practice)
    assert await look(practice) is None
    await text(practice, "START", number=NURSE)
    assert not await unreached(practice)


async def test_a_start_ends_the_alarm_that_the_providers_refusal_began(practice: Practice) -> None:
    await practice.opens(version=2, oncall=on_call(NURSE))
    patient = await practice.enrol(contact_of("sms", PHONE))
    practice.exchange.script.append("refuse 21610")
    await practice.alert(patient)
    await practice.settled()
    assert await unreached(practice)
    await text(practice, "START", number=NURSE)
    assert not await unreached(practice)


async def test_that_nobody_is_on_call_is_no_quiet_state(practice: Practice) -> None:
    assert await unreached(practice)


async def test_a_task_wakes_nobody(practice: Practice) -> None:
    await practice.opens(version=2, oncall=on_call(NURSE))
    patient = await practice.enrol(contact_of("sms", PHONE))
    cause = KEYRING.seal("Bladder.", context="cause")
    now = practice.clock.now()
    alert = AlertRaised(
        clinic=practice.bench.clinic,
        patient=patient,
        version=1,
        alert=new_id(),
        level="task",
        cause=cause,
        raised_at=now,
    )
    await practice.bench.tell(alert)
    await practice.settled()
    assert practice.exchange.to(NURSE) == []
    await practice.bench.tell(alert.model_copy(update={"level": "elevated", "version": 2, "patient": None}))
    await practice.settled()
    assert len(practice.exchange.to(NURSE)) == 1


async def test_a_page_that_is_told_again_is_not_sent_again(practice: Practice) -> None:
    await practice.opens(version=2, oncall=on_call(NURSE))
    patient = await practice.enrol(contact_of("sms", PHONE))
    raised = AlertRaised(
        clinic=practice.bench.clinic,
        patient=patient,
        version=1,
        alert=new_id(),
        level="high",
        cause=KEYRING.seal("item 9", context="cause"),
        raised_at=practice.clock.now(),
    )
    for event in (raised, raised, AlertOverdue(**{**raised.model_dump(), "page_number": 2})):
        await practice.bench.tell(event)
        await practice.settled()
    assert len(practice.exchange.to(NURSE)) == 2
    # As it is told after records were lost: with the number of its latest page.
    await practice.bench.tell(raised.model_copy(update={"page_number": 2}))
    await practice.settled()
    assert len(practice.exchange.to(NURSE)) == 2
