"""A text that is told again after records were lost: read for words of crisis once, however often it is told."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.events import AlertRaised, MessageSent, ReplyReceived, UnknownNumberTexted
from shared.ids import new_id
from tests.integration.assessments.harness import AssessmentsHarness
from tests.support.bench import KEYRING

NEW = "+12025550188"


def texted(
    harness: AssessmentsHarness, words: str, *, at: datetime, intent: str = "other", reply: UUID | None = None
) -> ReplyReceived:
    return ReplyReceived(
        clinic=harness.bench.clinic,
        version=1,
        patient=harness.patient,
        reply=reply or uuid4(),
        intent=intent,
        session=None,
        session_version=None,
        text=KEYRING.seal(words, context="reply"),
        at=at,
    )


async def test_a_cry_that_is_told_again_is_paged_once_also_after_its_alert_was_closed(
    harness: AssessmentsHarness,
) -> None:
    cry = texted(harness, "I want to die", at=harness.bench.clock.now())
    for _ in range(2):
        await harness.bench.tell(cry)
    (event,) = await harness.bench.said(AlertRaised)
    assert (
        await harness.bench.call("POST", f"/alerts/{event.alert}/close", {"disposition": "Called, safe at home."})
    ).status == 200
    await harness.bench.tell(cry)
    assert await harness.bench.said(AlertRaised) == [event]


@pytest.mark.parametrize(
    ("age", "says"),
    [
        (timedelta(minutes=59), ""),
        (timedelta(minutes=61), ", written 1 hour before it was read here"),
        (timedelta(days=2), ", written 48 hours before it was read here"),
    ],
)
async def test_whoever_is_paged_for_an_old_cry_is_never_left_to_think_it_new(
    harness: AssessmentsHarness, age: timedelta, says: str
) -> None:
    now = harness.bench.clock.now()
    await harness.bench.tell(texted(harness, "I want to die", at=now - age))
    stranger = UnknownNumberTexted(
        clinic=harness.bench.clinic,
        version=1,
        reply=new_id(),
        intent="other",
        number=KEYRING.seal(NEW, context="contact"),
        masked="+1•••0188",
        text=KEYRING.seal("quiero morir", context="reply"),
        at=now - age,
    )
    await harness.bench.tell(stranger)
    causes = [KEYRING.open(event.cause, context="cause") for event in await harness.bench.said(AlertRaised)]
    assert causes == [
        f'Text message{says}: "I want to die"',
        f'Text message from a number that is no patient\'s{says}: "quiero morir"',
    ]


async def sent(harness: AssessmentsHarness, checkin: UUID, at: datetime) -> None:
    await harness.bench.tell(
        MessageSent(
            clinic=harness.bench.clinic,
            version=2,
            patient=harness.patient,
            message=new_id(),
            purpose="checkin",
            channel="sms",
            occurrence="day-7",
            about=checkin,
            to="+1•••0188",
            at=at,
        )
    )


async def test_a_wrong_number_heard_of_late_never_closes_a_link_that_went_to_the_right_one(
    harness: AssessmentsHarness,
) -> None:
    then = harness.bench.clock.now()
    await harness.bench.live_until(then + timedelta(hours=3))
    await harness.enrol(numbers=(NEW,))
    opened = await harness.ask("phq-9")
    await sent(harness, opened.checkin, harness.bench.clock.now())
    path = harness.path(opened)
    await harness.bench.tell(texted(harness, "wrong number", at=then, intent="wrong-number"))
    assert (await harness.bench.call("GET", path, token="")).status == 200


async def test_a_wrong_number_heard_of_late_closes_what_its_holder_had_been_sent(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    then = harness.bench.clock.now()
    await sent(harness, opened.checkin, then)
    await harness.bench.live_until(then + timedelta(hours=3))
    await harness.bench.tell(texted(harness, "wrong number", at=then + timedelta(seconds=30), intent="wrong-number"))
    assert (await harness.bench.call("GET", harness.path(opened), token="")).status == 404
