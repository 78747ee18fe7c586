"""Decisions about an interval in the console: what stands in the way is said, and what was typed is shown."""

import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import IntervalDecided, IntervalExpired
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import SampleEvents
from tests.support.bench import KEYRING

OVER_ALERT = "A safety alert of this patient is not closed: elevated, raised on Tuesday, December 1, 12:00 PM."
AGAINST = "Induction is not complete: until then the series of the protocol sets the interval."


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


def path_of(sample: SampleEvents) -> str:
    return f"/proposals/{sample.proposal_id}/decision"


async def test_a_proposal_offers_no_decision_while_an_alert_is_open(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.raised())
    await home.bench.tell(sample.acknowledged())
    for path in ("/console/proposals", f"/console/patients/{patient['id']}"):
        page = (await browser.get(path)).text
        assert "A safety alert is not closed. Close it first" in page
        assert f'action="/console{path_of(sample)}"' not in page
    await home.bench.tell(sample.closed())
    for path in ("/console/proposals", f"/console/patients/{patient['id']}"):
        page = (await browser.get(path)).text
        assert "Close it first" not in page
        assert f'action="/console{path_of(sample)}"' in page


async def test_a_form_that_was_open_before_the_alert_is_refused_with_its_sentence(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.proposed())
    home.owner.answer("POST", path_of(sample), {"detail": OVER_ALERT}, status=409)
    answer = await browser.post(f"/console{path_of(sample)}", decision="approve", version="1", key=str(uuid4()))
    assert answer.status == 409
    assert OVER_ALERT in answer.text


async def test_what_stands_against_an_interval_is_said_and_a_reason_asked_for(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.proposed())
    flaw = {"pointer": "/override_reason", "detail": f"{AGAINST} To decide it all the same, say why."}
    refused = {"detail": flaw["detail"], "errors": [flaw]}
    home.owner.answer("POST", path_of(sample), refused, status=422)
    typed = {"decision": "change", "interval_days": "84", "reason": "Travels.", "version": "1"}
    page = await browser.post(f"/console{path_of(sample)}", **typed, key=str(uuid4()))
    assert page.status == 422
    assert AGAINST in page.text
    assert 'name="override_reason"' in page.text
    assert 'value="Travels."' in page.text
    await browser.post(f"/console{path_of(sample)}", **typed, override_reason=" Agreed. ", key=str(uuid4()))
    assert home.owner.orders[-1][2] == {
        "decision": "change",
        "interval_days": 84,
        "reason": "Travels.",
        "override_reason": "Agreed.",
    }


async def test_what_was_typed_at_a_decision_stands_with_name_and_time_where_it_is_read(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.proposed())
    overruled = json.dumps({"against": [AGAINST], "reason": "Agreed with Dr. Cho."})
    decided = sample.decided().model_copy(
        update={
            "decision": "change",
            "interval_days": 84,
            "reason": KEYRING.seal("She travels in May.", context="decision-reason"),
            "overruled": KEYRING.seal(overruled, context="decision-overruled"),
        }
    )
    await home.bench.tell(IntervalDecided.model_validate(decided.model_dump()))
    for path in ("/console/proposals", f"/console/patients/{patient['id']}"):
        page = (await browser.get(path)).text
        assert re.search(r"Changed by Alma Reid, [^<]*12:00 PM[^<]*, 84 days", page)
        assert "Reason: “She travels in May.”" in page
        assert f"Decided although: {AGAINST} Why: “Agreed with Dr. Cho.”" in page


async def test_a_hold_is_shown_and_asks_for_nothing(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    held = sample.proposed().model_copy(update={"direction": "hold", "to_days": 14, "needs_decision": False})
    await home.bench.tell(held)
    today = (await browser.get("/console/today")).text
    assert "Two cycles in a row stayed" not in today
    proposals = (await browser.get("/console/proposals")).text
    assert "Nothing to decide." in proposals
    assert "Staying as they are" in proposals
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert "Two cycles in a row stayed at 9 or below." in page
    assert 'value="approve"' not in page
    assert "Set another interval" in page
    overtaken = IntervalExpired(
        **sample.whose, proposal=sample.proposal_id, plan=sample.plan_id, version=2, overtaken=True
    )
    await home.bench.tell(overtaken)
    assert "Staying as they are" not in (await browser.get("/console/proposals")).text


async def test_a_rule_that_is_off_is_said_where_its_proposals_would_stand(home: Home, browser: Browser) -> None:
    rule = {
        "id": "interval-ladder-a",
        "name": "PHQ-9 interval rule",
        "rule_version": 2,
        "text": "Shorten.\nHold.",
        "points": ["Shorten.", "Hold."],
        "source_url": "https://example.org/stable",
        "grade": "ENGINEERING_DEFAULT",
        "verified_on": "2026-11-21",
        "applies_to": "interval proposals",
        "runs": False,
    }
    home.owner.answer("GET", "/rules", {"items": [rule], "next": None})
    page = (await browser.get("/console/proposals")).text
    assert "PHQ-9 interval rule: off until a clinician of this clinic signs it" in page


async def test_the_rule_is_explained_once_however_many_wait(home: Home, sample: SampleEvents, browser: Browser) -> None:
    rule = {
        "id": "interval-ladder",
        "name": "PHQ-9 interval rule",
        "text": "Shorten by one step.\nHold.",
        "points": ["Shorten by one step.", "Hold."],
        "source_url": "https://example.org/stable",
        "grade": "ENGINEERING_DEFAULT",
        "verified_on": "2026-11-21",
        "applies_to": "interval proposals",
        "runs": True,
    }
    home.owner.answer("GET", "/rules", {"items": [rule], "next": None})
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.proposed().model_copy(update={"proposal": uuid4()}))
    page = (await browser.get("/console/proposals")).text
    assert page.count("Two cycles in a row stayed at 9 or below.") == 2
    assert page.count("<li>Shorten by one step.</li>") == 1
    assert page.count("PHQ-9 interval rule, version 1") == 2
    assert "interval-ladder" not in page
