"""What rested on a wrong record of a session is taken back."""

from uuid import UUID

from shared.events import CheckinDue, CheckinExpired, SessionCorrected
from shared.walltime import to_wall, wall_text
from tests.integration.assessments.test_proposals import cycle, through_induction
from tests.integration.assessments.ward import ZONE, Ward
from tests.support.bench import KEYRING


async def corrected(ward: Ward, session: UUID, state: str, *, before: str, version: int = 3) -> None:
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
            attended_on=ward.today if state == "attended" else None,
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
    assert (await ward.proposals())[0]["state"] == "superseded"


async def test_a_correction_of_a_session_that_nothing_rests_on_ends_nothing(ward: Ward) -> None:
    await ward.plan_is(phase="maintenance", interval=28, complete=True)
    session = await ward.attend()
    opened = await ward.ask("phq-9", session=session)
    await corrected(ward, session, "cancelled", before="missed", version=1)
    states = {item["id"]: item["state"] for item in await ward.items(f"/patients/{ward.patient}/checkins")}
    assert states[str(opened.checkin)] == "open", "older news than is kept"
