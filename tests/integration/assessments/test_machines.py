"""Programs that look into links, and also fill in what they find there, make no score; a person needs one tap more."""

import re
from datetime import timedelta
from html import unescape

import pytest

from services.assessments.model.haste import AT_LEAST
from shared.events import AlertRaised
from tests.integration.assessments.harness import CRISIS_EN, CRISIS_ES, AssessmentsHarness, chosen, questions, spread
from tests.integration.assessments.test_pages import CHECK
from tests.support.bench import Answer


def mark_of(page: str) -> str:
    (mark,) = re.findall(r'name="page" value="([^"]+)"', page)
    return str(mark)


def as_filled(page: str) -> dict[str, str]:
    """Return what a page sends when its button is tapped."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', page)
    return {**dict(hidden), **{f"q-{item}": value for item, value in chosen(page)}}


async def loaded(harness: AssessmentsHarness, path: str) -> str:
    page = await harness.bench.call("GET", path, token="")
    assert page.status == 200
    return unescape(page.text)


async def later(harness: AssessmentsHarness, time: timedelta) -> None:
    await harness.bench.live_until(harness.bench.clock.now() + time)


async def posted(harness: AssessmentsHarness, path: str, data: dict[str, str]) -> Answer:
    return await harness.bench.call("POST", path, data=data, token="")


async def scores(harness: AssessmentsHarness) -> list[int]:
    return [one["total"] for one in await harness.items(f"/patients/{harness.patient}/scores")]


async def state(harness: AssessmentsHarness) -> str:
    (one,) = await harness.items(f"/patients/{harness.patient}/checkins")
    return str(one["state"])


@pytest.mark.parametrize("seconds", [0, 1, AT_LEAST - 1])
@pytest.mark.parametrize("value", ["0", "1"])
async def test_a_program_that_opens_a_link_and_sends_its_form_makes_no_score(
    harness: AssessmentsHarness, seconds: int, value: str
) -> None:
    path = harness.path(await harness.ask("phq-9"))
    page = await loaded(harness, path)
    filled = {f"q-{item}": value for item in questions(page) if item != "9"} | {"q-9": "0"}
    for _ in range(4):
        # It follows every form that it is shown, as long as no time has passed.
        await later(harness, timedelta(seconds=seconds if _ == 0 else 0))
        answer = await posted(harness, path, {"instrument": "phq-9", "page": mark_of(page), **filled})
        assert answer.status == 422
        page = answer.text
    assert await scores(harness) == []
    assert await state(harness) == "open"


@pytest.mark.parametrize("instruments", [("post-session",), ("post-session", "phq-9")])
async def test_a_program_saves_no_part_of_a_check_in_either(
    harness: AssessmentsHarness, instruments: tuple[str, ...]
) -> None:
    path = harness.path(await harness.ask(*instruments))
    page = await loaded(harness, path)
    given = {f"q-{item}": str(value) for item, value in CHECK.items()}
    await posted(harness, path, {"instrument": "post-session", "page": mark_of(page), **given})
    assert await state(harness) == "open"


@pytest.mark.parametrize(
    ("language", "button", "crisis"),
    [("en", "Yes, save my answers", CRISIS_EN), ("es", "Sí, guardar mis respuestas", CRISIS_ES)],
)
async def test_a_person_who_was_too_quick_loses_nothing_and_needs_one_tap(
    harness: AssessmentsHarness, language: str, button: str, crisis: str
) -> None:
    await harness.enrol(language=language)
    path = harness.path(await harness.ask("phq-9"))
    page = await loaded(harness, path)
    given = {f"q-{item}": str(value) for item, value in spread(9).items()}
    again = await posted(harness, path, {"instrument": "phq-9", "page": mark_of(page), **given})
    assert button in again.text
    assert crisis in again.text
    assert again.text.index(button) < again.text.index("<fieldset"), "on the first screen of a small phone"
    await later(harness, timedelta(seconds=AT_LEAST))
    assert (await posted(harness, path, as_filled(again.text))).status == 200
    assert await scores(harness) == [9]


async def test_an_answer_about_suicide_is_never_held_back_since_it_came_too_quickly(
    harness: AssessmentsHarness,
) -> None:
    path = harness.path(await harness.ask("phq-9"))
    page = await loaded(harness, path)
    given = {f"q-{item}": str(value) for item, value in spread(12, item_9=3).items()}
    answer = await posted(harness, path, {"instrument": "phq-9", "page": mark_of(page), **given})
    (alert,) = await harness.bench.said(AlertRaised)
    assert alert.level == "high"
    assert answer.text.index(CRISIS_EN) < answer.text.index("Yes, save my answers")
    await later(harness, timedelta(seconds=AT_LEAST))
    assert (await posted(harness, path, as_filled(answer.text))).status == 200
    assert await scores(harness) == [12]
    assert await harness.bench.said(AlertRaised) == [alert], "the same answer raises no second one"


async def test_nobody_is_asked_twice_for_one_question_that_was_left_out(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    page = await loaded(harness, path)
    given = {f"q-{item}": str(value) for item, value in spread(5).items() if item != "3"}
    await later(harness, timedelta(seconds=40))
    missing = await posted(harness, path, {"instrument": "phq-9", "page": mark_of(page), **given})
    assert "One question has no answer yet" in missing.text
    await later(harness, timedelta(seconds=1))
    assert (await posted(harness, path, {**as_filled(missing.text), "q-3": "1"})).status == 200


@pytest.mark.parametrize("mark", ["", "0", "1.", "99999999999.aa", "٣.x", "-1.x", "1" * 5000, "1764608400.0"])
async def test_a_made_up_mark_of_a_page_keeps_nothing(harness: AssessmentsHarness, mark: str) -> None:
    path = harness.path(await harness.ask("phq-9"))
    given = {f"q-{item}": str(value) for item, value in spread(9).items()}
    assert (await posted(harness, path, {"instrument": "phq-9", "page": mark, **given})).status == 422
    assert await scores(harness) == []


async def test_the_mark_of_another_check_in_or_of_a_later_time_keeps_nothing(harness: AssessmentsHarness) -> None:
    other = mark_of(await loaded(harness, harness.path(await harness.ask("phq-9", occurrence="day-1"))))
    path = harness.path(await harness.ask("phq-9"))
    own = mark_of(await loaded(harness, path))
    given = {f"q-{item}": str(value) for item, value in spread(9).items()}
    await later(harness, timedelta(seconds=60))
    earlier = f"{int(own.partition('.')[0]) - 3600}.{own.partition('.')[2]}"
    for mark in (other, earlier):
        assert (await posted(harness, path, {"instrument": "phq-9", "page": mark, **given})).status == 422
    assert await scores(harness) == []
