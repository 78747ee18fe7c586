"""A clinic withdraws its signature under a rule: the rule is off until it is signed again, and both stay on record."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.assessments.history import HISTORY
from services.assessments.service import build
from services.assessments.tables import withdrawn_signatures
from shared.clock import SteppedClock
from shared.events import IntervalDecided
from shared.settings import Settings
from shared.web.tokens import Scope
from tests.integration.assessments.harness import AssessmentsHarness
from tests.integration.assessments.test_proposals import cycle, decide, stable_at_21, through_induction
from tests.support.bench import bench_of
from tests.support.databases import Databases

RULE = "interval-ladder-a"
BEYOND = "interval-beyond-28-days"
WHY = "Signed for another clinic."


@pytest.fixture
async def clinic(databases: Databases, clock: SteppedClock) -> AsyncIterator[AssessmentsHarness]:
    """A clinic in earnest: no rule is signed for trial."""
    database = await databases.fresh(HISTORY, clock)
    async with bench_of(build, database, clock, settings=Settings(trial=False)) as bench:
        harness = AssessmentsHarness(bench)
        await harness.open()
        yield harness
    await database.close()


async def sign(harness: AssessmentsHarness, rule: str = RULE) -> Any:
    answer = await harness.bench.call("POST", f"/rules/{rule}/sign", {"note": "By the board."})
    assert answer.status == 200, answer.text
    return answer.json


async def withdraw(harness: AssessmentsHarness, rule: str = RULE, reason: str = WHY, **more: Any) -> Any:
    return await harness.bench.call("POST", f"/rules/{rule}/withdraw", {"reason": reason}, **more)


async def test_a_signature_by_mistake_is_never_final(clinic: AssessmentsHarness) -> None:
    await sign(clinic)
    answer = await withdraw(clinic)
    assert (answer.status, answer.json["runs"], answer.json["signed_by"]) == (200, False, None)
    (once,) = answer.json["withdrawn"]
    assert (once["signed_by"], once["withdrawn_by"], once["reason"]) == ("test", "test", WHY)
    async with clinic.bench.database.reading() as reader:
        (row,) = await reader.all(select(withdrawn_signatures))
    assert (row.note, WHY in row.reason) == ("By the board.", False)


async def test_a_rule_whose_signature_was_withdrawn_proposes_nothing_until_it_is_signed_again(
    clinic: AssessmentsHarness,
) -> None:
    await sign(clinic)
    await withdraw(clinic)
    await clinic.phq9(12)
    assert await clinic.proposals() == []
    signed = await sign(clinic)
    assert (signed["runs"], len(signed["withdrawn"])) == (True, 1)
    await clinic.live_until(clinic.today + timedelta(days=1))
    await clinic.phq9(12)
    assert len(await clinic.proposals()) == 1


async def test_what_a_rule_proposed_is_not_approved_once_its_signature_is_withdrawn(clinic: AssessmentsHarness) -> None:
    await sign(clinic)
    proposal = await stable_at_21(clinic)
    await withdraw(clinic)
    answer = await decide(clinic, proposal, decision="approve")
    assert answer.status == 409
    assert answer.json["detail"].startswith("PHQ-9 interval rule: this clinic's signature does not hold")
    assert "Sign the rule again under Rules, or refuse this" in answer.json["detail"]
    assert await clinic.bench.said(IntervalDecided) == []
    await sign(clinic)
    assert (await decide(clinic, proposal, decision="approve")).status == 200


@pytest.mark.parametrize(
    "way",
    [{"decision": "refuse", "reason": "Not signed."}, {"decision": "change", "interval_days": 14, "reason": "My own."}],
    ids=["refuse", "change"],
)
async def test_a_clinicians_own_decision_needs_no_signature(clinic: AssessmentsHarness, way: dict[str, Any]) -> None:
    await sign(clinic)
    proposal = await stable_at_21(clinic)
    await withdraw(clinic)
    assert (await decide(clinic, proposal, **way)).status == 200


async def test_more_than_28_days_are_not_approved_once_the_clinic_has_withdrawn_its_word(
    clinic: AssessmentsHarness,
) -> None:
    await sign(clinic)
    await sign(clinic, BEYOND)
    await through_induction(clinic, interval=28)
    await cycle(clinic, (4, 4, 4, 4), days=28)
    await clinic.attend()
    await cycle(clinic, (4, 4, 4, 4), days=28)
    proposal = (await clinic.proposals())[0]
    assert (proposal["state"], proposal["to_days"]) == ("open", 42)
    await withdraw(clinic, BEYOND)
    held, before = (await clinic.proposals())[:2]
    assert (before["id"], before["state"]) == (proposal["id"], "superseded")
    assert (held["state"], held["to_days"]) == ("held", 28)
    answer = await decide(clinic, proposal, decision="approve", override_reason="I say so.")
    assert (answer.status, "is superseded" in answer.json["detail"]) == (409, True)


async def test_what_was_proposed_before_a_worse_answer_is_not_approved_when_the_rule_is_signed_again(
    clinic: AssessmentsHarness,
) -> None:
    await sign(clinic)
    proposal = await stable_at_21(clinic)
    await withdraw(clinic)
    await clinic.live_until(clinic.today + timedelta(days=1))
    await clinic.phq9(19)
    await sign(clinic)
    assert (await decide(clinic, proposal, decision="approve")).status == 409


async def test_what_was_decided_stays_decided(clinic: AssessmentsHarness) -> None:
    await sign(clinic)
    proposal = await stable_at_21(clinic)
    await decide(clinic, proposal, decision="approve")
    await withdraw(clinic)
    assert (await clinic.proposals())[0]["state"] == "approved"


async def test_a_rule_signed_for_trial_is_off_once_that_is_withdrawn(harness: AssessmentsHarness) -> None:
    answer = await withdraw(harness)
    assert (answer.status, answer.json["runs"], answer.json["withdrawn"][0]["signed_by"]) == (200, False, "for trial")
    await harness.phq9(12)
    assert await harness.proposals() == []
    assert (await sign(harness))["runs"] is True


async def test_what_is_not_signed_is_not_withdrawn(clinic: AssessmentsHarness) -> None:
    unsigned = await withdraw(clinic)
    assert (unsigned.status, "there is nothing to withdraw" in unsigned.json["detail"]) == (409, True)
    assert (await withdraw(clinic, "phq-9-bands")).status == 409
    assert (await withdraw(clinic, "no-such-rule")).status == 404


@pytest.mark.parametrize("nothing", ["", " ", ".", "..."])
async def test_a_signature_is_not_withdrawn_without_a_reason(clinic: AssessmentsHarness, nothing: str) -> None:
    await sign(clinic)
    answer = await withdraw(clinic, reason=nothing)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/reason")


async def test_only_who_may_decide_withdraws_and_at_one_clinic_alone(clinic: AssessmentsHarness) -> None:
    await sign(clinic)
    writer = clinic.bench.token(scopes=frozenset({Scope.READ, Scope.WRITE}))
    assert (await withdraw(clinic, token=writer)).status == 403
    stranger = clinic.bench.token(clinic=uuid4())  # type: ignore[arg-type]
    assert (await withdraw(clinic, token=stranger)).status == 409
    listed = {one["id"]: one for one in await clinic.items("/rules")}
    assert (listed[RULE]["runs"], listed[RULE]["withdrawn"]) == (True, [])
