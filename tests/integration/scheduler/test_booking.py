from uuid import uuid4

import pytest

from services.scheduler.model.catalogue import PROTOCOLS, WITHOUT_PLAN, newest
from shared.events import SessionBooked, SessionMoved
from shared.ids import ClinicId
from shared.web.awaited import KNOWN_WITHIN
from shared.web.tokens import Scope
from tests.integration.scheduler.harness import SchedulerHarness


async def test_a_booked_session_answers_with_its_instant_and_is_told_of(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    assert session["starts_at_utc"] == "2026-12-10T15:00:00Z"
    assert (session["state"], session["version"], session["zone"]) == ("booked", 1, "America/New_York")
    (booked,) = await harness.said(SessionBooked)
    assert (str(booked.session), booked.starts_at, booked.plan) == (session["id"], "2026-12-10T10:00", None)


async def test_a_session_may_be_in_another_zone_than_the_patients(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00", zone="America/Phoenix")
    assert session["starts_at_utc"] == "2026-12-10T17:00:00Z"


async def test_a_session_in_the_hour_that_the_clocks_skip_is_booked_when_they_have_moved(
    harness: SchedulerHarness,
) -> None:
    session = await harness.book("2027-03-14T02:30", odd_hour=True)
    assert (session["starts_at"], session["starts_at_utc"]) == ("2027-03-14T03:30", "2027-03-14T07:30:00Z")


async def test_ten_oclock_means_the_clinics_ten_wherever_the_patient_lives(harness: SchedulerHarness) -> None:
    await harness.moves_home("America/Los_Angeles", version=2)
    session = await harness.book("2027-01-25T10:00")
    assert (session["zone"], session["starts_at_utc"]) == ("America/New_York", "2027-01-25T15:00:00Z")
    moved = await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2027-01-26T10:00"})
    assert moved.json["starts_at_utc"] == "2027-01-26T15:00:00Z"
    await harness.open("America/Chicago", version=2)
    await harness.open("America/Denver", version=1)
    assert (await harness.book("2027-01-27T10:00"))["zone"] == "America/Chicago"
    named = await harness.book("2027-01-28T10:00", zone="America/Los_Angeles")
    assert named["starts_at_utc"] == "2027-01-28T18:00:00Z"


async def test_a_time_without_a_zone_is_not_guessed_while_the_clinic_is_unknown(harness: SchedulerHarness) -> None:
    harness.bench.clinic = ClinicId(uuid4())
    stranger = uuid4()
    await harness.enrol(patient=stranger)
    body = {"patient": str(stranger), "starts_at": "2026-12-10T10:00", "minutes": 60}
    answer = await harness.bench.call("POST", "/sessions", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/zone")
    assert (await harness.bench.call("POST", "/sessions", {**body, "zone": "America/New_York"})).status == 201


@pytest.mark.parametrize("starts_at", ["2026-12-01T11:00", "2026-11-30T10:00", "2026-11-02T10:00"])
async def test_what_took_place_can_be_entered_and_counts_as_ever(harness: SchedulerHarness, starts_at: str) -> None:
    await harness.start("2026-11-30")
    session = await harness.book(starts_at, entered_afterwards=True)
    names = {f"{days}d" for days in WITHOUT_PLAN.reminder_days}
    assert not names & set(await harness.timers()), "nobody is reminded of what is over"
    attended = await harness.end(session, "attend")
    assert (attended["number"], attended["state"]) == (1, "attended")
    assert (await harness.plan())["attended"] == 1


async def test_a_session_is_never_moved_into_the_past(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    answer = await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-01T11:00"})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/starts_at")


async def test_a_session_at_night_is_booked_where_it_is_meant(harness: SchedulerHarness) -> None:
    assert (await harness.book("2026-12-10T03:00", odd_hour=True))["starts_at"] == "2026-12-10T03:00"
    session = await harness.book("2026-12-11T10:00")
    path = f"/sessions/{session['id']}"
    refused = await harness.bench.call("PATCH", path, {"starts_at": "2026-12-11T05:59"})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/odd_hour")
    assert (await harness.bench.call("PATCH", path, {"starts_at": "2026-12-11T05:59", "odd_hour": True})).status == 200


async def test_sessions_of_a_plan_are_numbered(harness: SchedulerHarness) -> None:
    plan = await harness.start()
    first, second = await harness.book("2026-12-10T10:00"), await harness.book("2026-12-14T10:00")
    assert [(s["plan"], s["number"]) for s in (first, second)] == [(plan["id"], 1), (plan["id"], 2)]


@pytest.mark.parametrize(
    ("wrong", "pointer", "remedy"),
    [
        ({"starts_at": "2026-12-10T10:00Z"}, "/starts_at", "without seconds or offset"),
        ({"starts_at": "2026-12-10T10:00-05:00"}, "/starts_at", "without seconds or offset"),
        ({"starts_at": "2026-02-30T10:00"}, "/starts_at", "is not a wall time"),
        ({"starts_at": 1765360800}, "/starts_at", "Give a wall time as text"),
        ({"starts_at": "2026-12-01T11:59"}, "/entered_afterwards", "If the session took place then"),
        ({"starts_at": "2026-10-31T11:59", "entered_afterwards": True}, "/starts_at", "one of the last 30 days"),
        ({"starts_at": "2026-12-10T03:00"}, "/odd_hour", "03:00 is an unusual hour"),
        ({"starts_at": "2026-12-10T22:00"}, "/odd_hour", "say that this one is meant"),
        ({"entered_afterwards": "yes"}, "/entered_afterwards", "valid boolean"),
        ({"starts_at": "2062-12-01T10:00"}, "/starts_at", "Check the year"),
        ({"starts_at": "9999-12-31T23:59"}, "/starts_at", "Check it"),
        ({"starts_at": "0001-01-01T00:00"}, "/starts_at", "Check it"),
        ({"zone": "New York"}, "/zone", "You probably mean 'America/New_York'"),
        ({"zone": "EST"}, "/zone", "You probably mean 'America/New_York'"),
        ({"zone": "Mars/X"}, "/zone", "Give an IANA name"),
        ({"minutes": 4}, "/minutes", "greater than or equal to 5"),
        ({"minutes": 601}, "/minutes", "less than or equal to 600"),
        ({"minutes": "60"}, "/minutes", "valid integer"),
        ({"patient": "somebody"}, "/patient", "UUID"),
        ({"colour": "red"}, "/colour", "not permitted"),
    ],
)
async def test_what_cannot_be_booked_is_refused_with_its_place_and_the_remedy(
    harness: SchedulerHarness, wrong: dict[str, object], pointer: str, remedy: str
) -> None:
    body = {"patient": str(harness.patient), "starts_at": "2026-12-10T10:00", "minutes": 60, **wrong}
    answer = await harness.bench.call("POST", "/sessions", body)
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == pointer
    assert remedy in answer.json["errors"][0]["detail"]
    assert await harness.bench.pending() == {}


async def test_a_second_session_at_the_same_time_is_refused(harness: SchedulerHarness) -> None:
    await harness.book("2026-12-10T10:00")
    answer = await harness.try_to_book("2026-12-10T16:30", zone="Europe/Madrid", minutes=30)
    assert answer.status == 409
    assert "2026-12-10 at 10:00" in answer.json["detail"]


async def test_a_session_may_begin_when_another_ends(harness: SchedulerHarness) -> None:
    await harness.book("2026-12-10T10:00")
    assert (await harness.try_to_book("2026-12-10T11:00")).status == 201


async def test_a_cancelled_session_frees_its_time(harness: SchedulerHarness) -> None:
    await harness.end(await harness.book("2026-12-10T10:00"), "cancel")
    assert (await harness.try_to_book("2026-12-10T10:00")).status == 201


async def test_a_session_may_move_within_its_own_time(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    moved = await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-10T10:30"})
    assert (moved.status, moved.json["version"], moved.json["starts_at"]) == (200, 2, "2026-12-10T10:30")
    assert len(await harness.said(SessionMoved)) == 1


async def test_a_move_to_the_same_time_changes_nothing_and_keeps_the_patients_yes(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    await harness.reply(session["id"], 1)
    same = await harness.bench.call("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-10T10:00"})
    assert (same.status, same.json["state"], same.json["version"]) == (200, "confirmed", 2)
    assert await harness.said(SessionMoved) == []


@pytest.mark.parametrize("words", ["calm\x00", "x" * 2001, 7])
async def test_a_note_that_cannot_be_kept_is_refused(harness: SchedulerHarness, words: object) -> None:
    session = await harness.book("2026-12-10T10:00")
    answer = await harness.bench.call("POST", f"/sessions/{session['id']}/cancel", {"note": words})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/note")


async def test_a_move_onto_another_session_or_into_the_past_is_refused(harness: SchedulerHarness) -> None:
    await harness.book("2026-12-10T10:00")
    session = await harness.book("2026-12-11T10:00")
    path = f"/sessions/{session['id']}"
    assert (await harness.bench.call("PATCH", path, {"starts_at": "2026-12-10T10:30"})).status == 409
    assert (await harness.bench.call("PATCH", path, {"starts_at": "2026-11-10T10:30"})).status == 422
    assert (await harness.bench.call("GET", path)).json["version"] == 1


async def test_a_repeated_booking_answers_as_the_first_and_books_once(harness: SchedulerHarness) -> None:
    key = {"Idempotency-Key": "booking-1"}
    first = await harness.try_to_book("2026-12-10T10:00", headers=key)
    again = await harness.try_to_book("2026-12-10T10:00", headers=key)
    assert (again.status, again.json) == (201, first.json)
    assert len(await harness.said(SessionBooked)) == 1


async def test_the_same_key_for_another_booking_is_refused(harness: SchedulerHarness) -> None:
    key = {"Idempotency-Key": "booking-1"}
    await harness.try_to_book("2026-12-10T10:00", headers=key)
    assert (await harness.try_to_book("2026-12-11T10:00", headers=key)).status == 422


async def test_a_change_against_an_old_version_is_refused_and_changes_nothing(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-10T10:00")
    path = f"/sessions/{session['id']}"
    first = await harness.bench.call("PATCH", path, {"starts_at": "2026-12-11T10:00"}, headers={"If-Match": '"1"'})
    etag = {name.lower(): value for name, value in first.headers.items()}["etag"]
    assert (first.status, etag) == (200, '"2"')
    for method, where, body in (
        ("PATCH", path, {"starts_at": "2026-12-12T10:00"}),
        ("POST", f"{path}/cancel", {}),
        ("POST", f"{path}/attend", {}),
        ("POST", f"{path}/miss", {}),
    ):
        assert (await harness.bench.call(method, where, body, headers={"If-Match": '"1"'})).status == 412
    assert (await harness.bench.call("GET", path)).json["starts_at"] == "2026-12-11T10:00"


async def test_another_clinic_sees_nothing_and_changes_nothing(harness: SchedulerHarness) -> None:
    await harness.start()
    session = await harness.book("2026-12-10T10:00")
    other = harness.bench.token(clinic=ClinicId(uuid4()))
    body = {"patient": str(harness.patient), "starts_at": "2026-12-12T10:00", "minutes": 60}
    for method, path, sent in (
        ("GET", f"/sessions/{session['id']}", None),
        ("PATCH", f"/sessions/{session['id']}", {"starts_at": "2026-12-11T10:00"}),
        ("POST", f"/sessions/{session['id']}/cancel", {}),
        ("POST", "/sessions", body),
        ("GET", f"/patients/{harness.patient}/sessions", None),
        ("GET", f"/patients/{harness.patient}/plan", None),
        ("POST", f"/patients/{harness.patient}/plans", {"protocol": "iv-ketamine", "start_on": "2026-12-01"}),
    ):
        assert (await harness.bench.call(method, path, sent, token=other)).status == 404, path


async def test_who_may_only_read_books_nothing(harness: SchedulerHarness) -> None:
    token = harness.bench.token(scopes=frozenset({Scope.READ}))
    body = {"patient": str(harness.patient), "starts_at": "2026-12-12T10:00", "minutes": 60}
    assert (await harness.bench.call("POST", "/sessions", body, token=token)).status == 403
    assert (await harness.bench.call("GET", f"/patients/{harness.patient}/sessions", token=token)).status == 200


async def test_a_patient_who_was_enrolled_just_now_is_waited_for(
    harness: SchedulerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = uuid4()
    waited: list[float] = []
    pause = harness.bench.clock.pause

    async def enrol_meanwhile(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            await harness.enrol(patient=late)
        await pause(0)

    monkeypatch.setattr(harness.bench.clock, "pause", enrol_meanwhile)
    body = {"patient": str(late), "starts_at": "2026-12-10T10:00", "minutes": 60}
    assert (await harness.bench.call("POST", "/sessions", body)).status == 201


async def test_a_patient_who_never_comes_is_not_found_after_a_bounded_wait(
    harness: SchedulerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def at_once(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(harness.bench.clock, "pause", at_once)
    assert (await harness.bench.call("GET", f"/patients/{uuid4()}/plan")).status == 404
    assert sum(waited) == pytest.approx(KNOWN_WITHIN)


async def test_sessions_are_listed_page_by_page(harness: SchedulerHarness) -> None:
    booked = [(await harness.book(f"2026-12-{day}T10:00"))["id"] for day in (12, 10, 14)]
    first = (await harness.bench.call("GET", f"/patients/{harness.patient}/sessions?limit=2")).json
    rest = (await harness.bench.call("GET", f"/patients/{harness.patient}/sessions?limit=2&after={first['next']}")).json
    assert [item["id"] for item in first["items"] + rest["items"]] == booked
    assert rest["next"] is None


async def test_protocols_are_listed_with_phases_and_the_source_of_each_rule(harness: SchedulerHarness) -> None:
    listed = (await harness.bench.call("GET", "/protocols")).json["items"]
    assert [(each["id"], each["version"]) for each in listed] == [(each.id, each.version) for each in PROTOCOLS]
    protocol = next(each for each in listed if each["version"] == newest("iv-ketamine").version)
    assert protocol["phases"][0]["days"] == [0, 3, 7, 10, 14, 17]
    assert protocol["phases"][1]["ladder"] == [7, 14, 21, 28, 42, 56, 84]
    assert all(rule["source_url"] and rule["grade"] for phase in protocol["phases"] for rule in phase["rules"])
