"""What a decision, an outcome or a discharge does to the plan is shown as soon as it is done, or said to follow."""

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.clinic import own_writes
from services.clinic.pages import followed
from shared import events
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.support.bench import Answer, eventually

FOLLOWS = "follows in a moment"


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait long for what does not come here."""
    monkeypatch.setattr(followed, "PATIENCE", 0.3)
    monkeypatch.setattr(own_writes, "PATIENCE", 0.1)


def a_plan(sample: SampleEvents, version: int, days: int, **changes: Any) -> events.PlanStarted:
    said = {"phase": "maintenance", "induction_complete": True, "attended": 7, "next_due_on": date(2026, 12, 15)}
    return sample.plan(version, interval_days=days, **{**said, **changes})


def an_answer(sample: SampleEvents, decision: str, **changes: Any) -> dict[str, Any]:
    said = {
        "id": str(sample.proposal_id),
        "version": 2,
        "patient": str(sample.whose["patient"]),
        "plan": str(sample.plan_id),
        "state": {"approve": "approved", "change": "changed", "refuse": "refused"}[decision],
        "decision": decision,
        "interval_days": None if decision == "refuse" else 21,
        "decided_by": "Alma Reid",
        "decided_at": NOON.isoformat(),
    }
    return {**said, **changes}


async def decide(
    home: Home, sample: SampleEvents, browser: Browser, decision: str = "approve", **changes: Any
) -> Answer:
    path = f"/proposals/{sample.proposal_id}/decision"
    home.owner.answer("POST", path, an_answer(sample, decision, **changes))
    typed = {"decision": decision, "reason": "Agreed.", "interval_days": "21", "version": "1", "key": str(uuid4())}
    return await browser.post(f"/console{path}", **typed)


async def shown(browser: Browser, sample: SampleEvents) -> str:
    return (await browser.get(f"/console/patients/{sample.whose['patient']}")).text


async def while_ordered(home: Home, ordered: Awaitable[Answer], *then: events.Event) -> Answer:
    """Let something be ordered, and have the events come only when the owner has answered."""
    before = len(home.owner.orders)

    async def answered() -> bool:
        return len(home.owner.orders) > before

    asked = asyncio.ensure_future(ordered)
    await eventually(answered)
    for event in then:
        await home.bench.tell(event)
    return await asked


async def test_the_old_interval_never_stands_beside_a_decision_that_is_saved(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(a_plan(sample, 3, 14))
    await home.bench.tell(sample.proposed())
    done = await while_ordered(home, decide(home, sample, browser), sample.decided(), a_plan(sample, 4, 21))
    assert done.status == 303
    page = await shown(browser, sample)
    assert "every 21 days" in page
    assert "every 14 days" not in page
    assert "The plan below shows what holds" in page
    assert FOLLOWS not in page


@pytest.mark.usefixtures("hasty")
async def test_a_plan_that_is_still_to_follow_is_said_to_be(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(a_plan(sample, 3, 14))
    await home.bench.tell(sample.proposed())
    # A session is recorded at the same time: a newer version, though not the one that was decided.
    done = await while_ordered(home, decide(home, sample, browser), sample.decided(), a_plan(sample, 4, 14, attended=8))
    assert done.status == 303
    page = await shown(browser, sample)
    assert "every 14 days" in page
    assert FOLLOWS in page
    assert FOLLOWS not in await shown(browser, sample), "it is said once"


@pytest.mark.parametrize(
    ("decision", "plan"), [("refuse", {}), ("approve", {"active": False}), ("approve", {"plan": UUID(int=7)})]
)
async def test_nobody_waits_for_a_plan_that_stays_as_it_is(
    home: Home, sample: SampleEvents, browser: Browser, decision: str, plan: dict[str, Any]
) -> None:
    await home.bench.tell(a_plan(sample, 3, 14).model_copy(update=plan))
    await home.bench.tell(sample.proposed())
    decided = sample.decided().model_copy(update={"decision": decision})
    done = await while_ordered(home, decide(home, sample, browser, decision), decided)
    assert done.status == 303
    page = await shown(browser, sample)
    assert "Your decision is saved" in page
    assert FOLLOWS not in page


async def test_in_a_series_the_plan_follows_although_its_gap_stays(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    series = {"phase": "induction", "induction_complete": False, "attended": 2}
    await home.bench.tell(a_plan(sample, 3, 4, **series))
    await home.bench.tell(sample.proposed())
    why = "The interval of 21 days that a clinician decided holds from the end of the induction."
    await while_ordered(home, decide(home, sample, browser), sample.decided(), a_plan(sample, 4, 4, why=why, **series))
    page = await shown(browser, sample)
    assert why in page
    assert FOLLOWS not in page


async def test_what_held_before_a_decision_stands_there_when_it_is_taken_back(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(a_plan(sample, 4, 21))
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.decided())
    path = f"/proposals/{sample.proposal_id}/take-back"
    back = {"by": "Ben Cho", "at": NOON.isoformat(), "reason": "The wrong patient's row."}
    home.owner.answer("POST", path, an_answer(sample, "approve", version=3, state="taken-back", taken_back=back))
    await shown(browser, sample)
    typed = {"reason": "The wrong patient's row.", "version": "2", "key": str(uuid4())}
    await while_ordered(home, browser.post(f"/console{path}", **typed), sample.taken_back(), a_plan(sample, 5, 14))
    page = await shown(browser, sample)
    assert "every 14 days" in page
    assert FOLLOWS not in page


@pytest.mark.parametrize(("path", "state"), [("attend", "attended"), ("correct", "attended")])
async def test_the_old_due_date_never_stands_beside_a_session_that_is_recorded(
    home: Home, sample: SampleEvents, browser: Browser, path: str, state: str
) -> None:
    await home.bench.tell(a_plan(sample, 3, 14, next_due_on=date(2026, 12, 1)))
    await home.bench.tell(sample.session())
    said = sample.session(version=2, state=state).model_dump(mode="json")
    body = {**said, "id": said["session"], "not_asked": []}
    home.owner.answer("POST", f"/sessions/{sample.session_id}/{path}", body)
    await shown(browser, sample)
    typed = {"state": state, "reason": "She came.", "version": "1", "key": str(uuid4())}
    ordered = browser.post(f"/console/sessions/{sample.session_id}/{path}", **typed)
    recorded = sample.session(events.SessionAttended, 2, state=state, attended_at=NOON)
    await while_ordered(home, ordered, recorded, a_plan(sample, 4, 14, next_due_on=date(2026, 12, 29)))
    page = await shown(browser, sample)
    assert "Tue, Dec 29, 2026" in page
    assert FOLLOWS not in page
    assert "in a moment" not in page


@pytest.mark.usefixtures("hasty")
async def test_a_plan_that_has_yet_to_end_is_said_to_end(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(a_plan(sample, 3, 14))
    await shown(browser, sample)
    whose = sample.whose["patient"]
    await browser.post(f"/console/patients/{whose}/discharge", reason="Well", version="1")
    assert "Their plan and sessions end in a moment." in await shown(browser, sample)


async def test_the_plan_has_ended_when_a_patient_is_discharged(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(a_plan(sample, 3, 14))
    await shown(browser, sample)
    whose = sample.whose["patient"]
    left = browser.post(f"/console/patients/{whose}/discharge", reason="Well", version="1")
    asked = asyncio.ensure_future(left)

    async def gone() -> bool:
        return bool(await home.bench.said(events.PatientDischarged))

    await eventually(gone)
    await home.bench.tell(a_plan(sample, 4, 14, active=False))
    assert (await asked).status == 303
    page = await shown(browser, sample)
    assert "in a moment" not in page
