from collections.abc import Iterable

import pytest

from services.scheduler import store
from services.scheduler.commands import booking
from services.scheduler.model.sessions import slot
from shared.events import CheckinDue, Event, SessionCancelled, SessionConfirmed, SessionDue
from shared.walltime import parse_wall, to_wall
from tests.integration.scheduler.harness import NEW_YORK, SchedulerHarness, at


def asked(events: Iterable[Event]) -> list[CheckinDue]:
    """Return the questions among events, without the baseline."""
    found = [event for event in events if isinstance(event, CheckinDue)]
    return [event for event in found if event.occurrence != "baseline"]


async def test_a_booking_writes_every_reminder_at_the_sessions_wall_time(harness: SchedulerHarness) -> None:
    await harness.book("2026-12-10T10:00")
    timers = await harness.timers()
    assert timers["1d"] == at("2026-12-09T10:00")
    assert timers == harness.reminders("2026-12-10T10:00")


async def test_a_booking_for_tomorrow_is_never_announced_as_three_days_ahead(harness: SchedulerHarness) -> None:
    await harness.book("2026-12-02T18:00")
    assert list(await harness.timers()) == ["1d"]
    await harness.book("2026-12-02T09:00", minutes=30)
    assert list(await harness.timers()) == ["1d"]


async def test_reminders_fire_once_each_with_the_wall_time_the_patient_reads(harness: SchedulerHarness) -> None:
    await harness.book("2026-12-10T10:00")
    ahead = harness.reminders("2026-12-10T10:00")
    fired = await harness.until("2026-12-10T10:00")
    assert [(event.occurrence, event.starts_at, event.zone) for event in fired if isinstance(event, SessionDue)] == [
        (name, "2026-12-10T10:00", NEW_YORK) for name in sorted(ahead, key=ahead.__getitem__)
    ]
    assert await harness.timers() == {}


async def test_a_move_replaces_the_reminders_by_those_of_the_new_time_and_version(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-17T15:00"})
    assert await harness.timers() == harness.reminders("2026-12-17T15:00")
    fired = await harness.until("2026-12-18T00:00")
    assert {(event.version, event.starts_at) for event in fired} == {(2, "2026-12-17T15:00")}


async def test_a_move_to_tomorrow_drops_the_reminder_three_days_ahead(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-02T18:00"})
    assert await harness.timers() == {"1d": at("2026-12-01T18:00")}


async def test_a_move_that_fails_halfway_leaves_session_reminders_and_events_as_they_were(
    harness: SchedulerHarness,
) -> None:
    session = await harness.book("2026-12-10T10:00")
    before = (await harness.timers(), await harness.said(Event))

    async def fail_after_the_move() -> None:
        async with harness.bench.database.transaction() as tx:
            patient = await store.lock_patient(tx, harness.patient)
            present = await store.find_session(tx, session["id"])
            assert patient is not None
            assert present is not None
            await booking.move(tx, patient, present, slot(parse_wall("2026-12-17T15:00"), NEW_YORK, 60))
            raise ConnectionError("the process died here")

    with pytest.raises(ConnectionError):
        await fail_after_the_move()
    assert (await harness.timers(), await harness.said(Event)) == before


@pytest.mark.parametrize("how", ["cancel", "miss", "attend"])
async def test_an_ended_session_leaves_no_reminder(harness: SchedulerHarness, how: str) -> None:
    session = await harness.book("2027-03-14T18:00")
    await harness.until("2027-03-13T17:30")
    assert list(await harness.timers()) == ["1d"], "the day of the clock change has 23 hours"
    if how == "miss":
        await harness.bench.clock.move_to(at("2027-03-14T18:00"))
    await harness.end(session, how)
    assert "1d" not in await harness.timers()


async def test_a_cancel_leaves_no_timer_and_is_told_of(harness: SchedulerHarness) -> None:
    session = await harness.end(await harness.book("2026-12-10T10:00"), "cancel", {"reason": "travels"})
    assert (session["state"], session["reason"]) == ("cancelled", "travels")
    assert await harness.bench.pending() == {}
    assert [event.state for event in await harness.said(SessionCancelled)] == ["cancelled"]


async def test_one_sessions_cancel_keeps_the_others_reminders(harness: SchedulerHarness) -> None:
    first = await harness.book("2026-12-10T10:00")
    await harness.book("2026-12-14T10:00")
    await harness.end(first, "cancel")
    assert await harness.timers() == harness.reminders("2026-12-14T10:00")


async def test_in_the_week_the_clocks_change_reminders_stay_at_ten(harness: SchedulerHarness) -> None:
    await harness.book("2027-03-15T10:00")
    shown = {name: to_wall(due, NEW_YORK) for name, due in (await harness.timers()).items()}
    assert shown.items() >= {"3d": parse_wall("2027-03-12T10:00"), "1d": parse_wall("2027-03-14T10:00")}.items()
    assert {wall.hour for wall in shown.values()} == {10}
    assert at("2027-03-14T10:00") - at("2027-03-12T10:00") != parse_wall("2027-03-14T10:00") - parse_wall(
        "2027-03-12T10:00"
    )


async def test_a_move_across_the_clock_change_and_back_ends_where_it_began(harness: SchedulerHarness) -> None:
    session = await harness.book("2027-03-12T10:00")
    before = await harness.timers()
    for wall in ("2027-03-15T10:00", "2027-03-12T10:00"):
        moved = await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": wall})
        assert moved.json["starts_at"] == wall
    assert await harness.timers() == before


async def test_a_confirmed_session_is_reminded_at_its_new_version(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    await harness.until("2026-12-07T11:00")
    await harness.reply(session["id"], 1)
    assert [event.version for event in await harness.said(SessionConfirmed)] == [2]
    assert {event.version for _, event in (await harness.bench.pending()).values()} == {2}


async def test_an_attended_session_asks_on_days_1_and_3_and_then_weekly_at_ten(harness: SchedulerHarness) -> None:
    await harness.start()
    await harness.attend_at("2026-12-02T14:00")
    fired = await harness.until("2026-12-24T00:00")
    assert [(event.occurrence, str(event.asked_for), event.instruments) for event in asked(fired)] == [
        ("day-1", "2026-12-03", ("post-session",)),
        ("day-3", "2026-12-05", ("post-session",)),
        ("week-1", "2026-12-09", ("phq-9",)),
        ("week-2", "2026-12-16", ("phq-9",)),
        ("week-3", "2026-12-23", ("phq-9",)),
    ]


async def test_the_weekly_questions_end_after_half_a_year(harness: SchedulerHarness) -> None:
    await harness.start()
    await harness.attend_at("2026-12-02T14:00")
    fired = asked(await harness.until("2028-01-01T00:00"))
    assert fired[-1].occurrence == "week-26"
    assert len(fired) == 2 + 26


async def test_the_next_attended_session_begins_the_short_checks_anew_and_leaves_the_weeks(
    harness: SchedulerHarness,
) -> None:
    await harness.start()
    await harness.attend_at("2026-12-02T14:00")
    weeks = {name: due for name, due in (await harness.timers()).items() if name.startswith("week")}
    second = await harness.attend_at("2026-12-05T15:00")
    pending = asked(event for _, event in (await harness.bench.pending()).values())
    assert {str(event.session) for event in pending if event.session} == {second["id"]}
    timers = await harness.timers()
    assert timers["day-1"] == at("2026-12-06T10:00")
    assert {name: timers[name] for name in weeks} == weeks


async def test_an_older_session_recorded_afterwards_does_not_ask_again(harness: SchedulerHarness) -> None:
    older = await harness.book("2026-12-02T14:00")
    newer = await harness.attend_at("2026-12-05T15:00")
    await harness.end(older, "attend")
    pending = asked(event for _, event in (await harness.bench.pending()).values())
    assert {str(event.session) for event in pending} == {newer["id"]}


async def test_an_evening_session_counts_its_days_on_the_wall_and_not_in_utc(harness: SchedulerHarness) -> None:
    await harness.attend_at("2026-12-02T21:00")
    assert (await harness.timers())["day-1"] == at("2026-12-03T10:00")


async def test_a_new_zone_moves_what_is_asked_and_not_what_is_booked(harness: SchedulerHarness) -> None:
    await harness.attend_at("2026-12-02T14:00")
    session = await harness.book("2026-12-20T10:00")
    await harness.moves_home("America/Los_Angeles", version=2)
    due = await harness.timers()
    assert due["day-1"] == at("2026-12-03T10:00", "America/Los_Angeles")
    assert due["3d"] == at("2026-12-17T10:00", NEW_YORK)
    kept = (await harness.bench.call("GET", f"/sessions/{session['id']}")).json
    assert (kept["version"], kept["zone"]) == (1, NEW_YORK)


async def test_a_move_west_after_ten_does_not_ask_the_same_day_twice(harness: SchedulerHarness) -> None:
    await harness.attend_at("2026-12-02T14:00")
    fired = await harness.until("2026-12-03T10:30")
    await harness.moves_home("America/Los_Angeles", version=2)
    fired += await harness.until("2026-12-04T00:00")
    assert [event.occurrence for event in fired] == ["day-1"]


async def test_an_older_change_of_zone_is_ignored(harness: SchedulerHarness) -> None:
    await harness.attend_at("2026-12-02T14:00")
    before = await harness.timers()
    await harness.moves_home("America/Los_Angeles", version=1)
    assert await harness.timers() == before


async def test_a_discharge_cancels_the_sessions_and_every_timer(harness: SchedulerHarness) -> None:
    await harness.start()
    await harness.attend_at("2026-12-02T14:00")
    session = await harness.book("2026-12-20T10:00")
    await harness.discharge()
    assert await harness.bench.pending() == {}
    assert [str(event.session) for event in await harness.said(SessionCancelled)] == [session["id"]]
    assert (await harness.try_to_book("2026-12-22T10:00")).status == 409
    body = {"protocol": "iv-ketamine", "start_on": "2026-12-22"}
    assert (await harness.bench.call("POST", f"/patients/{harness.patient}/plans", body)).status == 409
    assert (await harness.bench.call("GET", f"/patients/{harness.patient}/plan")).status == 404


async def test_a_change_that_comes_after_the_discharge_revives_nothing(harness: SchedulerHarness) -> None:
    await harness.attend_at("2026-12-02T14:00")
    await harness.discharge(version=2)
    await harness.moves_home("America/Los_Angeles", version=3)
    assert await harness.bench.pending() == {}
    assert (await harness.try_to_book("2026-12-22T10:00")).status == 409


async def test_a_second_word_of_discharge_that_comes_late_never_ends_care_again(harness: SchedulerHarness) -> None:
    await harness.discharge(version=2)
    await harness.reinstate(version=3)
    booked = await harness.try_to_book("2026-12-22T10:00")
    assert booked.status == 201
    await harness.discharge(version=2)
    assert (await harness.try_to_book("2026-12-23T10:00")).status == 201
    assert (await harness.bench.call("GET", f"/sessions/{booked.json['id']}")).json["state"] == "booked"


async def test_who_is_put_back_in_care_never_has_the_plan_restarted_unasked(harness: SchedulerHarness) -> None:
    await harness.attend_at("2026-12-02T14:00")
    await harness.discharge(version=2)
    await harness.reinstate(version=3)
    assert await harness.bench.pending() == {}
    assert (await harness.bench.call("GET", f"/patients/{harness.patient}/plan")).status == 404
    await harness.start("2026-12-10")


async def test_a_return_whose_event_was_lost_is_never_a_refusal_to_book(harness: SchedulerHarness) -> None:
    await harness.discharge(version=2)
    await harness.changes(in_care=True, version=4)
    assert (await harness.try_to_book("2026-12-22T10:00")).status == 201


async def test_a_discharge_whose_event_was_lost_ends_what_was_planned_at_the_next_change(
    harness: SchedulerHarness,
) -> None:
    booked = await harness.try_to_book("2026-12-22T10:00")
    await harness.changes(in_care=False, version=3)
    assert await harness.bench.pending() == {}
    assert (await harness.try_to_book("2026-12-23T10:00")).status == 409
    assert (await harness.bench.call("GET", f"/sessions/{booked.json['id']}")).json["state"] == "cancelled"
    await harness.discharge(version=2)
    assert (await harness.try_to_book("2026-12-23T10:00")).status == 409
