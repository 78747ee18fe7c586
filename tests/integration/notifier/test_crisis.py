"""Words of crisis by text, and whether a page reaches anybody."""

from datetime import timedelta

import pytest

from services.notifier.model.purposes import Channel
from services.notifier.store import on_call as reachable
from services.notifier.watch import OnCallWatch
from shared.events import AlertOverdue, AlertRaised, OnCallChecked, PatientDischarged, ReplyReceived, StaffContact
from shared.ids import new_id
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import KEYRING

PHONE = "+15550101234"
NURSE = "+15550109999"
CRISIS = (
    "Lakeside Clinic: In a crisis call or text 988. This number is not watched at all hours. Our phone: +1 555 010 0100"
)


async def text(harness: NotifierHarness, body: str, number: str = PHONE) -> None:
    assert await harness.fake_provider.text(harness.bench.base_url, number, body) == 200
    await harness.settled()


def answers(harness: NotifierHarness, number: str = PHONE) -> list[str]:
    return [said for said in harness.fake_provider.to(number) if said == CRISIS]


@pytest.mark.parametrize("words", ["quiero suicidarme", "I dont want to be here anymore", "i have the pills"])
async def test_words_of_suicide_never_meet_silence(harness: NotifierHarness, words: str) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, words)
    assert harness.fake_provider.to(PHONE) == [CRISIS]


async def test_the_second_cry_of_a_day_does_not_meet_silence(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    for words in ("ok thanks", "I dont want to be here anymore", "i have the pills", "i took all of them"):
        await text(harness, words)
    assert len(answers(harness)) == 3


async def test_a_cry_at_night_is_not_held_until_the_morning(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await harness.clock.move_by(timedelta(hours=14))
    await text(harness, "i have the pills")
    assert len(answers(harness)) == 1


async def test_a_cry_from_an_unknown_number_does_not_meet_silence(harness: NotifierHarness) -> None:
    await text(harness, "quiero suicidarme", number="+15550107777")
    assert len(answers(harness, "+15550107777")) == 1


async def test_a_cry_from_a_discharged_patient_does_not_meet_silence(harness: NotifierHarness) -> None:
    patient = await harness.enrol(contact_of("sms", PHONE))
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, patient=patient, version=2))
    await text(harness, "I want to die")
    assert len(answers(harness)) == 1


@pytest.mark.parametrize("words", [("STOP", "i have the pills"), ("stop texting me i want to die",)])
async def test_a_cry_that_a_stop_keeps_from_being_answered_says_so(
    harness: NotifierHarness, words: tuple[str, ...]
) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    for each in words:
        await text(harness, each)
    assert answers(harness) == []
    assert {"crisis", "unanswered"} <= set((await harness.bench.said(ReplyReceived))[-1].flags)
    await text(harness, "START")
    await text(harness, "i want to die")
    assert "unanswered" not in (await harness.bench.said(ReplyReceived))[-1].flags


async def test_machines_that_answer_one_another_are_damped(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    for _ in range(25):
        await text(harness, "This is an emergency line. Call 911.")
    assert 3 < len(answers(harness)) <= 20


async def test_ordinary_words_get_no_crisis_text(harness: NotifierHarness) -> None:
    await harness.enrol(contact_of("sms", PHONE))
    await text(harness, "this traffic is killing me, running late")
    assert answers(harness) == []


def on_call(*numbers: str) -> tuple[StaffContact, ...]:
    return tuple(StaffContact(kind="sms", value=KEYRING.seal(number, context="contact")) for number in numbers)


async def look(harness: NotifierHarness) -> OnCallChecked | None:
    watch = OnCallWatch(harness.bench.database, KEYRING, frozenset({Channel.SMS}))
    await harness.bench.said(clear=True)
    await watch.look()
    said = await harness.bench.said(OnCallChecked)
    return said[-1] if said else None


async def unreached(harness: NotifierHarness) -> bool:
    async with harness.bench.database.reading() as reader:
        (seen,) = await reachable.reachability(reader, KEYRING, frozenset({Channel.SMS}))
        return seen.reaches_nobody


async def test_that_the_number_on_call_said_stop_is_known_before_an_alert(harness: NotifierHarness) -> None:
    await harness.opens(version=2, oncall=on_call(NURSE))
    told = await look(harness)
    assert told is not None
    assert [contact.trouble for contact in told.contacts] == [None]
    await text(harness, "STOP", number=NURSE)
    told = await look(harness)
    assert told is not None
    assert [contact.trouble for contact in told.contacts] == ["stopped"]
    assert await unreached(harness)
    assert await look(harness) is None
    await text(harness, "START", number=NURSE)
    assert not await unreached(harness)


async def test_a_start_ends_the_alarm_that_the_providers_refusal_began(harness: NotifierHarness) -> None:
    await harness.opens(version=2, oncall=on_call(NURSE))
    patient = await harness.enrol(contact_of("sms", PHONE))
    harness.fake_provider.script.append("refuse 21610")
    await harness.alert(patient)
    await harness.settled()
    assert await unreached(harness)
    await text(harness, "START", number=NURSE)
    assert not await unreached(harness)


async def test_that_nobody_is_on_call_is_no_quiet_state(harness: NotifierHarness) -> None:
    assert await unreached(harness)


async def test_a_task_wakes_nobody(harness: NotifierHarness) -> None:
    await harness.opens(version=2, oncall=on_call(NURSE))
    patient = await harness.enrol(contact_of("sms", PHONE))
    cause = KEYRING.seal("Bladder.", context="cause")
    now = harness.clock.now()
    alert = AlertRaised(
        clinic=harness.bench.clinic,
        patient=patient,
        version=1,
        alert=new_id(),
        level="task",
        cause=cause,
        raised_at=now,
    )
    await harness.bench.tell(alert)
    await harness.settled()
    assert harness.fake_provider.to(NURSE) == []
    await harness.bench.tell(alert.model_copy(update={"level": "elevated", "version": 2, "patient": None}))
    await harness.settled()
    assert len(harness.fake_provider.to(NURSE)) == 1


async def test_a_page_that_is_told_again_is_not_sent_again(harness: NotifierHarness) -> None:
    await harness.opens(version=2, oncall=on_call(NURSE))
    patient = await harness.enrol(contact_of("sms", PHONE))
    raised = AlertRaised(
        clinic=harness.bench.clinic,
        patient=patient,
        version=1,
        alert=new_id(),
        level="high",
        cause=KEYRING.seal("item 9", context="cause"),
        raised_at=harness.clock.now(),
    )
    for event in (raised, raised, AlertOverdue(**{**raised.model_dump(), "page_number": 2})):
        await harness.bench.tell(event)
        await harness.settled()
    assert len(harness.fake_provider.to(NURSE)) == 2
    # As it is told after records were lost: with the number of its latest page.
    await harness.bench.tell(raised.model_copy(update={"page_number": 2}))
    await harness.settled()
    assert len(harness.fake_provider.to(NURSE)) == 2
