"""Words of a later version are kept and shown as they came: none of them stops a page."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import events
from tests.integration.clinic.conftest import Browser, Home
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.support.bench import KEYRING


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def shown(browser: Browser, sample: SampleEvents) -> str:
    """Return what the pages show that list every kind of thing."""
    patient = sample.whose["patient"]
    places = ("/console/today", "/console/patients", f"/console/patients/{patient}")
    pages = [await browser.get(place) for place in places]
    assert [page.status for page in pages] == [200, 200, 200]
    return "".join(page.text for page in pages)


async def test_a_session_of_a_state_and_a_kind_not_known_here_is_shown(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.session().model_copy(update={"state": "late-arrival", "kind": "group-session"}))
    page = await shown(browser, sample)
    assert "late arrival" in page
    assert "group session" in page


async def test_a_plan_of_a_phase_not_known_here_is_shown(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(sample.plan(phase="consolidation", phase_kind="weekly", protocol="tms-left-dlpfc"))
    page = await shown(browser, sample)
    assert "consolidation" in page
    assert "tms-left-dlpfc" in page


async def test_a_check_in_of_an_instrument_and_an_occurrence_not_known_here_is_shown(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    opened = sample.opened().model_copy(update={"instruments": ("xyz-2",), "occurrence": "month-6"})
    await home.bench.tell(opened)
    page = await shown(browser, sample)
    assert "XYZ-2, month 6" in page
    score = {"instrument": "xyz-2", "version": 1, "total": 71, "band": "odd", "flags": ["new-flag"], "answers": {}}
    sealed = {
        name: KEYRING.seal(json.dumps(said), context="result") for name, said in (("result", [score]), ("voided", []))
    }
    changed = {**opened.model_dump(exclude={"expires_at", "link", "begun", "patient_version"}), "version": 2}
    await home.bench.tell(events.ResultChanged(**changed, state="reviewed", completed_at=NOON, **sealed))
    page = await shown(browser, sample)
    assert "71 odd" in page
    assert "reviewed" in page


async def test_a_proposal_and_a_decision_of_words_not_known_here_are_shown(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.proposed().model_copy(update={"direction": "pause", "rule": "algorithm-z"}))
    assert "Pause: 14 days" in await shown(browser, sample)
    await home.bench.tell(sample.decided().model_copy(update={"decision": "put-off"}))
    assert "put off" in await shown(browser, sample)


async def test_a_message_of_words_not_known_here_is_shown(home: Home, sample: SampleEvents, browser: Browser) -> None:
    words = {"purpose": "travel-advice", "channel": "letter", "occurrence": "7d", "reason": "post_strike"}
    await home.bench.tell(sample.message(events.MessageWithheld, 1, **words))
    await home.bench.tell(sample.message(events.MessageFailed, 1, message=uuid4(), **words, error="L99"))
    page = await shown(browser, sample)
    assert "Travel advice by letter" in page
    assert "post strike" in page


async def test_a_reminder_of_any_number_of_days_is_shown_with_its_days(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.message(events.MessageSent, 1, occurrence="7d"))
    assert "Reminder by text, 7 days before" in await shown(browser, sample)


async def test_an_answer_and_an_alert_of_words_not_known_here_are_shown(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.reply("Qué pasa", intent="asks-for-a-call", flags=("new-flag",)))
    await home.bench.tell(sample.raised().model_copy(update={"level": "very-high"}))
    page = await shown(browser, sample)
    assert "asks for a call" in page
    assert "very-high" in page
