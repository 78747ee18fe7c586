"""A session that is booked too early or too late for its due date is a task for somebody, and never moved by itself."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import events
from tests.integration.clinic.conftest import Browser, Home, a_body
from tests.integration.clinic.sample_events import SampleEvents
from tests.integration.clinic.test_worklist import part, today

DUE = date(2026, 12, 15)
WINDOW = {"window_earlier_days": 3, "window_later_days": 3}
EARLIER = "Booked for Tue, Dec 22, due by Tue, Dec 8: ask whether an earlier time suits."
LATER = "Booked for Tue, Dec 22, not due before Tue, Jan 5: ask whether a later time suits."


@pytest.fixture
def sample(home: Home, patient: Any) -> SampleEvents:
    return SampleEvents(home.login.clinic, UUID(patient["id"]))


@pytest.fixture
async def browser(home: Home) -> Browser:
    return await home.logged_in()


def booked(sample: SampleEvents, day: str = "2026-12-22", version: int = 1, **changes: Any) -> events.SessionEvent:
    at = {"starts_at": f"{day}T10:00", "starts_at_utc": datetime.fromisoformat(f"{day}T15:00Z")}
    return sample.session(version=version, **{**at, **changes})


def due(sample: SampleEvents, day: date, version: int = 1, **changes: Any) -> events.PlanStarted:
    said = {"phase": "maintenance", "induction_complete": True, "attended": 7, **WINDOW}
    return sample.plan(version, next_due_on=day, **{**said, **changes})


async def shown(browser: Browser, sample: SampleEvents) -> tuple[str, str]:
    """Return the task as Today and the patient's page show it."""
    page = (await browser.get(f"/console/patients/{sample.whose['patient']}")).text
    return part(await today(browser), "off-window"), part(page, "sessions")


@pytest.mark.parametrize(("day", "task"), [(date(2026, 12, 8), EARLIER), (date(2027, 1, 5), LATER)])
async def test_a_booking_that_a_decision_left_behind_never_stands_untold(
    home: Home, sample: SampleEvents, browser: Browser, day: date, task: str
) -> None:
    await home.bench.tell(due(sample, date(2026, 12, 22)))
    await home.bench.tell(booked(sample))
    for each in await shown(browser, sample):
        assert "Booked for" not in each, "it is booked for the very day"
    await home.bench.tell(due(sample, day, version=2))
    for each in await shown(browser, sample):
        assert task in each
    row = (await browser.get("/console/waiting/bookings")).text
    assert task in row
    assert "Maya Okafor" in row


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2026-12-11", True),
        ("2026-12-12", False),
        ("2026-12-15", False),
        ("2026-12-18", False),
        ("2026-12-19", True),
    ],
)
async def test_a_booking_within_the_plans_own_window_is_nobodys_work(
    home: Home, sample: SampleEvents, browser: Browser, day: str, *, told: bool
) -> None:
    await home.bench.tell(due(sample, DUE))
    await home.bench.tell(booked(sample, day))
    for each in await shown(browser, sample):
        assert ("Booked for" in each) is told


async def test_an_evening_is_the_day_on_the_sessions_own_clock(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(due(sample, DUE))
    at = datetime.fromisoformat("2026-12-19T02:00Z")
    await home.bench.tell(sample.session(starts_at="2026-12-18T21:00", starts_at_utc=at))
    assert part(await today(browser), "off-window") == ""


@pytest.mark.parametrize("how", ["moved", "cancelled", "attended", "plan-follows", "ended"])
async def test_the_task_falls_away_by_itself(home: Home, sample: SampleEvents, browser: Browser, how: str) -> None:
    await home.bench.tell(due(sample, date(2026, 12, 8)))
    await home.bench.tell(booked(sample))
    assert EARLIER in part(await today(browser), "off-window")
    then: dict[str, events.Event] = {
        "moved": booked(sample, "2026-12-09", version=2),
        "cancelled": booked(sample, version=2, state="cancelled"),
        "attended": booked(sample, version=2, state="attended"),
        "plan-follows": due(sample, date(2026, 12, 22), version=2),
        "ended": due(sample, date(2026, 12, 8), version=2, active=False),
    }
    await home.bench.tell(then[how])
    for each in await shown(browser, sample):
        assert "Booked for" not in each


async def test_who_was_discharged_is_asked_nothing(
    home: Home, sample: SampleEvents, browser: Browser, patient: Any
) -> None:
    await home.bench.tell(due(sample, date(2026, 12, 8)))
    await home.bench.tell(booked(sample))
    await home.bench.call("POST", f"/patients/{patient['id']}/discharge", {"reason": "Well"})
    assert part(await today(browser), "off-window") == ""


async def test_only_the_next_session_is_held_against_the_due_date(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(due(sample, DUE))
    await home.bench.tell(booked(sample, "2026-12-15"))
    sample.session_id = uuid4()
    await home.bench.tell(booked(sample, "2027-01-12"))
    assert part(await today(browser), "off-window") == ""


async def test_a_consultation_is_no_session_of_the_plan(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(due(sample, DUE))
    await home.bench.tell(booked(sample, "2026-12-03", plan=None).model_copy(update={"kind": "consultation"}))
    assert part(await today(browser), "off-window") == ""
    sample.session_id = uuid4()
    await home.bench.tell(booked(sample))
    assert "Booked for Tue, Dec 22, due by Tue, Dec 15" in part(await today(browser), "off-window")


async def test_a_session_that_nobody_recorded_comes_first(home: Home, sample: SampleEvents, browser: Browser) -> None:
    await home.bench.tell(due(sample, date(2026, 12, 2)))
    await home.bench.tell(booked(sample, "2026-12-02"))
    sample.session_id = uuid4()
    await home.bench.tell(booked(sample))
    await home.bench.clock.move_by(timedelta(days=3))
    page = await today(browser)
    assert "Maya Okafor" in part(page, "unrecorded")
    assert part(page, "off-window") == ""


async def test_a_plan_that_has_not_said_its_window_is_not_judged(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(sample.plan(next_due_on=date(2026, 12, 8)))
    await home.bench.tell(booked(sample))
    assert part(await today(browser), "off-window") == ""


def form(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(due_on|starts_at|key)" value="([^"]*)"', page))


async def test_who_was_asked_stays_until_the_session_or_the_due_date_moves(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(due(sample, date(2026, 12, 8)))
    await home.bench.tell(booked(sample))
    typed = form(part(await today(browser), "off-window"))
    stays = f"/console/bookings/{sample.session_id}/stays"
    done = await browser.post(stays, back="today", **typed)
    assert (done.status, done.headers["location"]) == (303, "/console/today")
    page = await today(browser)
    assert "it stays where it is booked" in page
    assert part(page, "off-window") == ""
    # The patient confirms: it is the same booking still.
    await home.bench.tell(booked(sample, version=2, state="confirmed"))
    assert part(await today(browser), "off-window") == ""
    await home.bench.tell(booked(sample, "2026-12-29", version=3))
    assert "Booked for Tue, Dec 29" in part(await today(browser), "off-window")
    await browser.post(stays, **form(part(await today(browser), "off-window")))
    assert part(await today(browser), "off-window") == ""
    await home.bench.tell(due(sample, date(2026, 12, 10), version=2))
    assert "due by Thu, Dec 10" in part(await today(browser), "off-window")


async def test_a_word_about_an_older_booking_settles_nothing(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(due(sample, date(2026, 12, 8)))
    await home.bench.tell(booked(sample))
    typed = form(part(await today(browser), "off-window"))
    await home.bench.tell(booked(sample, "2026-12-29", version=2))
    await browser.post(f"/console/bookings/{sample.session_id}/stays", back="today", **typed)
    assert "Booked for Tue, Dec 29" in part(await today(browser), "off-window")


@pytest.mark.parametrize("typed", [{}, {"due_on": "soon"}, {"due_on": "2026-12-08", "starts_at": "2026-12-22T10:00"}])
async def test_a_form_that_names_no_booking_is_refused(
    home: Home, sample: SampleEvents, browser: Browser, typed: dict[str, str]
) -> None:
    await home.bench.tell(booked(sample))
    await today(browser)
    assert (await browser.post(f"/console/bookings/{sample.session_id}/stays", **typed)).status == 404


async def test_nobody_settles_a_booking_of_another_clinic(home: Home, browser: Browser) -> None:
    await today(browser)
    typed = {"due_on": "2026-12-08", "starts_at": "2026-12-22T15:00:00+00:00"}
    assert (await browser.post(f"/console/bookings/{uuid4()}/stays", **typed)).status == 404


async def test_each_patient_is_asked_about_their_own_booking(
    home: Home, sample: SampleEvents, browser: Browser
) -> None:
    await home.bench.tell(due(sample, date(2026, 12, 8)))
    await home.bench.tell(booked(sample))
    answer = await home.bench.call("POST", "/patients", a_body(given_name="Bea", contacts=[]))
    bea = SampleEvents(home.login.clinic, UUID(answer.json["id"]))
    await home.bench.tell(due(bea, DUE))
    await home.bench.tell(booked(bea, "2026-12-15"))
    page = part(await today(browser), "off-window")
    assert "Maya Okafor" in page
    assert "Bea Okafor" not in page
