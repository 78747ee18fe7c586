import asyncio

import pytest

from services.scheduler.model.catalogue import newest
from shared.events import BookingDue, Event, PlanChanged, PlanStarted
from shared.ids import new_id
from tests.integration.scheduler.harness import SchedulerHarness, at


async def complete_induction(harness: SchedulerHarness) -> None:
    """Attend the six sessions on their due days: 1, 4, 8, 11, 15 and 18 December."""
    for _ in range(6):
        due = (await harness.plan())["next_due_on"]
        await harness.attend_at(f"{due}T15:00")


async def test_a_plan_starts_with_its_first_session_due_on_the_first_day(harness: SchedulerHarness) -> None:
    plan = await harness.start("2026-12-05")
    assert plan == {
        **plan,
        "protocol": "iv-ketamine",
        "protocol_version": newest("iv-ketamine").version,
        "phase": "induction",
        "interval_days": 3,
        "next_due_on": "2026-12-05",
        "version": 1,
    }
    (started,) = await harness.said(PlanStarted)
    assert (str(started.plan), started.why) == (plan["id"], plan["why"])


async def test_a_plan_says_how_near_its_due_date_a_session_is_to_be_booked(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    assert plan["window"] == {"earlier_days": 1, "later_days": 2}
    await complete_induction(harness)
    assert (await harness.plan())["window"] == {"earlier_days": 3, "later_days": 3}
    told = [(event.window_earlier_days, event.window_later_days) for event in await harness.said(PlanStarted)]
    told += [(event.window_earlier_days, event.window_later_days) for event in await harness.said(PlanChanged)]
    assert (told[0], told[-1]) == ((1, 2), (3, 3))
    protocol = (await harness.bench.call("GET", "/protocols")).json["items"][0]
    assert [phase["window"] for phase in protocol["phases"]] == [
        {"earlier_days": 1, "later_days": 2},
        {"earlier_days": 3, "later_days": 3},
    ]
    rules = [rule for phase in protocol["phases"] for rule in phase["rules"] if "booked-near" in rule["id"]]
    assert [rule["grade"] for rule in rules] == ["ENGINEERING_DEFAULT"] * 2


async def test_a_second_plan_is_refused_while_one_is_active(harness: SchedulerHarness) -> None:
    await harness.start()
    body = {"protocol": "iv-ketamine", "start_on": "2026-12-01"}
    answer = await harness.bench.call("POST", f"/patients/{harness.patient}/plans", body)
    assert answer.status == 409
    assert "already follows" in answer.json["detail"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"protocol": "lsd"}, "/protocol"),
        ({"start_on": "2026-02-30"}, "/start_on"),
        ({"start_on": "2062-12-01"}, "/start_on"),
        ({"why": "because"}, "/why"),
    ],
)
async def test_a_wrong_plan_is_refused_with_its_place(
    harness: SchedulerHarness, wrong: dict[str, str], pointer: str
) -> None:
    body = {"protocol": "iv-ketamine", "start_on": "2026-12-01", **wrong}
    answer = await harness.bench.call("POST", f"/patients/{harness.patient}/plans", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer)


async def test_a_patient_without_a_plan_has_none(harness: SchedulerHarness) -> None:
    assert (await harness.bench.call("GET", f"/patients/{harness.patient}/plan")).status == 404


async def test_six_attended_sessions_complete_the_induction(harness: SchedulerHarness) -> None:
    await harness.start()
    await complete_induction(harness)
    changed = await harness.said(PlanChanged)
    assert [str(event.next_due_on) for event in changed] == [
        "2026-12-04",
        "2026-12-08",
        "2026-12-11",
        "2026-12-15",
        "2026-12-18",
        "2027-01-15",
    ]
    assert [event.induction_complete for event in changed] == [False] * 5 + [True]
    assert (changed[-1].phase, changed[-1].interval_days, changed[-1].version) == ("maintenance", 28, 7)


async def test_a_missed_or_cancelled_session_does_not_advance_the_plan(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    missed = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T11:00")
    await harness.end(missed, "miss", {"reason": "ill"})
    await harness.end(await harness.book("2026-12-03T10:00"), "cancel")
    assert await harness.plan() == plan
    assert await harness.said(PlanChanged) == []


async def test_the_session_after_a_missed_one_takes_its_number(harness: SchedulerHarness) -> None:
    await harness.start()
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T10:00")
    await harness.end(session, "miss")
    assert (await harness.book("2026-12-03T10:00"))["number"] == 1


async def test_a_late_session_moves_the_next_date(harness: SchedulerHarness) -> None:
    await harness.start()
    await harness.attend_at("2026-12-03T15:00")
    assert (await harness.plan())["next_due_on"] == "2026-12-06"


async def test_a_session_booked_before_the_plan_counts_for_it(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-02T15:00")
    plan = await harness.start()
    await harness.until("2026-12-02T16:00")
    attended = await harness.end(session, "attend", {"note": "calm"})
    assert (attended["plan"], attended["number"], attended["note"]) == (plan["id"], 1, "calm")


async def test_a_session_days_ahead_cannot_be_attended_and_an_ended_one_not_again(harness: SchedulerHarness) -> None:
    ahead = await harness.book("2026-12-10T10:00")
    assert (await harness.bench.call("POST", f"/sessions/{ahead['id']}/attend")).status == 409
    ended = await harness.end(ahead, "cancel")
    for how in ("cancel", "attend", "miss"):
        answer = await harness.bench.call("POST", f"/sessions/{ended['id']}/{how}", {})
        assert (answer.status, "is cancelled" in answer.json["detail"]) == (409, True)


async def test_an_approved_interval_plans_anew(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    await complete_induction(harness)
    await harness.decide(plan["id"], "approve", 21)
    now = await harness.plan()
    assert (now["interval_days"], now["next_due_on"]) == (21, "2027-01-08")
    assert "A clinician decided on 2026-12-18" in now["why"]
    assert (await harness.said(PlanChanged))[-1].version == now["version"]


async def test_a_decision_that_comes_twice_is_applied_once(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    await complete_induction(harness)
    proposal = new_id()
    await harness.decide(plan["id"], "change", 14, proposal=proposal)
    after = await harness.plan()
    await harness.decide(plan["id"], "change", 14, proposal=proposal)
    await harness.decide(plan["id"], "change", 84, proposal=proposal, version=1)
    assert await harness.plan() == after


async def test_a_refused_proposal_changes_nothing(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    await complete_induction(harness)
    before = await harness.plan()
    await harness.decide(plan["id"], "refuse", None)
    assert await harness.plan() == before


async def test_a_decision_about_an_ended_plan_changes_nothing(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    await harness.discharge()
    await harness.decide(plan["id"], "approve", 14)
    assert [event.active for event in await harness.said(PlanChanged)] == [False]
    assert await harness.bench.pending() == {}


async def test_a_decision_moves_the_question_to_book(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    await complete_induction(harness)
    assert (await harness.timers())["booking"] == at("2027-01-08T10:00")
    await harness.decide(plan["id"], "change", 42)
    assert (await harness.timers())["booking"] == at("2027-01-22T10:00")


async def test_a_patient_with_nothing_booked_is_asked_to_book_once(harness: SchedulerHarness) -> None:
    await harness.start()
    await complete_induction(harness)
    fired = [event for event in await harness.until("2027-02-01T00:00") if isinstance(event, BookingDue)]
    assert [str(event.due_on) for event in fired] == ["2027-01-15"]


async def test_a_booking_ends_the_question_and_its_cancel_brings_it_back(harness: SchedulerHarness) -> None:
    await harness.start()
    await complete_induction(harness)
    session = await harness.book("2027-01-15T10:00")
    assert "booking" not in await harness.timers()
    await harness.end(session, "cancel")
    assert (await harness.timers())["booking"] == at("2027-01-08T10:00")


async def test_a_new_zone_moves_the_question_to_book_and_does_not_ask_again(harness: SchedulerHarness) -> None:
    await harness.start("2026-12-20")
    await harness.moves_home("America/Los_Angeles", version=2)
    assert (await harness.timers())["booking"] == at("2026-12-13T10:00", "America/Los_Angeles")
    await harness.until("2026-12-13T13:30")
    await harness.moves_home("Pacific/Honolulu", version=3)
    assert "booking" not in await harness.timers()


async def test_orders_that_arrive_together_leave_one_patients_events_in_order(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    path = f"/sessions/{session['id']}"
    moves = [harness.bench.call("PATCH", path, {"starts_at": f"2026-12-{day}T10:00"}) for day in range(11, 27)]
    answers = await asyncio.gather(*moves)
    assert {answer.status for answer in answers} == {200}
    versions = [event.version for event in await harness.said(Event) if event.TYPE.startswith("session.")]
    assert versions == list(range(1, 18))
    stands = (await harness.bench.call("GET", path)).json["starts_at"]
    assert await harness.timers() == harness.reminders(stands)


async def test_two_plans_ordered_at_once_become_one(harness: SchedulerHarness) -> None:
    body = {"protocol": "iv-ketamine", "start_on": "2026-12-01"}
    path = f"/patients/{harness.patient}/plans"
    answers = await asyncio.gather(*(harness.bench.call("POST", path, body) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
    assert len(await harness.said(PlanStarted)) == 1
