import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.assessments.history import HISTORY
from services.assessments.service import build
from shared.bus import NotYet
from shared.clock import SteppedClock
from shared.events import (
    CheckinCompleted,
    CheckinDue,
    CheckinExpired,
    CheckinOpened,
    IntervalProposed,
    MessageDelivered,
    MessageWithheld,
    PatientDischarged,
    PatientEnrolled,
)
from shared.settings import Settings
from tests.integration.assessments.harness import NINE_ZEROS, AssessmentsHarness, a_contact, spread
from tests.support.bench import KEYRING, bench_of
from tests.support.databases import Databases

CODED = "A list that is coded 1 to 4 must be brought to 0 to 3 first: take 1 off each."


async def opened(harness: AssessmentsHarness, *instruments: str) -> str:
    body = {"patient": str(harness.patient), "instruments": list(instruments)}
    answer = await harness.bench.call("POST", "/checkins", body)
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/checkins", {"instruments": ["phq-9"]}),
        ("/patients/{}/outside-changes", {"kind": "dose", "happened_on": "2026-11-30"}),
        ("/patients/{}/scores", None),
        ("/patients/{}/checkins", None),
        ("/patients/{}/proposals", None),
    ],
)
async def test_a_patient_who_was_enrolled_just_now_is_not_unknown(
    harness: AssessmentsHarness, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, object] | None
) -> None:
    late, waited, pause = uuid4(), [], harness.bench.clock.pause

    async def enrol_meanwhile(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            await harness.enrol(patient=late)
        await pause(0)

    monkeypatch.setattr(harness.bench.clock, "pause", enrol_meanwhile)
    whole = None if body is None else body | ({} if "{}" in path else {"patient": str(late)})
    answer = await harness.bench.call("GET" if body is None else "POST", path.format(late), whole)
    assert answer.status == (200 if body is None else 201), answer.text


async def test_a_check_in_that_is_due_is_told_with_its_link_sealed(harness: AssessmentsHarness) -> None:
    event = await harness.ask("phq-9")
    assert "/c/" not in event.model_dump_json()
    assert event.asked_for == harness.today
    (checkin,) = await harness.items(f"/patients/{harness.patient}/checkins")
    assert (checkin["state"], checkin["asked_for"], checkin["instruments"]) == (
        "open",
        harness.today.isoformat(),
        ["phq-9"],
    )


async def test_a_check_in_for_a_patient_who_is_not_known_yet_waits(harness: AssessmentsHarness) -> None:
    due = CheckinDue(
        clinic=harness.bench.clinic,
        version=1,
        patient=uuid4(),
        session=uuid4(),
        plan=None,
        occurrence="day-1",
        asked_for=harness.today,
        instruments=("post-session",),
    )
    with pytest.raises(NotYet):
        await harness.bench.tell(due)


async def test_staff_open_a_check_in_now_and_enter_answers_by_phone(harness: AssessmentsHarness) -> None:
    checkin = await opened(harness, "phq-9")
    body = {"instrument": "phq-9", "answers": [1, 1, 1, 1, 1, 1, 1, 1, 0], "entered_by": "Nurse Kim"}
    answer = await harness.bench.call("POST", f"/checkins/{checkin}/answers", body)
    assert answer.status == 200
    assert (answer.json["total"], answer.json["band"], answer.json["flags"]) == (8, "mild", [])
    assert (answer.json["state"], answer.json["alert"]) == ("completed", None)
    (score,) = await harness.items(f"/patients/{harness.patient}/scores")
    assert (score["checkin"], score["instrument"], score["total"]) == (checkin, "phq-9", 8)
    again = await harness.bench.call("POST", f"/checkins/{checkin}/answers", body)
    assert again.status == 409


async def test_instruments_are_told_word_by_word_in_the_order_that_answers_are_given_in(
    harness: AssessmentsHarness,
) -> None:
    by_id = {one["id"]: one for one in await harness.items("/instruments")}
    phq9 = by_id["phq-9"]
    assert (phq9["version"], phq9["validated"]) == (1, True)
    symptoms, difficulty = phq9["languages"]["en"]["sections"]
    assert [item["id"] for item in symptoms["items"]] == [str(number) for number in range(1, 10)]
    assert symptoms["items"][0]["text"] == "Little interest or pleasure in doing things"
    assert symptoms["items"][0]["options"][3] == {"value": 3, "text": "Nearly every day"}
    assert not difficulty["items"][0]["required"]
    mood = by_id["post-session"]["languages"]["es"]["sections"][0]["items"][0]
    assert mood["text"] == "¿Cómo está su ánimo hoy?"
    assert [option["value"] for option in mood["options"]] == list(range(11))


async def test_answers_by_phone_raise_the_same_alert(harness: AssessmentsHarness) -> None:
    checkin = await opened(harness, "phq-9")
    body = {"instrument": "phq-9", "answers": [*NINE_ZEROS[:8], 2], "entered_by": "Nurse Kim"}
    answer = await harness.bench.call("POST", f"/checkins/{checkin}/answers", body)
    assert answer.json["flags"] == ["item9"]
    (alert,) = await harness.items("/alerts")
    assert (alert["id"], alert["level"], alert["checkin"]) == (answer.json["alert"], "high", checkin)


@pytest.mark.parametrize(
    ("answers", "pointer", "detail"),
    [
        ([0] * 8, "/answers", "phq-9 takes 9 answers; 8 came. Send difficulty by its own name."),
        ([0, 0, 4, 0, 0, 0, 0, 0, 0], "/answers/2", f"4 is outside 0 to 3. {CODED}"),
        ([0, 0, "1", 0, 0, 0, 0, 0, 0], "/answers/2", "Input should be a valid integer"),
        ([0, 0, True, 0, 0, 0, 0, 0, 0], "/answers/2", "Input should be a valid integer"),
    ],
)
async def test_wrong_answers_are_refused_with_their_place(
    harness: AssessmentsHarness, answers: list[object], pointer: str, detail: str
) -> None:
    checkin = await opened(harness, "phq-9")
    body = {"instrument": "phq-9", "answers": answers, "entered_by": "Nurse"}
    answer = await harness.bench.call("POST", f"/checkins/{checkin}/answers", body)
    assert answer.status == 422
    assert answer.json["errors"] == [{"pointer": pointer, "detail": detail}]
    assert await harness.items(f"/patients/{harness.patient}/scores") == []


async def test_an_instrument_that_was_not_asked_is_refused(harness: AssessmentsHarness) -> None:
    checkin = await opened(harness, "post-session")
    body = {"instrument": "phq-9", "answers": NINE_ZEROS, "entered_by": "Nurse"}
    answer = await harness.bench.call("POST", f"/checkins/{checkin}/answers", body)
    assert answer.json["errors"][0]["pointer"] == "/instrument"


@pytest.mark.parametrize(
    ("instruments", "pointer"),
    [([], "/instruments"), (["phq-9", "gad-2"], "/instruments/1"), (["phq-9", "phq-9"], "/instruments/1")],
)
async def test_a_check_in_of_unknown_instruments_is_refused(
    harness: AssessmentsHarness, instruments: list[str], pointer: str
) -> None:
    body = {"patient": str(harness.patient), "instruments": instruments}
    answer = await harness.bench.call("POST", "/checkins", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer)


async def test_another_clinics_patient_and_check_in_are_not_found(harness: AssessmentsHarness) -> None:
    checkin = await opened(harness, "phq-9")
    stranger = harness.bench.token(clinic=uuid4())  # type: ignore[arg-type]
    body = {"patient": str(harness.patient), "instruments": ["phq-9"]}
    entered = {"instrument": "phq-9", "answers": NINE_ZEROS, "entered_by": "Nurse"}
    assert (await harness.bench.call("POST", "/checkins", body, token=stranger)).status == 404
    assert (await harness.bench.call("POST", f"/checkins/{checkin}/answers", entered, token=stranger)).status == 404
    for part in ("checkins", "scores", "proposals"):
        path = f"/patients/{harness.patient}/{part}"
        assert (await harness.bench.call("GET", path, token=stranger)).status == 404
        assert (await harness.bench.call("GET", path, token="")).status == 401


async def test_the_post_session_check_flags_each_bladder_symptom_and_blood_reaches_a_person(
    harness: AssessmentsHarness,
) -> None:
    checkin = await opened(harness, "post-session")
    body = {"instrument": "post-session", "answers": [4, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1], "entered_by": "Nurse"}
    answer = await harness.bench.call("POST", f"/checkins/{checkin}/answers", body)
    assert answer.json["flags"] == ["side-effect:sleepy", "bladder:urgency", "bladder:blood"]
    assert (answer.json["total"], answer.json["band"], answer.json["answers"]["mood"]) == (None, None, 4)
    assert [(alert["kind"], alert["level"]) for alert in await harness.items("/alerts")] == [("bladder", "elevated")]


async def test_the_result_travels_sealed_and_lies_sealed(harness: AssessmentsHarness) -> None:
    await harness.phq9(14)
    (event,) = await harness.bench.said(CheckinCompleted)
    assert "moderate" not in event.model_dump_json()
    assert '"total": 14' in KEYRING.open(event.result, context="result")
    async with harness.bench.database.reading() as reader:
        rows = await reader.all(
            text("SELECT scores::text AS whole FROM scores UNION SELECT answers::text FROM answers")
        )
    assert len(rows) == 2
    assert not any("moderate" in row.whole or '"9"' in row.whole for row in rows)


async def test_lists_come_in_pages_newest_first(harness: AssessmentsHarness) -> None:
    ids = [await opened(harness, "phq-9") for _ in range(3)]
    first = (await harness.bench.call("GET", f"/patients/{harness.patient}/checkins?limit=2")).json
    assert [one["id"] for one in first["items"]] == [ids[2], ids[1]]
    path = f"/patients/{harness.patient}/checkins?limit=2&after={first['next']}"
    rest = (await harness.bench.call("GET", path)).json
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([ids[0]], None)


async def test_what_became_of_the_text_with_the_link_is_shown(harness: AssessmentsHarness) -> None:
    event = await harness.ask("phq-9")
    message = uuid4()
    told = {
        "clinic": harness.bench.clinic,
        "patient": harness.patient,
        "message": message,
        "purpose": "checkin",
        "channel": "sms",
        "occurrence": event.occurrence,
        "about": event.checkin,
        "to": "+1•••••••0100",
        "at": harness.bench.clock.now(),
    }
    await harness.bench.tell(MessageDelivered(version=3, **told))
    await harness.bench.tell(MessageWithheld(version=2, reason="no consent", **told))
    (checkin,) = await harness.items(f"/patients/{harness.patient}/checkins")
    assert (checkin["text"]["state"], checkin["text"]["reason"]) == ("delivered", None)


async def test_a_discharged_patient_is_asked_nothing_more(harness: AssessmentsHarness) -> None:
    event = await harness.ask("phq-9")
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=2, patient=harness.patient))
    (expired,) = await harness.bench.said(CheckinExpired)
    assert expired.checkin == event.checkin
    assert (await harness.bench.call("GET", harness.path(event), token="")).status == 410
    body = {"patient": str(harness.patient), "instruments": ["phq-9"]}
    assert (await harness.bench.call("POST", "/checkins", body)).status == 409
    assert await harness.bench.pending() == {}
    await harness.due("phq-9", occurrence="day-14")
    assert await harness.bench.said(CheckinOpened) == [event]


async def test_an_answer_after_midnight_counts_for_the_day_it_was_asked_for(harness: AssessmentsHarness) -> None:
    event = await harness.ask("phq-9")
    await harness.bench.clock.move_to(event.expires_at.replace(day=event.expires_at.day - 5))
    assert harness.today > event.asked_for
    await harness.send(harness.path(event), "phq-9", spread(3))
    (score,) = await harness.items(f"/patients/{harness.patient}/scores")
    assert score["asked_for"] == event.asked_for.isoformat()


async def test_rules_are_listed_with_source_and_grade(harness: AssessmentsHarness) -> None:
    rules = {rule["id"]: rule for rule in await harness.items("/rules")}
    ladder = rules["interval-ladder-a"]
    assert (ladder["grade"], ladder["runs"], ladder["signed_by"]) == ("ENGINEERING_DEFAULT", True, "for trial")
    assert rules["interval-beyond-28-days"]["runs"] is False
    assert rules["alert-urgency"]["runs"] is True


async def test_a_rule_is_signed_by_name(harness: AssessmentsHarness) -> None:
    answer = await harness.bench.call("POST", "/rules/interval-beyond-28-days/sign", {"note": "Agreed in the meeting."})
    assert (answer.status, answer.json["runs"], answer.json["signed_by"]) == (200, True, "test")
    rules = {rule["id"]: rule for rule in await harness.items("/rules")}
    assert rules["interval-beyond-28-days"]["note"] == "Agreed in the meeting."
    assert (await harness.bench.call("POST", "/rules/nothing/sign", {})).status == 404
    assert (await harness.bench.call("POST", "/rules/phq-9-bands/sign", {})).status == 409


async def test_with_a_live_provider_nothing_is_proposed_until_the_rule_is_signed(
    databases: Databases, clock: SteppedClock
) -> None:
    live = Settings(
        twilio_account_sid="AC1",
        twilio_auth_token="secret",
        twilio_from="+15550100000",
        public_url="https://keepwell.example.org",
    )
    database = await databases.fresh(HISTORY, clock)
    async with bench_of(build, database, clock, settings=live) as bench:
        harness = AssessmentsHarness(bench)
        await harness.open()
        await harness.phq9(12)
        assert await bench.said(IntervalProposed) == []
        rules = {rule["id"]: rule for rule in await harness.items("/rules")}
        assert rules["interval-ladder-a"]["runs"] is False
        assert (await bench.call("POST", "/rules/interval-ladder-a/sign", {})).status == 200
        await harness.phq9(12)
        assert len(await bench.said(IntervalProposed)) == 1
    await database.close()


async def test_a_repeated_order_opens_one_check_in(harness: AssessmentsHarness) -> None:
    body = {"patient": str(harness.patient), "instruments": ["phq-9"]}
    first = await harness.bench.call("POST", "/checkins", body, headers={"Idempotency-Key": "k"})
    again = await harness.bench.call("POST", "/checkins", body, headers={"Idempotency-Key": "k"})
    assert again.json == first.json
    assert len(await harness.bench.said(CheckinOpened)) == 1


async def test_two_forms_at_once_make_one_completion_and_one_proposal(harness: AssessmentsHarness) -> None:
    path = harness.path(await harness.ask("phq-9"))
    pages = await asyncio.gather(*(harness.send(path, "phq-9", spread(6)) for _ in range(6)))
    assert {(page.status, page.text) for page in pages} == {(200, pages[0].text)}
    assert len(await harness.bench.said(CheckinCompleted)) == 1
    assert len(await harness.proposals()) == 1


async def test_two_nurses_at_once_are_not_both_right(harness: AssessmentsHarness) -> None:
    checkin = await opened(harness, "phq-9")
    body = {"instrument": "phq-9", "answers": NINE_ZEROS, "entered_by": "Nurse"}
    path = f"/checkins/{checkin}/answers"
    answers = await asyncio.gather(*(harness.bench.call("POST", path, body) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]


async def test_the_service_counts_what_it_did(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=1)
    await harness.ask("post-session")
    async with harness.bench.database.reading() as reader:
        counts = await harness.bench.service.status(reader)
    assert counts == {
        "checkins_opened": 2,
        "checkins_completed": 1,
        "checkins_expired": 0,
        "alerts": 1,
        "open_alerts": 1,
        "proposals": 1,
        "open_proposals": 0,
        "decisions": 0,
    }


async def test_a_baseline_belongs_to_its_plan_and_is_opened_once(harness: AssessmentsHarness) -> None:
    baseline = CheckinDue(
        clinic=harness.bench.clinic,
        version=1,
        patient=harness.patient,
        plan=harness.plan,
        occurrence="baseline",
        asked_for=harness.today,
        instruments=("phq-9",),
    )
    await harness.bench.tell(baseline)
    await harness.bench.tell(baseline)
    await harness.bench.tell(baseline.model_copy(update={"plan": uuid4()}))
    opened = await harness.bench.said(CheckinOpened)
    assert [event.occurrence for event in opened] == ["baseline", "baseline"], "one for each plan"


async def test_a_week_of_the_induction_is_asked_though_the_plan_went_on_since_it_was_set(
    harness: AssessmentsHarness,
) -> None:
    for interval in (3, 4, 3):
        await harness.plan_is(phase="induction", interval=interval)
    week = CheckinDue(
        clinic=harness.bench.clinic,
        version=1,
        patient=harness.patient,
        plan=harness.plan,
        occurrence="week-1",
        asked_for=harness.today,
        instruments=("post-session", "phq-9"),
    )
    await harness.bench.tell(week)
    (opened,) = await harness.bench.said(CheckinOpened)
    assert opened.instruments == ("post-session", "phq-9")


async def _back(harness: AssessmentsHarness, version: int) -> None:
    await harness.bench.tell(
        PatientEnrolled(
            clinic=harness.bench.clinic,
            version=version,
            patient=harness.patient,
            language="en",
            zone="America/New_York",
            given_name=KEYRING.seal("Ana", context="name"),
            contacts=(a_contact("+12025550123"),),
        )
    )


async def test_a_second_word_of_discharge_that_comes_late_never_ends_the_questions_again(
    harness: AssessmentsHarness,
) -> None:
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=2, patient=harness.patient))
    await _back(harness, 3)
    await opened(harness, "phq-9")
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=2, patient=harness.patient))
    assert await harness.bench.said(CheckinExpired) == []
    await opened(harness, "post-session")


async def test_what_a_discharge_ended_is_never_asked_after_the_return(harness: AssessmentsHarness) -> None:
    event = await harness.ask("phq-9")
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=2, patient=harness.patient))
    await _back(harness, 3)
    assert (await harness.bench.call("GET", harness.path(event), token="")).status == 410
    assert await harness.bench.said(CheckinOpened) == [event]


async def test_a_change_never_brings_back_who_was_discharged(harness: AssessmentsHarness) -> None:
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=2, patient=harness.patient))
    await harness.enrol(language="es")
    await harness.enrol(language="es")
    body = {"patient": str(harness.patient), "instruments": ["phq-9"]}
    assert (await harness.bench.call("POST", "/checkins", body)).status == 409


async def test_a_return_whose_event_was_lost_is_never_the_end_of_the_questions(harness: AssessmentsHarness) -> None:
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, version=2, patient=harness.patient))
    for _ in range(3):
        await harness.enrol(in_care=True)
    await opened(harness, "phq-9")


async def test_a_discharge_whose_event_was_lost_ends_the_questions_at_the_next_change(
    harness: AssessmentsHarness,
) -> None:
    event = await harness.ask("phq-9")
    await harness.enrol(in_care=False)
    assert [one.checkin for one in await harness.bench.said(CheckinExpired)] == [event.checkin]
    assert (await harness.bench.call("GET", harness.path(event), token="")).status == 410
    body = {"patient": str(harness.patient), "instruments": ["phq-9"]}
    assert (await harness.bench.call("POST", "/checkins", body)).status == 409
