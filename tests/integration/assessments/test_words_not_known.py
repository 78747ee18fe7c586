"""Words of a later version are kept, and what is known is done all the same."""

from uuid import uuid4

import pytest

from shared.events import CheckinOpened, MessageSent, ReplyReceived
from tests.integration.assessments.ward import Ward
from tests.support.bench import KEYRING


async def test_a_known_instrument_is_asked_beside_one_that_is_not_known_here(ward: Ward) -> None:
    opened = await ward.ask("xyz-2", "phq-9")
    assert opened.instruments == ("phq-9",)


async def test_an_instrument_not_known_here_keeps_no_later_question_from_the_patient(ward: Ward) -> None:
    await ward.due("xyz-2")
    assert await ward.bench.said(CheckinOpened) == []
    assert (await ward.ask("phq-9", occurrence="day-14")).instruments == ("phq-9",)


@pytest.mark.parametrize(("purpose", "channel"), [("travel-advice", "sms"), ("page", "pager"), ("checkin", "letter")])
async def test_a_message_of_words_not_known_here_is_taken(ward: Ward, purpose: str, channel: str) -> None:
    opened = await ward.ask("phq-9")
    words = {"purpose": purpose, "channel": channel, "occurrence": "x-1", "to": "somewhere", "reason": None}
    await ward.bench.tell(
        MessageSent(
            clinic=ward.bench.clinic,
            version=1,
            patient=ward.patient,
            message=uuid4(),
            about=opened.checkin,
            at=ward.bench.clock.now(),
            **words,
        )
    )
    (checkin,) = await ward.items(f"/patients/{ward.patient}/checkins")
    assert checkin["state"] == "open"


async def test_words_of_crisis_are_heard_whatever_the_intent_is_called(ward: Ward) -> None:
    await ward.bench.tell(
        ReplyReceived(
            clinic=ward.bench.clinic,
            version=1,
            patient=ward.patient,
            reply=uuid4(),
            intent="asks-for-a-call",
            session=None,
            session_version=None,
            text=KEYRING.seal("I want to kill myself", context="reply"),
            at=ward.bench.clock.now(),
        )
    )
    assert len(await ward.items("/alerts")) == 1


async def test_a_plan_of_a_phase_not_known_here_proposes_no_interval(ward: Ward) -> None:
    await ward.plan_is(phase="consolidation", interval=7, complete=True)
    await ward.phq9(4)
    (held,) = await ward.proposals()
    assert held["review"] is True
