"""Which check-ins a patient is asked as the scheduler lives through their weeks."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from shared.events import CheckinDue, Event, PlanChanged, SessionAttended
from tests.integration.scheduler.harness import SchedulerHarness, at
from tests.integration.scheduler.test_plan import complete_induction

MEASURE, CHECK = ("phq-9",), ("post-session",)


def asked(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Return occurrence and day of the questions among events."""
    return [(one.occurrence, str(one.asked_for)) for one in events if isinstance(one, CheckinDue)]


def measures(events: Iterable[Any]) -> list[str]:
    """Return the days for which the questionnaire of the interval was asked."""
    return [str(one.asked_for) for one in events if isinstance(one, CheckinDue) and "phq-9" in one.instruments]


async def live_through(harness: SchedulerHarness, *sessions: str) -> list[Event]:
    """Book and attend sessions at these wall times; return all that fired meanwhile."""
    fired: list[Event] = []
    for starts_at in sessions:
        session = await harness.book(starts_at)
        fired += await harness.until(starts_at)
        await harness.end(session, "attend")
    return fired


async def test_a_plan_never_begins_without_a_baseline(harness: SchedulerHarness) -> None:
    plan = await harness.start("2026-12-02")
    (baseline,) = await harness.until("2026-12-01T12:01")
    assert isinstance(baseline, CheckinDue)
    assert (baseline.occurrence, baseline.instruments, str(baseline.asked_for)) == ("baseline", MEASURE, "2026-12-01")
    assert (baseline.session, str(baseline.plan), baseline.version) == (None, plan["id"], 1)


async def test_a_baseline_of_a_plan_that_begins_in_weeks_is_asked_near_it_and_once(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-20")
    assert (await harness.timers())["baseline"] == at("2026-12-17T10:00")
    await harness.book("2026-12-21T10:00")
    assert (await harness.timers())["baseline"] == at("2026-12-17T10:00")
    assert asked(await harness.until("2026-12-20T00:00")) == [("baseline", "2026-12-17")]
    await harness.book("2026-12-20T09:00", minutes=30)
    assert "baseline" not in await harness.timers()


async def test_a_first_session_before_the_plans_first_day_does_not_overtake_the_baseline(
    harness: SchedulerHarness,
) -> None:
    await harness.start("2026-12-20")
    session = await harness.book("2026-12-09T10:00")
    assert (await harness.timers())["baseline"] == at("2026-12-06T10:00")
    await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-03T10:00"})
    assert asked(await harness.until("2026-12-01T12:00")) == [("baseline", "2026-12-01")]


async def test_sessions_days_apart_never_take_a_measure_of_the_induction_away(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-01")
    fired = await harness.until("2026-12-01T12:00")
    days = ("01", "04", "08", "11", "15", "18")
    fired += await live_through(harness, *(f"2026-12-{day}T15:00" for day in days))
    fired += await harness.until("2026-12-23T00:00")
    assert measures(fired) == ["2026-12-01", "2026-12-08", "2026-12-15", "2026-12-22"]


@pytest.mark.parametrize("rung", [7, 14, 21, 28])
async def test_no_rung_of_maintenance_leaves_a_fortnight_with_one_measure(harness: SchedulerHarness, rung: int) -> None:
    plan = await harness.start()
    await complete_induction(harness)
    await harness.decide(plan["id"], "change", rung)
    fired: list[Event] = []
    for _ in range(4):
        due = (await harness.plan())["next_due_on"]
        before = len(measures(fired))
        fired += await live_through(harness, f"{due}T09:30")
        window = [day for day in measures(fired) if at(f"{due}T12:00") - at(f"{day}T12:00") <= timedelta(days=14)]
        assert len(window) >= 2 or before == 0, (due, measures(fired))


async def test_a_moved_session_takes_its_measure_along(harness: SchedulerHarness) -> None:
    await harness.start()
    await complete_induction(harness)
    session = await harness.book("2027-01-15T10:00")
    assert "day-26" in await harness.timers()
    await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2027-01-29T10:00"})
    timers = await harness.timers()
    assert (timers["day-40"], "day-26" in timers) == (at("2027-01-27T10:00"), False)
    fired = await harness.until("2027-01-27T10:00")
    await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2027-01-30T10:00"})
    fired += await harness.until("2027-02-06T00:00")
    assert measures(fired)[-2:] == ["2027-01-27", "2027-02-05"]


async def test_a_session_moved_twice_never_brings_a_measure_within_four_days_of_the_last(
    harness: SchedulerHarness,
) -> None:
    await harness.start()
    await complete_induction(harness)
    await live_through(harness, "2027-01-08T09:30")
    session = await harness.book("2027-01-21T10:00")
    fired = await harness.until("2027-01-19T12:00")
    for day in (25, 26):
        await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": f"2027-01-{day}T10:00"})
    fired += await harness.until("2027-01-26T00:00")
    assert measures(fired) == ["2027-01-15", "2027-01-19", "2027-01-24"]


async def test_a_consultation_starts_no_questions_and_is_no_session_of_the_plan(harness: SchedulerHarness) -> None:
    plan = await harness.start("2026-12-20")
    before = await harness.timers()
    session = await harness.book("2026-12-03T10:00", kind="consultation")
    assert (session["kind"], session["plan"], session["number"]) == ("consultation", None, None)
    assert set(await harness.timers()) - set(before) == set(harness.reminders("2026-12-03T10:00")), "it is reminded of"
    await harness.until("2026-12-03T11:00")
    await harness.end(session, "attend")
    assert await harness.timers() == before
    assert await harness.plan() == plan


async def test_a_session_outside_a_plan_starts_no_26_weeks_of_questions(harness: SchedulerHarness) -> None:
    await harness.attend_at("2026-12-02T14:00")
    assert asked(await harness.until("2027-12-01T00:00")) == [("day-1", "2026-12-03"), ("day-3", "2026-12-05")]


async def test_a_booked_consultation_does_not_keep_a_patient_from_being_asked_to_book(
    harness: SchedulerHarness,
) -> None:
    await harness.start("2026-12-20")
    await harness.book("2026-12-18T10:00", kind="consultation")
    assert "booking" in await harness.timers()


async def test_a_question_whose_time_has_come_is_not_lost_by_the_record_of_the_next_session(
    harness: SchedulerHarness,
) -> None:
    await harness.start("2026-12-01")
    await live_through(harness, "2026-12-01T15:00", "2026-12-04T15:00")
    session = await harness.book("2026-12-08T09:00")
    await harness.until("2026-12-08T09:30")
    # The relay is away when the week's question falls due; meanwhile the session is recorded.
    await harness.bench.clock.move_to(at("2026-12-08T10:05"))
    await harness.end(session, "attend")
    assert ("week-1", "2026-12-08") in asked(await harness.until("2026-12-08T10:06"))


async def test_a_session_nobody_recorded_cancels_no_question(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-01")
    fired = await live_through(harness, "2026-12-01T15:00")
    await harness.book("2026-12-04T15:00")
    fired += await harness.until("2026-12-16T00:00")
    assert asked(fired) == [
        ("baseline", "2026-12-01"),
        ("day-1", "2026-12-02"),
        ("day-3", "2026-12-04"),
        ("week-1", "2026-12-08"),
        ("week-2", "2026-12-15"),
    ]


async def test_a_session_recorded_six_days_late_is_asked_about_at_once_and_says_what_was_lost(
    harness: SchedulerHarness,
) -> None:
    await harness.start("2026-12-02")
    session = await harness.book("2026-12-02T10:00")
    assert asked(await harness.until("2026-12-08T10:05")) == [("baseline", "2026-12-01")]
    recorded = await harness.end(session, "attend")
    assert recorded["not_asked"] == ["day-1", "day-3"]
    assert (await harness.said(SessionAttended))[0].not_asked == ("day-1", "day-3")
    assert "day-1, day-3 could not be asked in time" in (await harness.plan())["why"]
    assert "day-1, day-3 could not be asked in time" in (await harness.said(PlanChanged))[0].why
    (late, *later) = asked(await harness.until("2026-12-17T00:00"))
    assert late == ("day-6", "2026-12-08")
    assert later == [("week-1", "2026-12-09"), ("week-2", "2026-12-16")]


async def test_an_interval_decided_in_the_induction_replaces_no_gap_of_its_series(harness: SchedulerHarness) -> None:
    plan = await harness.start("2026-12-01")
    await harness.attend_at("2026-12-01T15:00")
    await harness.decide(plan["id"], "change", 21)
    now = await harness.plan()
    assert (now["next_due_on"], now["interval_days"], now["decided_days"]) == ("2026-12-04", 3, 21)
    assert "its series goes on as it is" in now["why"]
    for day in ("04", "08", "11", "15", "18"):
        await harness.attend_at(f"2026-12-{day}T15:00")
    now = await harness.plan()
    assert (now["phase"], now["interval_days"], now["next_due_on"]) == ("maintenance", 21, "2027-01-08")


async def test_a_discharge_says_that_the_plan_has_ended(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    await harness.discharge()
    (changed,) = await harness.said(PlanChanged)
    assert (str(changed.plan), changed.active, changed.version) == (plan["id"], False, 2)
