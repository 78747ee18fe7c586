"""Decisions and signatures that are taken back on the console: both words stand where they are read."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.clinic.tables import AUDIT
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.integration.clinic.test_staff_pages import joined

RULE: dict[str, Any] = {
    "id": "interval-ladder",
    "name": "PHQ-9 interval rule",
    "rule_version": 2,
    "text": "Shorten.",
    "points": ["Shorten."],
    "source_url": "https://example.org/stable",
    "grade": "ENGINEERING_DEFAULT",
    "verified_on": "2026-11-21",
    "applies_to": "interval proposals",
    "needs_signature": True,
    "runs": True,
    "signed_by": "Alma Reid",
    "signed_at": NOON.isoformat(),
    "signed_version": 2,
    "note": None,
    "withdrawn": [],
}
WITHDRAWN = {
    "rule_version": 2,
    "signed_by": "Alma Reid",
    "signed_at": NOON.isoformat(),
    "withdrawn_by": "Ben Cho",
    "withdrawn_at": NOON.isoformat(),
    "reason": "Signed too early.",
}
OFF = {**RULE, "runs": False, "signed_by": None, "signed_at": None, "signed_version": None, "withdrawn": [WITHDRAWN]}


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


def pages(patient: Any) -> tuple[str, str]:
    return "/console/proposals", f"/console/patients/{patient['id']}"


def rules(home: Home, *held: dict[str, Any]) -> None:
    home.owner.answer("GET", "/rules", {"items": list(held), "next": None})


async def audited(home: Home) -> list[str]:
    async with home.bench.database.reading() as reader:
        return [row.what for row in await reader.all(select(AUDIT.c.what))]


async def test_a_decision_that_was_taken_back_shows_both_words_wherever_it_is_read(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.decided())
    for path in pages(patient):
        assert f'action="/console/proposals/{sample.proposal_id}/take-back"' in (await browser.get(path)).text
    await home.bench.tell(sample.taken_back())
    for path in pages(patient):
        page = (await browser.get(path)).text
        assert "Approved by Alma Reid" in page
        assert "Taken back by Ben Cho" in page
        assert "because: “The wrong patient's row.” It counts no more." in page.replace("&#39;", "'")
        assert "/take-back" not in page


async def test_a_decision_told_late_never_hides_that_it_was_taken_back(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.taken_back())
    await home.bench.tell(sample.decided())
    page = (await browser.get("/console/proposals")).text
    assert "Taken back by Ben Cho" in page
    assert "Approved by Alma Reid" in page


async def test_the_console_takes_back_with_a_reason_and_leaves_a_line(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.decided())
    path = f"/proposals/{sample.proposal_id}/take-back"
    flaw = {"pointer": "/reason", "detail": "Say why, in a word at least."}
    home.owner.answer("POST", path, {"detail": "It lacks a reason.", "errors": [flaw]}, status=422)
    await browser.get("/console/proposals")
    refused = await browser.post(f"/console{path}", reason=" . ", version="2", key=str(uuid4()))
    assert (refused.status, flaw["detail"] in refused.text, 'value=" . "' in refused.text) == (422, True, True)
    stands = "A session was attended under 21 days since. Set another interval instead."
    home.owner.answer("POST", path, {"detail": stands}, status=409)
    refused = await browser.post(f"/console{path}", reason="The wrong row.", version="2", key=str(uuid4()))
    assert (refused.status, stands in refused.text) == (409, True)
    answer = {
        "id": str(sample.proposal_id),
        "version": 3,
        "patient": patient["id"],
        "state": "taken-back",
        "decision": "approve",
        "interval_days": 21,
        "decided_by": "Alma Reid",
        "decided_at": NOON.isoformat(),
        "reason": None,
        "overruled": [],
        "override_reason": None,
        "taken_back": {"by": "Alma Reid", "at": NOON.isoformat(), "reason": "The wrong row."},
    }
    home.owner.answer("POST", path, answer)
    done = await browser.post(f"/console{path}", reason=" The wrong row. ", version="2", key=str(uuid4()))
    assert done.status == 303
    assert home.owner.orders[-1][2] == {"reason": "The wrong row."}
    page = (await browser.get(f"/console/patients/{patient['id']}")).text
    assert "The decision is taken back and stays on record." in page
    assert "Taken back by Alma Reid" in page, "though its event has not come yet"
    assert "patient.taken-back" in await audited(home)


async def test_a_proposal_whose_rule_is_not_signed_any_more_says_so_and_offers_no_approval(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(sample.proposed())
    rules(home, RULE)
    for path in pages(patient):
        assert 'value="approve"' in (await browser.get(path)).text
    rules(home, OFF)
    home.owner.answer("POST", "/rules/interval-ladder/withdraw", OFF)
    await browser.get("/console/rules")
    await browser.post("/console/rules/interval-ladder/withdraw", reason="Signed too early.", key=str(uuid4()))
    for path in pages(patient):
        page = (await browser.get(path)).text
        assert "signature under the rule does not hold, so this cannot be approved" in page
        assert 'value="approve"' not in page
        assert 'value="refuse"' in page


async def test_a_withdrawn_signature_stands_with_both_names_on_the_rules_page(home: Home, browser: Browser) -> None:
    rules(home, RULE)
    page = (await browser.get("/console/rules")).text
    assert 'action="/console/rules/interval-ladder/withdraw"' in page
    home.owner.answer("POST", "/rules/interval-ladder/withdraw", OFF)
    rules(home, OFF)
    done = await browser.post("/console/rules/interval-ladder/withdraw", reason=" Signed too early. ", key=str(uuid4()))
    assert done.status == 303
    assert [body for _, path, body, _ in home.owner.orders if path.endswith("withdraw")] == [
        {"reason": "Signed too early."}
    ]
    page = (await browser.get("/console/rules")).text
    assert "signature is withdrawn, and stays on record" in page
    assert "off until signed" in page
    assert "Signed by Alma Reid" in page
    assert "Withdrawn by Ben Cho" in page
    assert "“Signed too early.”" in page
    assert "/withdraw" not in page
    assert "rule.withdrawn" in await audited(home)


async def test_what_was_typed_comes_back_when_the_withdrawal_is_refused(home: Home, browser: Browser) -> None:
    rules(home, RULE)
    await browser.get("/console/rules")
    flaw = {"pointer": "/reason", "detail": "Say why, in a word at least."}
    home.owner.answer("POST", "/rules/interval-ladder/withdraw", {"detail": "No.", "errors": [flaw]}, status=422)
    page = await browser.post("/console/rules/interval-ladder/withdraw", reason="...", key=str(uuid4()))
    assert page.status == 422
    assert flaw["detail"] in page.text
    assert 'value="..."' in page.text


@pytest.mark.parametrize("role", ["staff", "admin"])
async def test_nobody_but_a_clinician_takes_back_a_decision_or_a_signature(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any, role: str
) -> None:
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.decided())
    rules(home, RULE)
    other = await joined(home, browser, role=role)
    for path in (*pages(patient), "/console/rules"):
        page = (await other.get(path)).text
        assert "/take-back" not in page
        assert "/withdraw" not in page
    home.owner.orders.clear()
    for path in (f"/console/proposals/{sample.proposal_id}/take-back", "/console/rules/interval-ladder/withdraw"):
        assert (await other.post(path, reason="I would like to.", key=str(uuid4()))).status == 403
    assert [order for order in home.owner.orders if order[0] == "POST"] == []
