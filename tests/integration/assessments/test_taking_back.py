"""A clinician's wrong click on an interval is not final: the decision counts no more, and both states stay."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.assessments.tables import proposals
from shared.events import IntervalTakenBack, PlanChanged
from shared.web.tokens import Scope
from tests.integration.assessments.harness import AssessmentsHarness
from tests.integration.assessments.test_decisions import an_alert
from tests.integration.assessments.test_proposals import cycle, decide, stable_at_21
from tests.integration.assessments.test_retelling import retold
from tests.support.bench import KEYRING

WHY = "Approved for the wrong patient."


async def take_back(harness: AssessmentsHarness, proposal: Any, reason: str = WHY, **more: Any) -> Any:
    return await harness.bench.call("POST", f"/proposals/{proposal['id']}/take-back", {"reason": reason}, **more)


async def approved(harness: AssessmentsHarness) -> Any:
    """A proposal from 21 to 28 days that was approved, and the plan that followed."""
    proposal = await stable_at_21(harness)
    assert (await decide(harness, proposal, decision="approve")).status == 200
    await harness.plan_is(phase="maintenance", interval=28, complete=True)
    return proposal


async def plan_returns(harness: AssessmentsHarness, proposal: Any, interval: int = 21) -> None:
    """Tell that the plan has its interval back, as the scheduler does."""
    await harness.plan_is(phase="maintenance", interval=interval, complete=True, taken_back=proposal["id"])


async def test_a_decision_by_a_wrong_click_is_never_final(harness: AssessmentsHarness) -> None:
    proposal = await approved(harness)
    answer = await take_back(harness, proposal)
    assert (answer.status, answer.json["state"]) == (200, "taken-back")
    assert (answer.json["decision"], answer.json["interval_days"], answer.json["decided_by"]) == ("approve", 28, "test")
    assert (answer.json["taken_back"]["by"], answer.json["taken_back"]["reason"]) == ("test", WHY)
    (event,) = await harness.bench.said(IntervalTakenBack)
    assert (event.decision, event.interval_days, event.decided_by, event.by) == ("approve", 28, "test", "test")
    assert WHY not in event.model_dump_json(), "the reason travels sealed"
    assert KEYRING.open(event.reason, context="decision-taken-back") == WHY
    async with harness.bench.database.reading() as reader:
        rows = await reader.all(proposals.select())
    assert not [row for row in rows if WHY in str(row)], "sealed at rest too"


async def test_the_same_evidence_may_be_decided_again_once_the_plan_has_its_interval_back(
    harness: AssessmentsHarness,
) -> None:
    proposal = await approved(harness)
    await take_back(harness, proposal)
    assert (await harness.proposals())[0]["state"] == "taken-back"
    await plan_returns(harness, proposal)
    again, before = (await harness.proposals())[:2]
    assert (before["id"], before["state"]) == (proposal["id"], "taken-back")
    assert (again["state"], again["from_days"], again["to_days"]) == ("open", 21, 28)
    assert again["evidence"] == proposal["evidence"]
    assert (await decide(harness, again, decision="refuse", reason="Not now.")).status == 200


async def test_the_word_of_the_decision_itself_arriving_late_puts_no_wrong_proposal(
    harness: AssessmentsHarness,
) -> None:
    proposal = await stable_at_21(harness)
    await decide(harness, proposal, decision="approve")
    await take_back(harness, proposal)
    await harness.plan_is(phase="maintenance", interval=28, complete=True)
    await plan_returns(harness, proposal)
    waiting = [one for one in await harness.proposals() if one["state"] == "open"]
    assert [(one["from_days"], one["to_days"]) for one in waiting] == [(21, 28)]


async def test_a_decision_under_which_a_session_took_place_stands_and_the_remedy_is_named(
    harness: AssessmentsHarness,
) -> None:
    proposal = await approved(harness)
    await harness.attend()
    await harness.live_until(harness.today + timedelta(days=28))
    await harness.attend()
    answer = await take_back(harness, proposal)
    assert answer.status == 409
    assert "A session was attended under 28 days since" in answer.json["detail"]
    assert "Set another interval instead" in answer.json["detail"]
    assert await harness.bench.said(IntervalTakenBack) == []


async def test_the_session_of_the_very_day_keeps_nobody_from_undoing_a_wrong_click(harness: AssessmentsHarness) -> None:
    proposal = await approved(harness)
    await harness.attend()
    assert (await take_back(harness, proposal)).status == 200


async def test_a_decision_that_a_later_one_replaced_is_not_taken_back_beneath_it(harness: AssessmentsHarness) -> None:
    first = await approved(harness)
    await cycle(harness, (4, 4), days=14)
    later = (await harness.proposals())[0]
    assert (await decide(harness, later, decision="change", interval_days=21, reason="Travel.")).status == 200
    answer = await take_back(harness, first)
    assert answer.status == 409
    assert "A later decision has replaced this one: 21 days, by test on" in answer.json["detail"]
    assert "set another interval" in answer.json["detail"]
    assert (await take_back(harness, later)).status == 200
    assert (await take_back(harness, first)).status == 200


@pytest.mark.parametrize("state", ["open", "held", "superseded", "taken-back"])
async def test_what_was_not_decided_is_not_taken_back(harness: AssessmentsHarness, state: str) -> None:
    proposal = await stable_at_21(harness)
    if state == "held":
        await harness.plan_is(phase="maintenance", interval=84, complete=True)
        await harness.live_until(harness.today + timedelta(days=1))
        await harness.phq9(4)
        proposal = (await harness.proposals())[0]
    if state == "superseded":
        await harness.plan_is(phase="maintenance", interval=14, complete=True)
    if state == "taken-back":
        await decide(harness, proposal, decision="approve")
        assert (await take_back(harness, proposal)).status == 200
    answer = await take_back(harness, proposal)
    assert (answer.status, answer.json["detail"]) == (409, f"This proposal is {state} and cannot become taken-back.")


async def test_no_interval_moves_back_while_a_safety_alert_is_open(harness: AssessmentsHarness) -> None:
    proposal = await approved(harness)
    await an_alert(harness)
    answer = await take_back(harness, proposal)
    assert (answer.status, "safety alert" in answer.json["detail"]) == (409, True)


async def test_a_refusal_taken_back_is_asked_again_at_once(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    await decide(harness, proposal, decision="refuse", reason="The wrong row.")
    assert (await take_back(harness, proposal)).status == 200
    again = (await harness.proposals())[0]
    assert (again["state"], again["to_days"], again["id"] != proposal["id"]) == ("open", 28, True)


async def test_a_change_taken_back_is_no_change_for_the_rule(harness: AssessmentsHarness) -> None:
    """A decided shortening is a failed extension; one that was taken back is none."""
    proposal = await stable_at_21(harness)
    await decide(harness, proposal, decision="change", interval_days=14, reason="The wrong row.")
    await harness.plan_is(phase="maintenance", interval=14, complete=True)
    await take_back(harness, proposal)
    await plan_returns(harness, proposal)
    again = (await harness.proposals())[0]
    assert (again["state"], again["direction"], again["to_days"]) == ("open", "lengthen", 28)


@pytest.mark.parametrize("nothing", ["", " ", ".", "..."])
async def test_a_decision_is_not_taken_back_without_a_reason(harness: AssessmentsHarness, nothing: str) -> None:
    proposal = await approved(harness)
    answer = await take_back(harness, proposal, nothing)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/reason")


async def test_only_a_token_that_may_decide_takes_back_and_of_its_own_clinic(harness: AssessmentsHarness) -> None:
    proposal = await approved(harness)
    writer = harness.bench.token(scopes=frozenset({Scope.READ, Scope.WRITE}))
    assert (await take_back(harness, proposal, token=writer)).status == 403
    stranger = harness.bench.token(clinic=uuid4())  # type: ignore[arg-type]
    assert (await take_back(harness, proposal, token=stranger)).status == 404
    old = {"If-Match": f'"{proposal["version"]}"'}
    assert (await take_back(harness, proposal, headers=old)).status == 412


async def test_a_repeated_key_takes_back_once(harness: AssessmentsHarness) -> None:
    proposal = await approved(harness)
    key = {"Idempotency-Key": "once-and-no-more"}
    first, again = [await take_back(harness, proposal, headers=key) for _ in range(2)]
    assert (first.status, again.json) == (200, first.json)
    assert len(await harness.bench.said(IntervalTakenBack)) == 1


async def test_a_decision_taken_back_is_never_told_again_as_one_that_holds(harness: AssessmentsHarness) -> None:
    proposal = await approved(harness)
    await take_back(harness, proposal)
    told = [event for event in await retold(harness) if str(getattr(event, "proposal", "")) == proposal["id"]]
    assert [event.TYPE for event in told] == ["interval.proposed", "interval.taken-back"]


async def test_the_decision_of_an_ended_plan_stays_as_it_is(harness: AssessmentsHarness) -> None:
    proposal = await approved(harness)
    await harness.plan_is(phase="maintenance", interval=28, complete=True, active=False)
    answer = await take_back(harness, proposal)
    assert (answer.status, "The plan of this decision has ended" in answer.json["detail"]) == (409, True)


def test_a_plan_of_before_says_nothing_of_what_was_taken_back() -> None:
    assert PlanChanged.model_fields["taken_back"].default is None
