"""What may be decided about an interval, and what stands in the way."""

from datetime import timedelta
from typing import Any

import pytest

from services.assessments.commands import proposals as commands
from services.assessments.dependencies import Dependencies
from services.assessments.packs import Packs
from services.assessments.service import build
from services.assessments.store import read_models
from shared.events import IntervalDecided, IntervalProposed
from shared.settings import Settings
from tests.integration.assessments.harness import AssessmentsHarness
from tests.integration.assessments.test_proposals import cycle, decide, stable_at_21, through_induction
from tests.support.bench import KEYRING, bench_of

WAYS: list[dict[str, Any]] = [
    {"decision": "approve"},
    {"decision": "change", "interval_days": 84, "reason": "Doing well."},
    {"decision": "change", "interval_days": 21, "reason": "Keep it."},
    {"decision": "refuse", "reason": "Not now."},
    {"decision": "change", "interval_days": 84, "reason": "Doing well.", "override_reason": "I say so."},
]
"""Every way to decide; none gives way to an alert, not even with a reason."""


async def an_alert(harness: AssessmentsHarness) -> Any:
    """An alert after the proposal was put: by a later check-in of which only item 9 was answered."""
    opened = await harness.ask("phq-9", occurrence="day-9")
    await harness.send(harness.path(opened), "phq-9", {"9": 1})
    (alert,) = await harness.items("/alerts")
    return alert


@pytest.mark.parametrize("acknowledged", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=["approve", "longer", "keep", "refuse", "overridden"])
async def test_no_interval_is_decided_while_a_safety_alert_is_open(
    harness: AssessmentsHarness, way: dict[str, Any], *, acknowledged: bool
) -> None:
    proposal = await stable_at_21(harness)
    alert = await an_alert(harness)
    if acknowledged:
        await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    answer = await decide(harness, proposal, **way)
    assert answer.status == 409
    assert answer.json["detail"].startswith("A safety alert of this patient is not closed: elevated, raised on ")
    assert "must be closed first, with what was done" in answer.json["detail"]
    assert await harness.bench.said(IntervalDecided) == []
    await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called, safe at home."})
    assert (await decide(harness, proposal, decision="approve")).status == 200


async def test_a_hold_under_an_open_alert_is_neither_kept_nor_lengthened(harness: AssessmentsHarness) -> None:
    await harness.phq9(18, item_9=1)
    (held,) = await harness.proposals()
    assert (held["direction"], held["reasons"][0]["code"]) == ("hold", "safety-alert-open")
    for way in ({"decision": "approve"}, {"decision": "change", "interval_days": 84, "reason": "Doing well."}):
        answer = await decide(harness, held, **way)
        assert (answer.status, "safety alert" in answer.json["detail"]) == (409, True)


async def test_a_hold_that_an_alert_caused_ends_with_the_alert(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(4, item_9=1)
    held, before = (await harness.proposals())[:2]
    assert (before["id"], before["state"]) == (proposal["id"], "superseded")
    assert held["reasons"][0]["code"] == "safety-alert-open"
    (alert,) = await harness.items("/alerts")
    await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called, safe at home."})
    now = (await harness.proposals())[0]
    assert "safety-alert-open" not in {reason["code"] for reason in now["reasons"]}
    assert (now["state"], now["direction"]) == ("open", "lengthen")


async def test_several_open_alerts_are_all_counted(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=1)
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(9, item_9=3)
    answer = await decide(harness, (await harness.proposals())[0], decision="change", interval_days=7, reason="Sooner.")
    assert answer.status == 409
    assert "and 1 more, must be closed" in answer.json["detail"]


async def test_an_interval_is_not_set_in_induction_without_a_visible_reason(harness: AssessmentsHarness) -> None:
    await harness.phq9(18)
    (held,) = await harness.proposals()
    wanted = {"decision": "change", "interval_days": 7, "reason": "She lives far away."}
    refused = await decide(harness, held, **wanted)
    assert refused.status == 422
    (flaw,) = refused.json["errors"]
    assert flaw["pointer"] == "/override_reason"
    assert flaw["detail"].startswith("Induction is not complete")
    taken = await decide(harness, held, **wanted, override_reason="Agreed with Dr. Cho.")
    assert (taken.status, taken.json["interval_days"]) == (200, 7)
    assert taken.json["override_reason"] == "Agreed with Dr. Cho."
    assert taken.json["overruled"][0].startswith("Induction is not complete")
    (event,) = await harness.bench.said(IntervalDecided)
    clear = event.model_dump_json()
    assert "Dr. Cho" not in clear
    assert "far away" not in clear
    assert event.overruled is not None
    assert "Agreed with Dr. Cho." in KEYRING.open(event.overruled, context="decision-overruled")


async def test_twelve_weeks_are_not_set_without_a_response_on_record(harness: AssessmentsHarness) -> None:
    await harness.phq9(18)
    await harness.attend()
    await harness.plan_is(phase="maintenance", interval=28, complete=True)
    await cycle(harness, (18, 17))
    answer = await decide(
        harness, (await harness.proposals())[0], decision="change", interval_days=84, reason="She asked for it."
    )
    assert answer.status == 422
    told = answer.json["errors"][0]["detail"]
    assert "No response is on record: the first PHQ-9 was 18" in told
    assert "From 28 to 84 days is more than one step" in told
    assert "84 days is above 28" in told


@pytest.mark.parametrize(("days", "free"), [(14, True), (21, True), (28, True), (20, True), (7, False), (42, False)])
async def test_more_than_one_step_is_not_taken_without_a_reason(
    harness: AssessmentsHarness, days: int, *, free: bool
) -> None:
    proposal = await stable_at_21(harness)
    answer = await decide(harness, proposal, decision="change", interval_days=days, reason="As agreed.")
    assert (answer.status == 200) is free
    if not free:
        assert "more than one step" in answer.json["errors"][0]["detail"]


@pytest.mark.parametrize("nothing", ["", " ", ".", "..."])
async def test_a_reason_that_says_nothing_is_none(harness: AssessmentsHarness, nothing: str) -> None:
    proposal = await stable_at_21(harness)
    answer = await decide(
        harness, proposal, decision="change", interval_days=84, reason="As agreed.", override_reason=nothing
    )
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/override_reason"
    assert (await decide(harness, proposal, decision="refuse", reason=nothing)).status == 422


async def test_a_hold_waits_for_no_decision(harness: AssessmentsHarness) -> None:
    await harness.phq9(12)
    (held,) = await harness.proposals()
    (event,) = await harness.bench.said(IntervalProposed)
    assert (held["state"], event.needs_decision) == ("held", False)
    assert f"proposal:{held['id']}" not in await harness.bench.pending()
    for decision in ("approve", "refuse"):
        answer = await decide(harness, held, decision=decision, reason="Fine.")
        assert answer.status == 409
        assert "stays at 3 days without a decision" in answer.json["detail"]
    await harness.bench.live_until(harness.bench.clock.now() + timedelta(days=30))
    assert (await harness.proposals())[0]["state"] == "held"


async def reconsidered(harness: AssessmentsHarness) -> Any:
    async with harness.bench.database.transaction() as tx:
        patient = await read_models.lock_patient(tx, harness.patient)
        assert patient is not None
        return await commands.reconsider(tx, _deps(harness), patient)


def _deps(harness: AssessmentsHarness) -> Dependencies:
    context = harness.bench.context
    return Dependencies(context.keyring, Packs.load(), context.settings.assessments, context.public_url, trial=True)


async def test_what_was_refused_is_not_proposed_again_on_the_same_readings(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    await decide(harness, proposal, decision="refuse", reason="She prefers to come as now.")
    assert await reconsidered(harness) is None
    assert (await harness.proposals())[0]["id"] == proposal["id"]
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(4)
    assert (await harness.proposals())[0]["id"] != proposal["id"]


async def test_a_proposal_stays_where_the_rule_says_the_same_as_before(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    again = await reconsidered(harness)
    assert str(again.id) == proposal["id"]
    assert (await harness.proposals())[0]["state"] == "open"


async def test_a_proposal_built_on_a_session_that_was_none_is_superseded(harness: AssessmentsHarness) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    wrong = await harness.attend()
    await cycle(harness, (4, 4, 4))
    proposal = (await harness.proposals())[0]
    assert proposal["direction"] == "lengthen"
    async with harness.bench.database.transaction() as tx:
        await tx.fetch("DELETE FROM sessions WHERE id = $1", wrong)
    await reconsidered(harness)
    newest, before = (await harness.proposals())[:2]
    assert (before["id"], before["state"]) == (proposal["id"], "superseded")
    assert (newest["direction"], newest["reasons"][0]["code"]) == ("hold", "first-cycle")


async def test_nothing_is_proposed_unsigned_in_a_clinic_that_is_no_trial(harness: AssessmentsHarness) -> None:
    real = Settings(smtp_host="mail.clinic.example", smtp_from="clinic@clinic.example")
    async with bench_of(build, harness.bench.database, harness.bench.clock, settings=real) as bench:
        clinic = AssessmentsHarness(bench)
        await clinic.open()
        await clinic.phq9(12)
        assert await clinic.proposals() == []
        (rule,) = [one for one in await clinic.items("/rules") if one["id"] == "interval-ladder-a"]
        assert (rule["rule_version"], rule["runs"], rule["signed_by"]) == (2, False, None)
        assert (await bench.call("POST", "/rules/interval-ladder-a/sign", {})).status == 200
        await clinic.phq9(12)
        assert len(await clinic.proposals()) == 1


async def test_a_signature_under_the_version_before_does_not_count(harness: AssessmentsHarness) -> None:
    async with bench_of(build, harness.bench.database, harness.bench.clock, settings=Settings()) as bench:
        clinic = AssessmentsHarness(bench)
        await clinic.open()
        async with bench.database.transaction() as tx:
            await tx.fetch(
                "INSERT INTO signatures (clinic, rule, rule_version, signed_by, signed_at)"
                " VALUES ($1, 'interval-ladder-a', 1, 'Dr. Alma Reid', $2)",
                bench.clinic,
                bench.clock.now(),
            )
        (rule,) = [one for one in await clinic.items("/rules") if one["id"] == "interval-ladder-a"]
        assert (rule["runs"], rule["signed_by"], rule["signed_version"]) == (False, None, 1)
        await clinic.phq9(12)
        assert await clinic.proposals() == []
