"""Words of a later version are kept, and what is known is done all the same."""

from uuid import uuid4

import pytest

from shared.events import CheckinOpened, MessageSent, ReplyReceived
from tests.integration.assessments.harness import AssessmentsHarness
from tests.support.bench import KEYRING


async def test_a_known_instrument_is_asked_beside_one_that_is_not_known_here(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("xyz-2", "phq-9")
    assert opened.instruments == ("phq-9",)


async def test_an_instrument_not_known_here_keeps_no_later_question_from_the_patient(
    harness: AssessmentsHarness,
) -> None:
    await harness.due("xyz-2")
    assert await harness.bench.said(CheckinOpened) == []
    assert (await harness.ask("phq-9", occurrence="day-14")).instruments == ("phq-9",)


@pytest.mark.parametrize(("purpose", "channel"), [("travel-advice", "sms"), ("page", "pager"), ("checkin", "letter")])
async def test_a_message_of_words_not_known_here_is_taken(
    harness: AssessmentsHarness, purpose: str, channel: str
) -> None:
    opened = await harness.ask("phq-9")
    words = {"purpose": purpose, "channel": channel, "occurrence": "x-1", "to": "somewhere", "reason": None}
    await harness.bench.tell(
        MessageSent(
            clinic=harness.bench.clinic,
            version=1,
            patient=harness.patient,
            message=uuid4(),
            about=opened.checkin,
            at=harness.bench.clock.now(),
            **words,
        )
    )
    (checkin,) = await harness.items(f"/patients/{harness.patient}/checkins")
    assert checkin["state"] == "open"


async def test_words_of_crisis_are_heard_whatever_the_intent_is_called(harness: AssessmentsHarness) -> None:
    await harness.bench.tell(
        ReplyReceived(
            clinic=harness.bench.clinic,
            version=1,
            patient=harness.patient,
            reply=uuid4(),
            intent="asks-for-a-call",
            session=None,
            session_version=None,
            text=KEYRING.seal("I want to kill myself", context="reply"),
            at=harness.bench.clock.now(),
        )
    )
    assert len(await harness.items("/alerts")) == 1


async def test_a_plan_of_a_phase_not_known_here_proposes_no_interval(harness: AssessmentsHarness) -> None:
    await harness.plan_is(phase="consolidation", interval=7, complete=True)
    await harness.phq9(4)
    (held,) = await harness.proposals()
    assert held["review"] is True
