"""The page of a person whose two records were joined shows one course, with what came from the other record marked."""

import json
import re
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import events
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import NOON, SampleEvents
from tests.support.bench import KEYRING

MARK = "from the joined record"


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


async def enrol(home: Home, **changes: Any) -> SampleEvents:
    body = a_body(birth_date="1984-06-17", confirm_duplicate=True, **changes)
    made = await home.bench.call("POST", "/patients", body, headers={"Idempotency-Key": str(uuid4())})
    assert made.status == 201, made.text
    return SampleEvents(home.login.clinic, UUID(made.json["id"]))


def whose(sample: SampleEvents) -> str:
    return str(sample.whose["patient"])


async def join(home: Home, kept: SampleEvents, other: SampleEvents) -> None:
    body = {"other": whose(other), "reason": "One person, two forms"}
    answer = await home.bench.call("POST", f"/patients/{whose(kept)}/join", body)
    assert answer.status == 200, answer.text


async def lived(home: Home, sample: SampleEvents, total: int, day: int) -> None:
    """What a record holds of a short course: a plan, a session, a PHQ-9, a message, a text and a decision."""
    when: dict[str, Any] = {"starts_at": f"2026-11-{day}T10:00", "state": "attended"}
    when |= {"starts_at_utc": NOON.replace(month=11, day=day, hour=15)}
    await home.bench.tell(sample.plan(attended=day))
    await home.bench.tell(sample.session(events.SessionAttended, **when, attended_at=NOON))
    checkin = sample.completed(total, version=1).model_copy(update={"asked_for": date(2026, 11, day)})
    await home.bench.tell(checkin)
    await home.bench.tell(sample.message(events.MessageSent, 1, occurrence="1d", to=f"+1•••••••01{day}"))
    await home.bench.tell(sample.reply(f"Words of day {day}"))
    await home.bench.tell(sample.proposed())
    await home.bench.tell(sample.decided())


def sections(page: str) -> dict[str, str]:
    """Return the sections of a page by their ids."""
    return {found[1]: found[2] for found in re.finditer(r'id="(\w+)"[^>]*data-live(.*?)</section>', page, re.DOTALL)}


async def page_of(browser: Browser, sample: SampleEvents) -> str:
    answer = await browser.get(f"/console/patients/{whose(sample)}")
    assert answer.status == 200, answer.text
    return answer.text


async def test_half_a_persons_course_is_never_out_of_sight_after_a_join(home: Home, browser: Browser) -> None:
    kept, other = await enrol(home), await enrol(home)
    await lived(home, kept, 9, 20)
    await lived(home, other, 21, 10)
    assert MARK not in await page_of(browser, kept)
    await join(home, kept, other)
    page = await page_of(browser, kept)
    for told in ("Nov 20, 2026, 10:00 AM", "Nov 10, 2026, 10:00 AM"):
        assert told in page, "the sessions of both"
    for row in re.findall(r"<tr><td><time[^>]*>(.*?)</tr>", page, re.DOTALL):
        assert (MARK in row) is ("Nov 10" in row), "each score says whose record it stands in"
    assert len(re.findall(r"<tr><td><time", page)) == 2
    for words in ("Words of day 10", "Words of day 20", "+1•••••••0110", "+1•••••••0120"):
        assert words in page
    assert page.count("Approved by Alma Reid") == 2
    assert page.count("/take-back") == 1, "nothing follows from a decision about the plan that has ended"
    assert "It ended as the records were joined; the plan above does not count its sessions." in page
    assert page.count(MARK) >= 6
    own = (await page_of(browser, other)).count(MARK)
    assert own == 0, "on its own page it is its own"


async def test_an_alert_of_the_closed_record_stands_on_the_page_that_is_opened(home: Home, browser: Browser) -> None:
    kept, other = await enrol(home), await enrol(home)
    await join(home, kept, other)
    await home.bench.tell(other.raised())
    page = await page_of(browser, kept)
    band = page[page.index("Open safety alert") :][:1500]
    assert "PHQ-9 item 9 was answered 1 of 3." in band
    assert MARK in band
    path = f"/alerts/{other.alert_id}/acknowledge"
    answer = {"id": str(other.alert_id), "version": 2, "state": "acknowledged", "disposition": None}
    answer |= {"acknowledged_by": "Alma Reid", "acknowledged_at": NOON.isoformat()}
    home.owner.answer("POST", path, answer)
    done = await browser.post(f"/console{path}", key=str(uuid4()))
    assert (done.status, done.headers["location"]) == (303, f"/console/patients/{whose(kept)}")


async def test_a_text_told_of_the_closed_record_is_read_where_care_goes_on(home: Home, browser: Browser) -> None:
    kept, other = await enrol(home), await enrol(home)
    await home.bench.tell(other.reply("i have the pills", intent="crisis"))
    await join(home, kept, other)
    page = await page_of(browser, kept)
    assert "i have the pills" in sections(page)["replies"]
    assert MARK in sections(page)["replies"]


async def test_records_joined_one_after_the_other_all_stand_on_the_last(home: Home, browser: Browser) -> None:
    first, second, third = [await enrol(home) for _ in range(3)]
    await home.bench.tell(first.reply("The very first words"))
    await join(home, second, first)
    await join(home, third, second)
    assert "The very first words" in await page_of(browser, third)


async def test_another_patients_record_is_never_read_beside_it(home: Home, browser: Browser) -> None:
    kept, other, stranger = [await enrol(home) for _ in range(3)]
    await home.bench.tell(stranger.reply("Not your business"))
    await join(home, kept, other)
    assert "Not your business" not in await page_of(browser, kept)


async def test_answers_kept_beside_a_check_in_of_the_closed_record_are_seen(home: Home, browser: Browser) -> None:
    kept, other = await enrol(home), await enrol(home)
    await join(home, kept, other)
    content = {
        "instrument": "phq-9",
        "version": 1,
        "total": 19,
        "flags": [],
        "answers": {"1": 3},
        "words": "Late, sorry",
    }
    late = events.AnswersSetAside(
        **other.whose,
        checkin=other.checkin_id,
        occurrence="day-7",
        instruments=("phq-9",),
        asked_for=date(2026, 12, 1),
        version=1,
        answers=uuid4(),
        why="late",
        at=NOON,
        content=KEYRING.seal(json.dumps(content), context="result"),
    )
    await home.bench.tell(late)
    page = await page_of(browser, kept)
    assert "Late, sorry" in sections(page)["answers"]
    assert MARK in sections(page)["answers"]
