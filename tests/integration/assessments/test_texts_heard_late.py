"""A text that is told again after records were lost: read for words of crisis once, however often it is told."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.events import AlertRaised, MessageSent, ReplyReceived, UnknownNumberTexted
from shared.ids import new_id
from tests.integration.assessments.ward import Ward
from tests.support.bench import KEYRING

NEW = "+12025550188"


def texted(ward: Ward, words: str, *, at: datetime, intent: str = "other", reply: UUID | None = None) -> ReplyReceived:
    return ReplyReceived(
        clinic=ward.bench.clinic,
        version=1,
        patient=ward.patient,
        reply=reply or uuid4(),
        intent=intent,
        session=None,
        session_version=None,
        text=KEYRING.seal(words, context="reply"),
        at=at,
    )


async def test_a_cry_that_is_told_again_is_paged_once_also_after_its_alert_was_closed(ward: Ward) -> None:
    cry = texted(ward, "I want to die", at=ward.bench.clock.now())
    for _ in range(2):
        await ward.bench.tell(cry)
    (event,) = await ward.bench.said(AlertRaised)
    assert (
        await ward.bench.call("POST", f"/alerts/{event.alert}/close", {"disposition": "Called, safe at home."})
    ).status == 200
    await ward.bench.tell(cry)
    assert await ward.bench.said(AlertRaised) == [event]


@pytest.mark.parametrize(
    ("age", "says"),
    [
        (timedelta(minutes=59), ""),
        (timedelta(minutes=61), ", written 1 hour before it was read here"),
        (timedelta(days=2), ", written 48 hours before it was read here"),
    ],
)
async def test_whoever_is_paged_for_an_old_cry_is_never_left_to_think_it_new(
    ward: Ward, age: timedelta, says: str
) -> None:
    now = ward.bench.clock.now()
    await ward.bench.tell(texted(ward, "I want to die", at=now - age))
    stranger = UnknownNumberTexted(
        clinic=ward.bench.clinic,
        version=1,
        reply=new_id(),
        intent="other",
        number=KEYRING.seal(NEW, context="contact"),
        masked="+1•••0188",
        text=KEYRING.seal("quiero morir", context="reply"),
        at=now - age,
    )
    await ward.bench.tell(stranger)
    causes = [KEYRING.open(event.cause, context="cause") for event in await ward.bench.said(AlertRaised)]
    assert causes == [
        f'Text message{says}: "I want to die"',
        f'Text message from a number that is no patient\'s{says}: "quiero morir"',
    ]


async def sent(ward: Ward, checkin: UUID, at: datetime) -> None:
    await ward.bench.tell(
        MessageSent(
            clinic=ward.bench.clinic,
            version=2,
            patient=ward.patient,
            message=new_id(),
            purpose="checkin",
            channel="sms",
            occurrence="day-7",
            about=checkin,
            to="+1•••0188",
            at=at,
        )
    )


async def test_a_wrong_number_heard_of_late_never_closes_a_link_that_went_to_the_right_one(ward: Ward) -> None:
    then = ward.bench.clock.now()
    await ward.bench.live_until(then + timedelta(hours=3))
    await ward.enrol(numbers=(NEW,))
    opened = await ward.ask("phq-9")
    await sent(ward, opened.checkin, ward.bench.clock.now())
    path = ward.path(opened)
    await ward.bench.tell(texted(ward, "wrong number", at=then, intent="wrong-number"))
    assert (await ward.bench.call("GET", path, token="")).status == 200


async def test_a_wrong_number_heard_of_late_closes_what_its_holder_had_been_sent(ward: Ward) -> None:
    opened = await ward.ask("phq-9")
    then = ward.bench.clock.now()
    await sent(ward, opened.checkin, then)
    await ward.bench.live_until(then + timedelta(hours=3))
    await ward.bench.tell(texted(ward, "wrong number", at=then + timedelta(seconds=30), intent="wrong-number"))
    assert (await ward.bench.call("GET", ward.path(opened), token="")).status == 404
