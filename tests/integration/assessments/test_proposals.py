from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.events import IntervalDecided, IntervalExpired, IntervalProposed
from shared.web.tokens import Scope
from tests.integration.assessments.harness import AssessmentsHarness, spread
from tests.support.bench import KEYRING


async def through_induction(harness: AssessmentsHarness, interval: int = 21) -> None:
    """A baseline of 20, six sessions, and maintenance from the last of them on."""
    await harness.phq9(20)
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.attend()
    await harness.plan_is(phase="maintenance", interval=interval, complete=True)


async def cycle(harness: AssessmentsHarness, totals: Sequence[int], days: int = 21) -> None:
    """A cycle of weekly PHQ-9s; it ends on the day of the next session."""
    began = harness.today
    for week, total in enumerate(totals, start=1):
        await harness.live_until(began + timedelta(days=7 * week))
        await harness.phq9(total)
    await harness.live_until(began + timedelta(days=days))


async def stable_at_21(harness: AssessmentsHarness) -> Any:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    await harness.attend()
    await cycle(harness, (4, 4, 4))
    return (await harness.proposals())[0]


async def decide(harness: AssessmentsHarness, proposal: Any, **body: Any) -> Any:
    return await harness.bench.call("POST", f"/proposals/{proposal['id']}/decision", body)


async def test_a_phq_9_in_induction_proposes_to_hold_and_says_why(harness: AssessmentsHarness) -> None:
    await harness.phq9(12)
    (proposal,) = await harness.proposals()
    assert (proposal["direction"], proposal["review"]) == ("hold", True)
    assert (proposal["from_days"], proposal["to_days"]) == (3, 3)
    assert proposal["reasons"][0]["code"] == "induction-not-complete"
    assert (proposal["rule"], proposal["rule_version"]) == ("interval-ladder-a", 2)
    assert proposal["state"] == "held"


async def test_two_stable_cycles_propose_the_next_rung_with_reasons_and_evidence(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    assert (proposal["direction"], proposal["from_days"], proposal["to_days"]) == ("lengthen", 21, 28)
    assert proposal["reasons"][0]["text"].startswith(
        "The last two PHQ-9 scores (4 and 4) are at 9 or below; this patient's best so far is 4."
    )
    assert [reading["total"] for reading in proposal["evidence"]] == [4, 4, 4]


async def test_high_late_scores_propose_the_shorter_rung(harness: AssessmentsHarness) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    await harness.attend()
    await cycle(harness, (4, 15, 16))
    proposal = (await harness.proposals())[0]
    assert (proposal["direction"], proposal["to_days"]) == ("shorten", 14)
    assert proposal["reasons"][0]["values"] == {"first": 15, "last": 16, "threshold": 10, "best": 4}


async def test_what_can_still_be_answered_does_not_count_as_missing(harness: AssessmentsHarness) -> None:
    await through_induction(harness)
    await harness.live_until(harness.today + timedelta(days=7))
    early = await harness.ask("phq-9")
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.ask("phq-9")
    await harness.phq9(4)
    first = (await harness.proposals())[0]
    assert "insufficient-data" not in {reason["code"] for reason in first["reasons"]}
    await harness.send(harness.path(early), "phq-9", spread(5))
    assert [one["total"] for one in (await harness.proposals())[0]["evidence"]] == [20, 5, 4]


async def test_an_open_alert_holds_for_review_until_it_is_closed(harness: AssessmentsHarness) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    await harness.attend()
    await cycle(harness, (4,), days=14)
    await harness.phq9(4, item_9=1)
    blocked = (await harness.proposals())[0]
    assert (blocked["direction"], blocked["review"]) == ("hold", True)
    assert blocked["reasons"][0]["code"] == "safety-alert-open"
    (alert,) = await harness.items("/alerts")
    await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(4)
    assert (await harness.proposals())[0]["direction"] == "hold"
    await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Spoke with the patient."})
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(4)
    assert (await harness.proposals())[0]["direction"] == "lengthen"


async def test_an_outside_change_holds_for_its_cycle(harness: AssessmentsHarness) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    await harness.attend()
    path = f"/patients/{harness.patient}/outside-changes"
    noted = await harness.bench.call("POST", path, {"kind": "medication", "happened_on": harness.today.isoformat()})
    assert noted.status == 201
    await cycle(harness, (4, 4, 4))
    # On the session's own day it still belongs to the cycle before: that one is over, and it no longer holds.
    assert (await harness.proposals())[0]["direction"] == "lengthen"
    tomorrow = harness.today + timedelta(days=1)
    assert (await harness.bench.call("POST", path, {"kind": "dose", "happened_on": tomorrow.isoformat()})).status == 422
    await harness.bench.call("POST", path, {"kind": "dose", "happened_on": harness.today.isoformat()})
    await harness.phq9(4)
    assert (await harness.proposals())[0]["reasons"][0]["code"] == "outside-change"


async def test_what_is_proposed_travels_sealed(harness: AssessmentsHarness) -> None:
    await harness.phq9(12)
    (event,) = await harness.bench.said(IntervalProposed)
    assert "induction" not in event.model_dump_json()
    assert "induction-not-complete" in KEYRING.open(event.detail, context="proposal")


async def test_each_phq_9_has_one_proposal_and_the_newest_supersedes_the_open_one(harness: AssessmentsHarness) -> None:
    await harness.phq9(12)
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(11)
    newest, older = await harness.proposals()
    assert (newest["state"], older["state"]) == ("held", "superseded")
    refused = await decide(harness, older, decision="approve")
    assert refused.status == 409
    assert "This proposal is superseded" in refused.json["detail"]


async def test_another_interval_of_the_plan_overtakes_an_open_proposal(harness: AssessmentsHarness) -> None:
    await harness.phq9(12)
    await harness.plan_is(phase="induction", interval=4)
    (proposal,) = await harness.proposals()
    assert proposal["state"] == "superseded"
    assert len(await harness.bench.said(IntervalExpired)) == 1
    await harness.plan_is(phase="induction", interval=4)


async def test_an_approved_proposal_is_told_with_the_interval_that_now_holds(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    answer = await decide(harness, proposal, decision="approve")
    assert (answer.status, answer.json["state"], answer.json["interval_days"]) == (200, "approved", 28)
    (event,) = await harness.bench.said(IntervalDecided)
    assert (event.decision, event.interval_days, event.by) == ("approve", 28, "test")
    assert f"proposal:{proposal['id']}" not in await harness.bench.pending()


async def test_a_change_needs_an_interval_and_a_reason(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    refused = await decide(harness, proposal, decision="change")
    assert refused.status == 422
    assert [flaw["pointer"] for flaw in refused.json["errors"]] == ["/interval_days", "/reason"]
    answer = await decide(harness, proposal, decision="change", interval_days=14, reason="Travel.")
    assert (answer.json["state"], answer.json["interval_days"], answer.json["reason"]) == ("changed", 14, "Travel.")


async def test_a_refusal_needs_a_reason_and_changes_nothing(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    assert (await decide(harness, proposal, decision="refuse")).status == 422
    answer = await decide(harness, proposal, decision="refuse", reason="Not now.")
    assert (answer.json["state"], answer.json["interval_days"]) == ("refused", None)
    (event,) = await harness.bench.said(IntervalDecided)
    assert event.interval_days is None
    assert "Not now" not in event.model_dump_json()


async def test_an_approval_cannot_name_another_interval(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    answer = await decide(harness, proposal, decision="approve", interval_days=9)
    assert answer.json["errors"][0]["pointer"] == "/interval_days"


async def test_a_proposal_is_decided_once_and_a_repeated_key_answers_as_before(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    path, body = f"/proposals/{proposal['id']}/decision", {"decision": "approve"}
    first = await harness.bench.call("POST", path, body, headers={"Idempotency-Key": "one"})
    again = await harness.bench.call("POST", path, body, headers={"Idempotency-Key": "one"})
    assert (first.status, again.text) == (200, first.text)
    assert (await harness.bench.call("POST", path, body)).status == 409
    assert len(await harness.bench.said(IntervalDecided)) == 1


async def test_a_proposal_that_nobody_decides_expires(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    fired = await harness.bench.live_until(harness.bench.clock.now() + timedelta(days=14))
    assert IntervalExpired in {type(event) for event in fired}
    expired = (await harness.proposals())[0]
    assert (expired["id"], expired["state"]) == (proposal["id"], "expired")
    assert (await decide(harness, proposal, decision="approve")).status == 409


async def test_a_decided_proposal_does_not_expire(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    await decide(harness, proposal, decision="approve")
    await harness.bench.live_until(harness.bench.clock.now() + timedelta(days=15))
    assert (await harness.proposals())[0]["state"] == "approved"


async def test_a_failed_extension_is_remembered(harness: AssessmentsHarness) -> None:
    await through_induction(harness, interval=28)
    await cycle(harness, (4, 4, 4, 4), days=28)
    await harness.attend()
    await cycle(harness, (4, 4, 15, 15), days=28)
    proposal = (await harness.proposals())[0]
    assert (proposal["direction"], proposal["to_days"]) == ("shorten", 21)
    await decide(harness, proposal, decision="approve")
    await harness.plan_is(phase="maintenance", interval=21, complete=True)
    for _ in range(2):
        await harness.attend()
        await cycle(harness, (4, 4, 4))
    blocked = (await harness.proposals())[0]
    assert blocked["direction"] == "hold"
    assert blocked["reasons"][0]["code"] == "rung-blocked"


async def test_only_a_token_that_may_decide_decides(harness: AssessmentsHarness) -> None:
    await harness.phq9(12)
    (proposal,) = await harness.proposals()
    writer = harness.bench.token(scopes=frozenset({Scope.READ, Scope.WRITE}))
    path = f"/proposals/{proposal['id']}/decision"
    assert (await harness.bench.call("POST", path, {"decision": "approve"}, token=writer)).status == 403
    stranger = harness.bench.token(clinic=uuid4())  # type: ignore[arg-type]
    assert (await harness.bench.call("POST", path, {"decision": "approve"}, token=stranger)).status == 404


@pytest.mark.parametrize("days", [0, 366])
async def test_an_interval_outside_a_year_is_refused(harness: AssessmentsHarness, days: int) -> None:
    await harness.phq9(12)
    (proposal,) = await harness.proposals()
    answer = await decide(harness, proposal, decision="change", interval_days=days, reason="Travel.")
    assert answer.json["errors"][0]["pointer"] == "/interval_days"


async def test_a_post_session_check_proposes_nothing(harness: AssessmentsHarness) -> None:
    checkin = await harness.bench.call(
        "POST", "/checkins", {"patient": str(harness.patient), "instruments": ["post-session"]}
    )
    body = {"instrument": "post-session", "answers": [5] + [0] * 10, "entered_by": "Nurse"}
    answer = await harness.bench.call("POST", f"/checkins/{checkin.json['id']}/answers", body)
    assert answer.status == 200
    assert await harness.proposals() == []
