from datetime import timedelta
from typing import NoReturn

import pytest
from sqlalchemy import text

from services.assessments.rendering import Pages
from shared.events import AlertRaised, CheckinCompleted, CheckinOpened
from tests.integration.assessments.harness import (
    CRISIS_EN,
    CRISIS_ES,
    PHONE,
    AssessmentsHarness,
    chosen,
    questions,
    spread,
)

PHQ9_ITEMS = [str(number) for number in range(1, 10)]
CHECK = {
    "mood": 6,
    "nausea": 0,
    "dizzy": 1,
    "headache": 0,
    "unreal": 0,
    "confused": 0,
    "sleepy": 0,
    "bladder-pain": 0,
    "bladder-urgency": 0,
    "bladder-frequency": 0,
    "bladder-blood": 0,
}


async def test_the_link_opens_a_form_without_script_that_no_cache_keeps(harness: AssessmentsHarness) -> None:
    page = await harness.bench.call("GET", harness.path(await harness.ask("phq-9")), token="")
    assert page.status == 200
    assert questions(page.text) == [*PHQ9_ITEMS, "difficulty"]
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert len(page.text.encode()) < 30_000
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_every_form_has_the_clinics_crisis_text_and_says_that_nobody_watches(harness: AssessmentsHarness) -> None:
    page = await harness.bench.call("GET", harness.path(await harness.ask("post-session")), token="")
    assert CRISIS_EN in page.text
    assert PHONE in page.text
    assert 'href="tel:988"' in page.text
    assert 'href="tel:+15550100199"' in page.text
    assert "This page is not watched around the clock." in page.text


async def test_the_form_speaks_the_patients_language_and_can_be_switched(harness: AssessmentsHarness) -> None:
    await harness.enrol(language="es")
    path = harness.path(await harness.ask("phq-9"))
    spanish = await harness.bench.call("GET", path, token="")
    assert '<html lang="es">' in spanish.text
    assert "Poco interés o placer en hacer cosas" in spanish.text
    assert CRISIS_ES in spanish.text
    english = await harness.bench.call("GET", f"{path}?lang=en", token="")
    assert '<html lang="en">' in english.text
    assert "Little interest or pleasure in doing things" in english.text


async def test_a_complete_form_is_thanked_for_and_told_once(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    first = await harness.send(path, "phq-9", spread(7))
    assert first.status == 200
    assert "Thank you" in first.text
    again = await harness.send(path, "phq-9", spread(7))
    assert (again.status, again.text) == (first.status, first.text)
    assert len(await harness.bench.said(CheckinCompleted)) == 1
    assert len(await harness.proposals()) == 1


async def test_a_missing_answer_is_shown_where_it_is_missing_and_the_rest_is_kept(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    answers = spread(5)
    del answers["3"], answers["8"]
    page = await harness.send(path, "phq-9", answers)
    assert page.status == 422
    assert "2 questions have no answer yet" in page.text
    assert 'href="#q-3-0"' in page.text
    assert 'id="error-3"' in page.text
    assert 'id="error-4"' not in page.text
    assert dict(chosen(page.text)) == {item: str(value) for item, value in answers.items()}
    (checkin,) = await harness.items(f"/patients/{harness.patient}/checkins")
    assert checkin["state"] == "partial"


async def test_a_half_done_form_that_is_reopened_shows_only_what_is_left(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    answers = spread(5)
    del answers["3"], answers["8"]
    await harness.send(path, "phq-9", answers)
    page = await harness.bench.call("GET", path, token="")
    assert questions(page.text) == ["3", "8", "difficulty"]
    assert chosen(page.text) == []
    done = await harness.send(path, "phq-9", {"3": 1, "8": 0})
    assert done.status == 200
    (score,) = await harness.items(f"/patients/{harness.patient}/scores")
    assert score["total"] == 5 - spread(5)["3"] + 1


async def test_two_instruments_come_one_a_page_with_progress(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("post-session", "phq-9"))
    first = await harness.bench.call("GET", path, token="")
    assert "Part 1 of 2" in first.text
    assert "mood" in questions(first.text)
    second = await harness.send(path, "post-session", CHECK)
    assert "Part 2 of 2" in second.text
    assert questions(second.text)[0] == "1"
    repeated = await harness.send(path, "post-session", CHECK)
    assert "Part 2 of 2" in repeated.text
    done = await harness.send(path, "phq-9", spread(3))
    assert "You can close this page" in done.text
    (completed,) = await harness.bench.said(CheckinCompleted)
    assert completed.instruments == ("post-session", "phq-9")


async def test_item_9_above_zero_shows_the_crisis_text_first_and_claims_nothing(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    page = await harness.send(path, "phq-9", spread(9, item_9=1))
    assert page.status == 200
    body = page.text[page.text.index("<main") :]
    assert body.index(CRISIS_EN) < body.index("You can close this page")
    assert PHONE in body
    assert "may not have been read yet" in body
    assert "notified" not in body
    again = await harness.send(path, "phq-9", spread(9, item_9=1))
    assert again.text == page.text
    assert len(await harness.bench.said(AlertRaised)) == 1


async def test_item_9_counts_even_where_the_rest_is_left_out(harness: AssessmentsHarness) -> None:
    page = await harness.send(harness.path(await harness.ask("phq-9")), "phq-9", {"9": 2})
    assert page.status == 422
    assert page.text.index(CRISIS_EN) < page.text.index("8 questions have no answer yet")
    (alert,) = await harness.bench.said(AlertRaised)
    assert alert.level == "high"


async def test_a_page_that_cannot_be_rendered_takes_no_alert_and_no_answer_back(
    harness: AssessmentsHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_values: object, **_named: object) -> NoReturn:
        raise RuntimeError("no such template")

    path = harness.path(await harness.ask("phq-9"))
    monkeypatch.setattr(Pages, "render", broken)
    page = await harness.send(path, "phq-9", spread(9, item_9=1))
    assert page.status == 500
    assert len(await harness.bench.said(AlertRaised)) == 1
    assert len(await harness.items(f"/patients/{harness.patient}/scores")) == 1


async def test_a_used_link_says_so_and_shows_nothing(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    await harness.send(path, "phq-9", spread(11))
    page = await harness.bench.call("GET", path, token="")
    assert page.status == 410
    assert "This is already answered" in page.text
    assert questions(page.text) == []
    assert "Harbor" not in page.text


async def test_an_expired_link_says_so_kindly_and_shows_nothing(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await harness.bench.clock.move_to(opened.expires_at)
    page = await harness.bench.call("GET", harness.path(opened), token="")
    assert page.status == 410
    assert "This link has ended" in page.text
    late = await harness.send(harness.path(opened), "phq-9", spread(4))
    assert late.status == 410
    assert await harness.items(f"/patients/{harness.patient}/scores") == []


async def test_item_9_in_a_form_that_came_too_late_still_reaches_a_person(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await harness.bench.live_until(opened.expires_at)
    page = await harness.send(harness.path(opened), "phq-9", spread(9, item_9=3))
    assert page.status == 410
    assert CRISIS_EN in page.text
    assert await harness.items(f"/patients/{harness.patient}/scores") == []
    assert len(await harness.items("/alerts?state=open")) == 1


@pytest.mark.parametrize("change", ["!", ""])
async def test_an_altered_link_is_not_found_and_says_so_kindly(harness: AssessmentsHarness, change: str) -> None:
    path = harness.path(await harness.ask("phq-9"))
    page = await harness.bench.call("GET", path[:-1] + change, token="")
    assert page.status == 404
    assert "We cannot open this link" in page.text
    assert "Harbor" not in page.text


async def test_an_altered_link_speaks_the_browsers_language(harness: AssessmentsHarness) -> None:
    page = await harness.bench.call("GET", "/c/none", token="", headers={"Accept-Language": "es-US,es;q=0.9"})
    assert "No podemos abrir este enlace" in page.text


async def test_a_value_that_is_no_choice_counts_as_not_answered(harness: AssessmentsHarness) -> None:
    answers = {**spread(5), "4": 7}
    page = await harness.send(harness.path(await harness.ask("phq-9")), "phq-9", answers)
    assert page.status == 422
    assert "One question has no answer yet" in page.text


async def test_only_a_hash_of_the_token_is_kept(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    token = harness.path(opened).removeprefix("/c/")
    assert len(token) == 32
    async with harness.bench.database.reading() as reader:
        row = await reader.one(text("SELECT token_hash, checkins::text AS whole FROM checkins"))
    assert token not in row.whole
    assert len(row.token_hash) == 64


async def test_the_stylesheet_is_small_and_kept_by_the_browser(harness: AssessmentsHarness) -> None:
    page = await harness.bench.call("GET", harness.path(await harness.ask("phq-9")), token="")
    address = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    style = await harness.bench.call("GET", address, token="")
    assert style.status == 200
    assert style.headers["Content-Type"].startswith("text/css")
    assert "immutable" in style.headers["Cache-Control"]
    assert len(style.text.encode()) < 8000


async def test_a_check_in_expires_by_its_timer_and_not_once_it_is_completed(harness: AssessmentsHarness) -> None:
    first = await harness.ask("post-session")
    second = await harness.ask("phq-9", occurrence="day-14")
    await harness.send(harness.path(second), "phq-9", spread(2))
    fired = await harness.bench.live_until(harness.bench.clock.now() + timedelta(days=7))
    assert [event.TYPE for event in fired] == ["checkin.expired"]
    states = {one["id"]: one["state"] for one in await harness.items(f"/patients/{harness.patient}/checkins")}
    assert states == {str(first.checkin): "expired", str(second.checkin): "completed"}


async def test_post_session_stays_open_72_hours_and_the_weekly_phq_9_six_days(harness: AssessmentsHarness) -> None:
    now = harness.bench.clock.now()
    assert (await harness.ask("post-session")).expires_at - now == timedelta(hours=72)
    assert (await harness.ask("phq-9")).expires_at - now == timedelta(days=6)


async def test_the_same_occurrence_of_a_session_is_asked_once(harness: AssessmentsHarness) -> None:
    session = await harness.attend()
    opened = await harness.ask("phq-9", session=session)
    await harness.due("phq-9", session=session)
    assert await harness.bench.said(CheckinOpened) == [opened]
