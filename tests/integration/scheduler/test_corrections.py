"""A record that was wrong is put right: both states stay, and all that followed from it follows the right one."""

from typing import Any

import pytest
from sqlalchemy import select

from services.scheduler.tables import corrections
from shared.events import CheckinDue, PlanChanged, SessionCorrected
from shared.ids import new_id
from tests.integration.scheduler.harness import SchedulerHarness, at
from tests.support.bench import KEYRING


async def correct(
    harness: SchedulerHarness, session: Any, state: str, reason: str = "Recorded for the wrong patient."
) -> Any:
    answer = await harness.bench.call("POST", f"/sessions/{session['id']}/correct", {"state": state, "reason": reason})
    assert answer.status == 200, answer.text
    return answer.json


async def test_a_patient_who_came_late_never_stays_missed(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-02")
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T10:10")
    missed = await harness.end(session, "miss")
    await harness.until("2026-12-02T10:25")
    for order in ("attend", "cancel"):
        assert (await harness.bench.call("POST", f"/sessions/{session['id']}/{order}")).status == 409
    corrected = await correct(harness, missed, "attended", "Came at 10:25.")
    assert (corrected["state"], corrected["version"], corrected["number"]) == ("attended", 3, 1)
    plan = await harness.plan()
    assert (plan["attended"], plan["next_due_on"]) == (1, "2026-12-05")
    assert "was corrected from missed to attended" in plan["why"]
    timers = await harness.timers()
    assert (timers["day-1"], timers["week-1"]) == (at("2026-12-03T10:00"), at("2026-12-09T10:00"))


async def test_the_wrong_patient_is_neither_counted_nor_asked(harness: SchedulerHarness) -> None:
    plan = await harness.start("2026-12-02")
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T10:05")
    attended = await harness.end(session, "attend")
    await harness.until("2026-12-02T10:30")
    corrected = await correct(harness, attended, "booked")
    assert (corrected["state"], corrected["attended_at"], corrected["number"]) == ("booked", None, 1)
    now = await harness.plan()
    assert (now["attended"], now["next_due_on"], now["phase"]) == (0, plan["next_due_on"], "induction")
    assert not [event for _, event in (await harness.bench.pending()).values() if isinstance(event, CheckinDue)]
    (told,) = await harness.said(SessionCorrected)
    assert (told.before, told.state, told.by, told.plan) == ("attended", "booked", "test", told.plan)
    assert "wrong patient" not in told.model_dump_json(), "the reason travels sealed"
    assert KEYRING.open(told.reason, context="correction") == "Recorded for the wrong patient."


async def test_both_states_stay_on_record_with_name_and_reason(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T10:10")
    await correct(harness, await harness.end(session, "miss"), "attended", "Came at 10:25.")
    await correct(harness, session, "missed", "That was somebody else.")
    listed = (await harness.bench.call("GET", f"/sessions/{session['id']}/corrections")).json["items"]
    assert [(one["before"], one["after"], one["by"], one["reason"]) for one in listed] == [
        ("missed", "attended", "test", "Came at 10:25."),
        ("attended", "missed", "test", "That was somebody else."),
    ]
    async with harness.bench.database.reading() as reader:
        kept = await reader.all(select(corrections.c.reason))
    assert not [row for row in kept if "Came" in row.reason], "sealed at rest too"


async def test_a_cancelled_session_restored_has_its_reminders_again(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    cancelled = await harness.end(session, "cancel", {"reason": "wrong row"})
    assert await harness.timers() == {}
    restored = await correct(harness, cancelled, "booked", "Cancelled the wrong row.")
    assert restored["state"] == "booked"
    assert await harness.timers() == harness.reminders("2026-12-10T10:00")
    assert {event.version for _, event in (await harness.bench.pending()).values()} == {3}


async def test_a_session_is_not_restored_over_another_one(harness: SchedulerHarness) -> None:
    session = await harness.end(await harness.book("2026-12-10T10:00"), "cancel")
    await harness.book("2026-12-10T10:30")
    body = {"state": "booked", "reason": "wrong row"}
    answer = await harness.bench.call("POST", f"/sessions/{session['id']}/correct", body)
    assert (answer.status, "already has a session" in answer.json["detail"]) == (409, True)


async def test_the_end_of_an_induction_that_was_no_end_is_taken_back(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-01")
    held = [await harness.attend_at(f"2026-12-{day}T15:00") for day in ("01", "04", "08", "11", "15", "18")]
    assert (await harness.plan())["phase"] == "maintenance"
    await correct(harness, held[-1], "missed", "The patient went home before it.")
    plan = await harness.plan()
    assert (plan["phase"], plan["attended"], plan["next_due_on"]) == ("induction", 5, "2026-12-18")
    changed = (await harness.said(PlanChanged))[-1]
    assert (changed.induction_complete, changed.induction_completed_on) == (False, None)
    timers = await harness.timers()
    assert "week-3" in timers, "the measures of the induction go on"
    assert "week-10" in timers
    await correct(harness, held[-1], "attended", "They came back.")
    assert (await harness.plan())["phase"] == "maintenance"
    assert str((await harness.said(PlanChanged))[-1].induction_completed_on) == "2026-12-18"


async def test_an_earlier_session_takes_over_when_the_latest_is_taken_back(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-01")
    first = await harness.attend_at("2026-12-01T15:00")
    second = await harness.attend_at("2026-12-02T15:00")
    await correct(harness, second, "cancelled")
    pending = [event for _, event in (await harness.bench.pending()).values() if isinstance(event, CheckinDue)]
    assert {str(event.session) for event in pending if event.session} == {first["id"]}
    assert (await harness.timers())["day-3"] == at("2026-12-04T10:00")
    assert "day-1" not in await harness.timers()


async def test_in_whatever_order_records_are_corrected_the_plan_is_as_if_they_had_been_right(
    harness: SchedulerHarness,
) -> None:
    await harness.start("2026-12-01")
    sessions = [await harness.attend_at(f"2026-12-0{day}T15:00") for day in (1, 3, 5, 7)]
    for session in (sessions[1], sessions[3], sessions[0]):
        await correct(harness, session, "missed")
    plan = await harness.plan()
    assert (plan["attended"], plan["next_due_on"]) == (1, "2026-12-08")
    for session in (sessions[3], sessions[0], sessions[1]):
        await correct(harness, session, "attended")
    plan = await harness.plan()
    assert (plan["attended"], plan["next_due_on"]) == (4, "2026-12-11")


async def test_a_discharged_patients_record_is_put_right_and_asks_nothing(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-01")
    held = await harness.attend_at("2026-12-01T15:00")
    ahead = await harness.book("2026-12-10T10:00")
    await harness.discharge()
    assert (await correct(harness, held, "missed"))["state"] == "missed"
    assert await harness.bench.pending() == {}
    last = (await harness.said(PlanChanged))[-1]
    assert (last.active, last.attended) == (False, 0)
    answer = await harness.bench.call(
        "POST", f"/sessions/{ahead['id']}/correct", {"state": "booked", "reason": "wrong person"}
    )
    assert (answer.status, "was discharged" in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"state": "attended"}, 422, "reason"),
        ({"state": "attended", "reason": "  "}, 422, "reason"),
        ({"state": "confirmed", "reason": "said so"}, 422, "state"),
        ({"state": "missed", "reason": "said so"}, 409, "recorded as missed already"),
    ],
)
async def test_a_correction_says_what_and_why(
    harness: SchedulerHarness, body: dict[str, str], status: int, word: str
) -> None:
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T10:10")
    await harness.end(session, "miss")
    answer = await harness.bench.call("POST", f"/sessions/{session['id']}/correct", body)
    assert answer.status == status
    assert word in answer.text


async def test_a_correction_of_what_somebody_corrected_meanwhile_is_refused(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T10:10")
    missed = await harness.end(session, "miss")
    await correct(harness, missed, "attended")
    body = {"state": "cancelled", "reason": "They phoned."}
    path, old = f"/sessions/{session['id']}/correct", {"If-Match": f'"{missed["version"]}"'}
    assert (await harness.bench.call("POST", path, body, headers=old)).status == 412
    key = {"Idempotency-Key": "once-and-no-more"}
    first = await harness.bench.call("POST", path, body, headers=key)
    again = await harness.bench.call("POST", path, body, headers=key)
    assert (first.status, again.json) == (200, first.json)
    listed = (await harness.bench.call("GET", f"/sessions/{session['id']}/corrections")).json["items"]
    assert len(listed) == 2
    assert (await harness.bench.call("GET", f"/sessions/{new_id()}/corrections")).status == 404
