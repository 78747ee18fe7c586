"""Programs that look into links, and also fill in what they find there, make no score; a person needs one tap more."""

import re
from datetime import timedelta
from html import unescape

import pytest

from services.assessments.model.haste import AT_LEAST
from shared.events import AlertRaised
from tests.integration.assessments.test_pages import CHECK
from tests.integration.assessments.ward import CRISIS_EN, CRISIS_ES, Ward, chosen, questions, spread
from tests.support.bench import Answer


def mark_of(page: str) -> str:
    (mark,) = re.findall(r'name="page" value="([^"]+)"', page)
    return str(mark)


def as_filled(page: str) -> dict[str, str]:
    """Return what a page sends when its button is tapped."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', page)
    return {**dict(hidden), **{f"q-{item}": value for item, value in chosen(page)}}


async def loaded(ward: Ward, path: str) -> str:
    page = await ward.bench.call("GET", path, token="")
    assert page.status == 200
    return unescape(page.text)


async def later(ward: Ward, time: timedelta) -> None:
    await ward.bench.live_until(ward.bench.clock.now() + time)


async def posted(ward: Ward, path: str, data: dict[str, str]) -> Answer:
    return await ward.bench.call("POST", path, data=data, token="")


async def scores(ward: Ward) -> list[int]:
    return [one["total"] for one in await ward.items(f"/patients/{ward.patient}/scores")]


async def state(ward: Ward) -> str:
    (one,) = await ward.items(f"/patients/{ward.patient}/checkins")
    return str(one["state"])


@pytest.mark.parametrize("seconds", [0, 1, AT_LEAST - 1])
@pytest.mark.parametrize("value", ["0", "1"])
async def test_a_program_that_opens_a_link_and_sends_its_form_makes_no_score(
    ward: Ward, seconds: int, value: str
) -> None:
    path = ward.path(await ward.ask("phq-9"))
    page = await loaded(ward, path)
    filled = {f"q-{item}": value for item in questions(page) if item != "9"} | {"q-9": "0"}
    for _ in range(4):
        # It follows every form that it is shown, as long as no time has passed.
        await later(ward, timedelta(seconds=seconds if _ == 0 else 0))
        answer = await posted(ward, path, {"instrument": "phq-9", "page": mark_of(page), **filled})
        assert answer.status == 422
        page = answer.text
    assert await scores(ward) == []
    assert await state(ward) == "open"


@pytest.mark.parametrize("instruments", [("post-session",), ("post-session", "phq-9")])
async def test_a_program_saves_no_part_of_a_check_in_either(ward: Ward, instruments: tuple[str, ...]) -> None:
    path = ward.path(await ward.ask(*instruments))
    page = await loaded(ward, path)
    given = {f"q-{item}": str(value) for item, value in CHECK.items()}
    await posted(ward, path, {"instrument": "post-session", "page": mark_of(page), **given})
    assert await state(ward) == "open"


@pytest.mark.parametrize(
    ("language", "button", "crisis"),
    [("en", "Yes, save my answers", CRISIS_EN), ("es", "Sí, guardar mis respuestas", CRISIS_ES)],
)
async def test_a_person_who_was_too_quick_loses_nothing_and_needs_one_tap(
    ward: Ward, language: str, button: str, crisis: str
) -> None:
    await ward.enrol(language=language)
    path = ward.path(await ward.ask("phq-9"))
    page = await loaded(ward, path)
    given = {f"q-{item}": str(value) for item, value in spread(9).items()}
    again = await posted(ward, path, {"instrument": "phq-9", "page": mark_of(page), **given})
    assert button in again.text
    assert crisis in again.text
    assert again.text.index(button) < again.text.index("<fieldset"), "on the first screen of a small phone"
    await later(ward, timedelta(seconds=AT_LEAST))
    assert (await posted(ward, path, as_filled(again.text))).status == 200
    assert await scores(ward) == [9]


async def test_an_answer_about_suicide_is_never_held_back_since_it_came_too_quickly(ward: Ward) -> None:
    path = ward.path(await ward.ask("phq-9"))
    page = await loaded(ward, path)
    given = {f"q-{item}": str(value) for item, value in spread(12, item_9=3).items()}
    answer = await posted(ward, path, {"instrument": "phq-9", "page": mark_of(page), **given})
    (alert,) = await ward.bench.said(AlertRaised)
    assert alert.level == "high"
    assert answer.text.index(CRISIS_EN) < answer.text.index("Yes, save my answers")
    await later(ward, timedelta(seconds=AT_LEAST))
    assert (await posted(ward, path, as_filled(answer.text))).status == 200
    assert await scores(ward) == [12]
    assert await ward.bench.said(AlertRaised) == [alert], "the same answer raises no second one"


async def test_nobody_is_asked_twice_for_one_question_that_was_left_out(ward: Ward) -> None:
    path = ward.path(await ward.ask("phq-9"))
    page = await loaded(ward, path)
    given = {f"q-{item}": str(value) for item, value in spread(5).items() if item != "3"}
    await later(ward, timedelta(seconds=40))
    missing = await posted(ward, path, {"instrument": "phq-9", "page": mark_of(page), **given})
    assert "One question has no answer yet" in missing.text
    await later(ward, timedelta(seconds=1))
    assert (await posted(ward, path, {**as_filled(missing.text), "q-3": "1"})).status == 200


@pytest.mark.parametrize("mark", ["", "0", "1.", "99999999999.aa", "٣.x", "-1.x", "1" * 5000, "1764608400.0"])
async def test_a_made_up_mark_of_a_page_keeps_nothing(ward: Ward, mark: str) -> None:
    path = ward.path(await ward.ask("phq-9"))
    given = {f"q-{item}": str(value) for item, value in spread(9).items()}
    assert (await posted(ward, path, {"instrument": "phq-9", "page": mark, **given})).status == 422
    assert await scores(ward) == []


async def test_the_mark_of_another_check_in_or_of_a_later_time_keeps_nothing(ward: Ward) -> None:
    other = mark_of(await loaded(ward, ward.path(await ward.ask("phq-9", occurrence="day-1"))))
    path = ward.path(await ward.ask("phq-9"))
    own = mark_of(await loaded(ward, path))
    given = {f"q-{item}": str(value) for item, value in spread(9).items()}
    await later(ward, timedelta(seconds=60))
    earlier = f"{int(own.partition('.')[0]) - 3600}.{own.partition('.')[2]}"
    for mark in (other, earlier):
        assert (await posted(ward, path, {"instrument": "phq-9", "page": mark, **given})).status == 422
    assert await scores(ward) == []
