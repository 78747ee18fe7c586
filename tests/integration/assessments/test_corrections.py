"""What rested on a wrong record of a session is taken back."""

from datetime import date, timedelta
from uuid import UUID

from shared.events import CheckinDue, CheckinExpired, SessionCorrected
from shared.walltime import to_wall, wall_text
from tests.integration.assessments.harness import ZONE, AssessmentsHarness
from tests.integration.assessments.test_proposals import cycle, through_induction
from tests.support.bench import KEYRING


async def corrected(
    harness: AssessmentsHarness, session: UUID, state: str, *, before: str, version: int = 3, on: date | None = None
) -> None:
    now = harness.bench.clock.now()
    await harness.bench.tell(
        SessionCorrected(
            clinic=harness.bench.clinic,
            version=version,
            patient=harness.patient,
            session=session,
            plan=harness.plan,
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
            attended_on=(on or harness.today) if state == "attended" else None,
        )
    )


async def test_the_wrong_patient_is_no_longer_asked_about_a_session_they_never_had(harness: AssessmentsHarness) -> None:
    session = await harness.attend()
    opened = await harness.ask("post-session", occurrence="day-1", session=session)
    other = await harness.ask("phq-9", occurrence="day-7")
    await corrected(harness, session, "booked", before="attended")
    ended = await harness.bench.said(CheckinExpired)
    assert [event.checkin for event in ended] == [opened.checkin]
    states = {item["id"]: item["state"] for item in await harness.items(f"/patients/{harness.patient}/checkins")}
    assert (states[str(opened.checkin)], states[str(other.checkin)]) == ("expired", "open")
    await harness.bench.said(clear=True)
    await harness.bench.tell(
        CheckinDue(
            clinic=harness.bench.clinic,
            version=2,
            patient=harness.patient,
            session=session,
            plan=harness.plan,
            occurrence="day-3",
            asked_for=harness.today,
            instruments=("post-session",),
        )
    )
    assert await harness.bench.said() == [], "a question that was on its way already is void"


async def test_a_proposal_built_on_a_wrong_record_is_superseded(harness: AssessmentsHarness) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    session = await harness.attend()
    await cycle(harness, (4, 4, 4))
    proposal = (await harness.proposals())[0]
    assert (proposal["direction"], proposal["state"]) == ("lengthen", "open")
    await corrected(harness, session, "missed", before="attended")
    states = {one["id"]: one["state"] for one in await harness.proposals()}
    assert states[proposal["id"]] == "superseded"


async def test_a_corrected_session_leaves_no_cycle_without_a_proposal(harness: AssessmentsHarness) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    held_on, session = harness.today, await harness.attend()
    await cycle(harness, (4, 4, 4))
    before = (await harness.proposals())[0]
    await corrected(harness, session, "missed", before="attended")
    fresh = (await harness.proposals())[0]
    assert fresh["id"] != before["id"]
    assert (fresh["direction"], fresh["state"]) == ("hold", "held"), "one cycle is left of the two"
    await corrected(harness, session, "attended", before="missed", version=4, on=held_on)
    (again,) = [one for one in await harness.proposals() if one["state"] in {"open", "held"}]
    assert again["id"] not in {before["id"], fresh["id"]}
    assert (again["direction"], again["state"]) == ("lengthen", "open")


async def test_a_correction_that_leads_back_to_induction_leaves_no_proposal_to_lengthen(
    harness: AssessmentsHarness,
) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    session = await harness.attend()
    await cycle(harness, (4, 4, 4))
    assert (await harness.proposals())[0]["direction"] == "lengthen"
    await corrected(harness, session, "missed", before="attended")
    await harness.plan_is(phase="induction", interval=3)
    now = (await harness.proposals())[0]
    assert (now["direction"], now["state"], now["from_days"]) == ("hold", "held", 3)
    assert now["reasons"][0]["code"] == "induction-not-complete"


async def test_a_refused_interval_is_not_proposed_again_since_a_record_was_corrected_there_and_back(
    harness: AssessmentsHarness,
) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    held_on, session = harness.today, await harness.attend()
    await cycle(harness, (4, 4, 4))
    proposal = (await harness.proposals())[0]
    body = {"decision": "refuse", "reason": "Not before the summer."}
    assert (await harness.bench.call("POST", f"/proposals/{proposal['id']}/decision", body)).status == 200
    await corrected(harness, session, "missed", before="attended")
    await corrected(harness, session, "attended", before="missed", version=4, on=held_on)
    assert not [one for one in await harness.proposals() if one["state"] == "open"]


async def test_a_correction_of_a_session_that_nothing_rests_on_ends_nothing(harness: AssessmentsHarness) -> None:
    await harness.plan_is(phase="maintenance", interval=28, complete=True)
    session = await harness.attend()
    opened = await harness.ask("phq-9", session=session)
    await corrected(harness, session, "cancelled", before="missed", version=1)
    states = {item["id"]: item["state"] for item in await harness.items(f"/patients/{harness.patient}/checkins")}
    assert states[str(opened.checkin)] == "open", "older news than is kept"


async def test_a_correction_that_completes_the_induction_never_waits_for_the_next_measure(
    harness: AssessmentsHarness,
) -> None:
    await harness.phq9(20)
    await harness.live_until(harness.today + timedelta(days=1))
    session, held_on = await harness.attend(), harness.today
    await corrected(harness, session, "missed", before="attended")
    await harness.live_until(harness.today + timedelta(days=7))
    await harness.phq9(4)
    assert (await harness.proposals())[0]["reasons"][0]["code"] == "induction-not-complete"
    await corrected(harness, session, "attended", before="missed", version=4, on=held_on)
    await harness.plan_is(phase="maintenance", interval=21, complete=True)
    (now,) = [one for one in await harness.proposals() if one["state"] in {"open", "held"}]
    assert now["from_days"] == 21
    assert now["reasons"][0]["code"] != "induction-not-complete"
    assert [reading["total"] for reading in now["evidence"]][-1] == 4


async def test_a_correction_proposes_at_once_where_the_measures_suffice(harness: AssessmentsHarness) -> None:
    await harness.phq9(20)
    await harness.live_until(harness.today + timedelta(days=1))
    session, held_on = await harness.attend(), harness.today
    await corrected(harness, session, "missed", before="attended")
    await cycle(harness, (4, 4, 4, 4, 15, 16), days=42)
    assert not [one for one in await harness.proposals() if one["state"] == "open"]
    await corrected(harness, session, "attended", before="missed", version=4, on=held_on)
    await harness.plan_is(phase="maintenance", interval=21, complete=True)
    now = (await harness.proposals())[0]
    assert (now["direction"], now["from_days"], now["to_days"]) == ("shorten", 21, 14)


async def test_the_last_session_recorded_days_late_never_waits_for_the_next_measure(
    harness: AssessmentsHarness,
) -> None:
    await harness.phq9(20)
    held_on = harness.today + timedelta(days=1)
    await harness.live_until(held_on)
    await cycle(harness, (4, 4, 4, 4, 15, 16), days=42)
    await harness.attend(on=held_on)
    await harness.plan_is(phase="maintenance", interval=21, complete=True)
    now = (await harness.proposals())[0]
    assert (now["direction"], now["from_days"], now["to_days"]) == ("shorten", 21, 14)


async def test_a_session_of_maintenance_recorded_days_late_is_reckoned_with_at_once(
    harness: AssessmentsHarness,
) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    held_on = harness.today
    await cycle(harness, (4, 4, 4))
    before = (await harness.proposals())[0]
    assert before["state"] == "held", "without the session all is one cycle"
    await harness.attend(on=held_on)
    (now,) = [one for one in await harness.proposals() if one["state"] in {"open", "held"}]
    assert now["id"] != before["id"]
    assert now["direction"] == "lengthen"


async def test_the_last_session_of_the_induction_recorded_on_its_day_asks_nothing_anew(
    harness: AssessmentsHarness,
) -> None:
    await harness.phq9(20)
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.attend()
    (before,) = await harness.proposals()
    await harness.plan_is(phase="maintenance", interval=21, complete=True)
    assert [(one["id"], one["state"]) for one in await harness.proposals()] == [(before["id"], "superseded")]


async def test_a_plan_that_goes_on_after_it_had_ended_never_waits_for_the_next_measure(
    harness: AssessmentsHarness,
) -> None:
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    await harness.attend()
    await cycle(harness, (4, 4, 4))
    before = (await harness.proposals())[0]
    assert (before["direction"], before["state"]) == ("lengthen", "open")
    await harness.plan_is(phase="maintenance", interval=21, complete=True, active=False)
    assert (await harness.proposals())[0]["state"] == "superseded"
    await harness.plan_is(phase="maintenance", interval=21, complete=True)
    now = (await harness.proposals())[0]
    assert (now["direction"], now["state"], now["id"] != before["id"]) == ("lengthen", "open", True)
