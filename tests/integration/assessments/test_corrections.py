"""What rested on a wrong record of a session is taken back."""

from datetime import date, timedelta
from uuid import UUID

from shared.events import CheckinDue, CheckinExpired, SessionCorrected
from shared.walltime import to_wall, wall_text
from tests.integration.assessments.test_proposals import cycle, through_induction
from tests.integration.assessments.ward import ZONE, Ward
from tests.support.bench import KEYRING


async def corrected(
    ward: Ward, session: UUID, state: str, *, before: str, version: int = 3, on: date | None = None
) -> None:
    now = ward.bench.clock.now()
    await ward.bench.tell(
        SessionCorrected(
            clinic=ward.bench.clinic,
            version=version,
            patient=ward.patient,
            session=session,
            plan=ward.plan,
            starts_at=wall_text(to_wall(now, ZONE)),
            zone=ZONE,
            starts_at_utc=now,
            minutes=60,
            state=state,
            before=before,
            by="Nurse Kim",
            at=now,
            reason=KEYRING.seal("The wrong patient.", context="correction"),
            attended_at=now if state == "attended" else None,
            attended_on=(on or ward.today) if state == "attended" else None,
        )
    )


async def test_the_wrong_patient_is_no_longer_asked_about_a_session_they_never_had(ward: Ward) -> None:
    session = await ward.attend()
    opened = await ward.ask("post-session", occurrence="day-1", session=session)
    other = await ward.ask("phq-9", occurrence="day-7")
    await corrected(ward, session, "booked", before="attended")
    ended = await ward.bench.said(CheckinExpired)
    assert [event.checkin for event in ended] == [opened.checkin]
    states = {item["id"]: item["state"] for item in await ward.items(f"/patients/{ward.patient}/checkins")}
    assert (states[str(opened.checkin)], states[str(other.checkin)]) == ("expired", "open")
    await ward.bench.said(clear=True)
    await ward.bench.tell(
        CheckinDue(
            clinic=ward.bench.clinic,
            version=2,
            patient=ward.patient,
            session=session,
            plan=ward.plan,
            occurrence="day-3",
            asked_for=ward.today,
            instruments=("post-session",),
        )
    )
    assert await ward.bench.said() == [], "a question that was on its way already is void"


async def test_a_proposal_built_on_a_wrong_record_is_superseded(ward: Ward) -> None:
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    session = await ward.attend()
    await cycle(ward, (4, 4, 4))
    proposal = (await ward.proposals())[0]
    assert (proposal["direction"], proposal["state"]) == ("lengthen", "open")
    await corrected(ward, session, "missed", before="attended")
    states = {one["id"]: one["state"] for one in await ward.proposals()}
    assert states[proposal["id"]] == "superseded"


async def test_a_corrected_session_leaves_no_cycle_without_a_proposal(ward: Ward) -> None:
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    held_on, session = ward.today, await ward.attend()
    await cycle(ward, (4, 4, 4))
    before = (await ward.proposals())[0]
    await corrected(ward, session, "missed", before="attended")
    fresh = (await ward.proposals())[0]
    assert fresh["id"] != before["id"]
    assert (fresh["direction"], fresh["state"]) == ("hold", "held"), "one cycle is left of the two"
    await corrected(ward, session, "attended", before="missed", version=4, on=held_on)
    (again,) = [one for one in await ward.proposals() if one["state"] in {"open", "held"}]
    assert again["id"] not in {before["id"], fresh["id"]}
    assert (again["direction"], again["state"]) == ("lengthen", "open")


async def test_a_correction_that_leads_back_to_induction_leaves_no_proposal_to_lengthen(ward: Ward) -> None:
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    session = await ward.attend()
    await cycle(ward, (4, 4, 4))
    assert (await ward.proposals())[0]["direction"] == "lengthen"
    await corrected(ward, session, "missed", before="attended")
    await ward.plan_is(phase="induction", interval=3)
    now = (await ward.proposals())[0]
    assert (now["direction"], now["state"], now["from_days"]) == ("hold", "held", 3)
    assert now["reasons"][0]["code"] == "induction-not-complete"


async def test_a_refused_interval_is_not_proposed_again_since_a_record_was_corrected_there_and_back(ward: Ward) -> None:
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    held_on, session = ward.today, await ward.attend()
    await cycle(ward, (4, 4, 4))
    proposal = (await ward.proposals())[0]
    body = {"decision": "refuse", "reason": "Not before the summer."}
    assert (await ward.bench.call("POST", f"/proposals/{proposal['id']}/decision", body)).status == 200
    await corrected(ward, session, "missed", before="attended")
    await corrected(ward, session, "attended", before="missed", version=4, on=held_on)
    assert not [one for one in await ward.proposals() if one["state"] == "open"]


async def test_a_correction_of_a_session_that_nothing_rests_on_ends_nothing(ward: Ward) -> None:
    await ward.plan_is(phase="maintenance", interval=28, complete=True)
    session = await ward.attend()
    opened = await ward.ask("phq-9", session=session)
    await corrected(ward, session, "cancelled", before="missed", version=1)
    states = {item["id"]: item["state"] for item in await ward.items(f"/patients/{ward.patient}/checkins")}
    assert states[str(opened.checkin)] == "open", "older news than is kept"


async def test_a_correction_that_completes_the_induction_never_waits_for_the_next_measure(ward: Ward) -> None:
    await ward.phq9(20)
    await ward.live_until(ward.today + timedelta(days=1))
    session, held_on = await ward.attend(), ward.today
    await corrected(ward, session, "missed", before="attended")
    await ward.live_until(ward.today + timedelta(days=7))
    await ward.phq9(4)
    assert (await ward.proposals())[0]["reasons"][0]["code"] == "induction-not-complete"
    await corrected(ward, session, "attended", before="missed", version=4, on=held_on)
    await ward.plan_is(phase="maintenance", interval=21, complete=True)
    (now,) = [one for one in await ward.proposals() if one["state"] in {"open", "held"}]
    assert now["from_days"] == 21
    assert now["reasons"][0]["code"] != "induction-not-complete"
    assert [reading["total"] for reading in now["evidence"]][-1] == 4


async def test_a_correction_proposes_at_once_where_the_measures_suffice(ward: Ward) -> None:
    await ward.phq9(20)
    await ward.live_until(ward.today + timedelta(days=1))
    session, held_on = await ward.attend(), ward.today
    await corrected(ward, session, "missed", before="attended")
    await cycle(ward, (4, 4, 4, 4, 15, 16), days=42)
    assert not [one for one in await ward.proposals() if one["state"] == "open"]
    await corrected(ward, session, "attended", before="missed", version=4, on=held_on)
    await ward.plan_is(phase="maintenance", interval=21, complete=True)
    now = (await ward.proposals())[0]
    assert (now["direction"], now["from_days"], now["to_days"]) == ("shorten", 21, 14)


async def test_the_last_session_recorded_days_late_never_waits_for_the_next_measure(ward: Ward) -> None:
    await ward.phq9(20)
    held_on = ward.today + timedelta(days=1)
    await ward.live_until(held_on)
    await cycle(ward, (4, 4, 4, 4, 15, 16), days=42)
    await ward.attend(on=held_on)
    await ward.plan_is(phase="maintenance", interval=21, complete=True)
    now = (await ward.proposals())[0]
    assert (now["direction"], now["from_days"], now["to_days"]) == ("shorten", 21, 14)


async def test_a_session_of_maintenance_recorded_days_late_is_reckoned_with_at_once(ward: Ward) -> None:
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    held_on = ward.today
    await cycle(ward, (4, 4, 4))
    before = (await ward.proposals())[0]
    assert before["state"] == "held", "without the session all is one cycle"
    await ward.attend(on=held_on)
    (now,) = [one for one in await ward.proposals() if one["state"] in {"open", "held"}]
    assert now["id"] != before["id"]
    assert now["direction"] == "lengthen"


async def test_the_last_session_of_the_induction_recorded_on_its_day_asks_nothing_anew(ward: Ward) -> None:
    await ward.phq9(20)
    await ward.live_until(ward.today + timedelta(days=1))
    await ward.attend()
    (before,) = await ward.proposals()
    await ward.plan_is(phase="maintenance", interval=21, complete=True)
    assert [(one["id"], one["state"]) for one in await ward.proposals()] == [(before["id"], "superseded")]


async def test_a_plan_that_goes_on_after_it_had_ended_never_waits_for_the_next_measure(ward: Ward) -> None:
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    await ward.attend()
    await cycle(ward, (4, 4, 4))
    before = (await ward.proposals())[0]
    assert (before["direction"], before["state"]) == ("lengthen", "open")
    await ward.plan_is(phase="maintenance", interval=21, complete=True, active=False)
    assert (await ward.proposals())[0]["state"] == "superseded"
    await ward.plan_is(phase="maintenance", interval=21, complete=True)
    now = (await ward.proposals())[0]
    assert (now["direction"], now["state"], now["id"] != before["id"]) == ("lengthen", "open", True)
