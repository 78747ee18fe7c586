"""Two records of one person that were joined: the interval rule sees all that the person answered, and no day twice."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import AlertRaised, PatientDischarged, ReplyReceived, SessionAttended
from shared.walltime import to_wall
from tests.integration.assessments.test_proposals import cycle, decide, through_induction
from tests.integration.assessments.ward import ZONE, Ward, spread
from tests.support.bench import KEYRING


async def twin(ward: Ward) -> UUID:
    """Enrol the same person once more."""
    other = uuid4()
    await ward.enrol(patient=other)
    return other


async def join(ward: Ward, closed: UUID, kept: UUID | None = None, *, version: int = 2) -> None:
    goes_on = kept or ward.patient
    event = PatientDischarged(clinic=ward.bench.clinic, patient=closed, version=version, joined_into=goes_on)
    await ward.bench.tell(event)


async def answered(ward: Ward, patient: UUID, total: int, item_9: int = 0) -> None:
    """Take a PHQ-9 of today under another record."""
    body = {"patient": str(patient), "instruments": ["phq-9"]}
    checkin = (await ward.bench.call("POST", "/checkins", body)).json
    answers = [spread(total, item_9)[str(number)] for number in range(1, 10)]
    taken = {"instrument": "phq-9", "answers": answers, "entered_by": "Nurse"}
    answer = await ward.bench.call("POST", f"/checkins/{checkin['id']}/answers", taken)
    assert answer.status == 200, answer.text


async def attended(ward: Ward, patient: UUID) -> None:
    """Tell of a session attended today under another record."""
    now = ward.bench.clock.now()
    await ward.bench.tell(
        SessionAttended(
            clinic=ward.bench.clinic,
            version=2,
            patient=patient,
            session=uuid4(),
            plan=uuid4(),
            starts_at=to_wall(now, ZONE).strftime("%Y-%m-%dT%H:%M"),
            zone=ZONE,
            starts_at_utc=now,
            minutes=60,
            state="attended",
            attended_at=now,
        )
    )


def evidence(proposal: Any) -> list[int]:
    return [one["total"] for one in proposal["evidence"]]


async def two_cycles(ward: Ward, other: UUID, totals: tuple[int, ...] = (4, 4, 4)) -> None:
    """Two stable cycles at 21 days, of which the second was answered under the other record."""
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    await ward.attend()
    began: date = ward.today
    for week, total in enumerate(totals, start=1):
        await ward.live_until(began + timedelta(days=7 * week))
        await answered(ward, other, total)


async def test_the_interval_rule_never_sees_half_of_what_a_person_answered(ward: Ward) -> None:
    other = await twin(ward)
    await two_cycles(ward, other)
    before = (await ward.proposals())[0]
    assert before["direction"] == "hold"
    await join(ward, other)
    now = (await ward.proposals())[0]
    assert (now["direction"], now["to_days"], evidence(now)) == ("lengthen", 28, [4, 4, 4])


async def test_worse_answers_under_the_other_record_are_never_left_out_of_a_proposal(ward: Ward) -> None:
    other = await twin(ward)
    await two_cycles(ward, other, (4, 15, 16))
    await join(ward, other)
    now = (await ward.proposals())[0]
    assert (now["direction"], now["to_days"]) == ("shorten", 14)


async def test_one_day_answered_under_two_records_counts_once_and_by_the_worse(ward: Ward) -> None:
    other = await twin(ward)
    await through_induction(ward)
    await ward.live_until(ward.today + timedelta(days=7))
    await ward.phq9(4)
    await answered(ward, other, 11)
    await join(ward, other)
    assert evidence((await ward.proposals())[0]) == [20, 11]


async def test_what_was_answered_in_a_course_of_before_is_not_this_ones(ward: Ward) -> None:
    other = await twin(ward)
    await answered(ward, other, 2)
    await ward.bench.tell(PatientDischarged(clinic=ward.bench.clinic, patient=other, version=2))
    await through_induction(ward)
    await ward.live_until(ward.today + timedelta(days=7))
    await ward.phq9(9)
    await join(ward, other, version=3)
    assert evidence((await ward.proposals())[0]) == [20, 9]


async def test_sessions_under_the_other_record_are_sessions_of_the_person(ward: Ward) -> None:
    other = await twin(ward)
    await through_induction(ward)
    await cycle(ward, (4, 4, 4))
    await attended(ward, other)
    await join(ward, other)
    await cycle(ward, (4, 4, 4))
    now = (await ward.proposals())[0]
    assert (now["direction"], now["to_days"]) == ("lengthen", 28), "two cycles, not one"


@pytest.mark.parametrize("late", [False, True])
async def test_no_interval_is_decided_over_an_alert_of_the_other_record(ward: Ward, *, late: bool) -> None:
    other = await twin(ward)
    await two_cycles(ward, other)
    if not late:
        await answered(ward, other, 4, item_9=1)
        await join(ward, other)
    else:
        await join(ward, other)
        words = KEYRING.seal("i have the pills", context="reply")
        said = {"reply": uuid4(), "intent": "crisis", "session": None, "session_version": None}
        event = ReplyReceived(
            clinic=ward.bench.clinic, version=1, patient=other, text=words, at=ward.bench.clock.now(), **said
        )
        await ward.bench.tell(event)
    assert len(await ward.bench.said(AlertRaised)) == 1
    proposal = (await ward.proposals())[0]
    answer = await decide(ward, proposal, decision="change", interval_days=28, reason="Doing well.")
    assert (answer.status, "A safety alert of this patient is not closed" in answer.json["detail"]) == (409, True)


async def test_a_hold_for_an_alert_of_the_other_record_ends_with_that_alert(ward: Ward) -> None:
    other = await twin(ward)
    await two_cycles(ward, other)
    await answered(ward, other, 4, item_9=1)
    await join(ward, other)
    held = (await ward.proposals())[0]
    assert (held["direction"], held["reasons"][0]["code"]) == ("hold", "safety-alert-open")
    (alert,) = await ward.items("/alerts")
    closed = await ward.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called, safe at home."})
    assert closed.status == 200
    now = (await ward.proposals())[0]
    assert (now["state"], now["direction"]) == ("open", "lengthen")


async def test_a_join_told_twice_changes_nothing_more(ward: Ward) -> None:
    other = await twin(ward)
    await two_cycles(ward, other)
    await join(ward, other)
    before = await ward.proposals()
    await join(ward, other)
    assert await ward.proposals() == before


async def test_records_joined_one_after_the_other_are_all_read(ward: Ward) -> None:
    first, second = await twin(ward), await twin(ward)
    await two_cycles(ward, first)
    await join(ward, first, second)
    await join(ward, second)
    assert (await ward.proposals())[0]["direction"] == "lengthen"
