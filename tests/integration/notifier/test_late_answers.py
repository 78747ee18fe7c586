"""An answer that comes after its attempt was taken over: it speaks of that attempt alone."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.notifier.commands.call_outcomes import Call, store_call_outcomes
from services.notifier.model.call_outcomes import CallOutcome, Later, Refused, Unknown
from services.notifier.model.purposes import Channel
from services.notifier.model.settling import Patience
from services.notifier.tables import ATTEMPTS, MESSAGES
from tests.integration.notifier.harness import NotifierHarness, contact_of
from tests.support.bench import running

PHONE = "+15550101234"


async def taken_over(harness: NotifierHarness) -> Call:
    """Lose an answer; return the call as its sender, thought dead, will know it later."""
    async with running(harness.bench.service):
        harness.fake_provider.script.append("lose")
        patient = await harness.enrol(contact_of("sms", PHONE))
        await harness.due(await harness.book(patient))
        await harness.in_state("unknown")
    async with harness.bench.database.reading() as reader:
        attempt = await reader.one(select(ATTEMPTS))
    return Call(attempt.message, attempt.id, Channel.SMS, Unknown("none yet"))


async def answer(harness: NotifierHarness, call: Call, outcome: CallOutcome) -> str:
    """Store an answer and return where the message stands."""
    async with harness.bench.database.transaction() as tx:
        late = Call(call.message, call.attempt, call.channel, outcome)
        await store_call_outcomes(tx, [late], Patience())
        row = await tx.one(select(MESSAGES.c.state).where(MESSAGES.c.id == call.message))
    return str(row.state)


async def test_a_text_that_was_not_taken_is_sent_again_though_its_sender_was_thought_dead(
    resting: NotifierHarness,
) -> None:
    call = await taken_over(resting)
    assert await answer(resting, call, Later(timedelta(seconds=5), "20429")) == "planned"


@pytest.mark.parametrize("outcome", [Later(timedelta(seconds=5), "20429"), Refused("21211"), Unknown("TimeoutError")])
async def test_the_answer_to_a_settled_attempt_says_nothing_of_the_next_one(
    resting: NotifierHarness, outcome: CallOutcome
) -> None:
    call = await taken_over(resting)
    async with resting.bench.database.transaction() as tx:
        await tx.execute(update(ATTEMPTS).values(state="nothing", look_at=None))
        # The look-ups found nothing, and another sender is calling.
        await tx.execute(update(MESSAGES).values(state="sending"))
    assert await answer(resting, call, outcome) == "sending"
