"""Two records of one person that were joined: the interval rule sees all that the person answered, and no day twice."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import AlertRaised, PatientDischarged, ReplyReceived, SessionAttended
from shared.walltime import to_wall
from tests.integration.assessments.harness import ZONE, AssessmentsHarness, spread
from tests.integration.assessments.test_proposals import cycle, decide, through_induction
from tests.support.bench import KEYRING


async def twin(harness: AssessmentsHarness) -> UUID:
    """Enrol the same person once more."""
    other = uuid4()
    await harness.enrol(patient=other)
    return other


async def join(harness: AssessmentsHarness, closed: UUID, kept: UUID | None = None, *, version: int = 2) -> None:
    goes_on = kept or harness.patient
    event = PatientDischarged(clinic=harness.bench.clinic, patient=closed, version=version, joined_into=goes_on)
    await harness.bench.tell(event)


async def answered(harness: AssessmentsHarness, patient: UUID, total: int, item_9: int = 0) -> None:
    """Take a PHQ-9 of today under another record."""
    body = {"patient": str(patient), "instruments": ["phq-9"]}
    checkin = (await harness.bench.call("POST", "/checkins", body)).json
    answers = [spread(total, item_9)[str(number)] for number in range(1, 10)]
    taken = {"instrument": "phq-9", "answers": answers, "entered_by": "Nurse"}
    answer = await harness.bench.call("POST", f"/checkins/{checkin['id']}/answers", taken)
    assert answer.status == 200, answer.text


async def attended(harness: AssessmentsHarness, patient: UUID) -> None:
    """Tell of a session attended today under another record."""
    now = harness.bench.clock.now()
    await harness.bench.tell(
        SessionAttended(
            clinic=harness.bench.clinic,
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


async def two_cycles(harness: AssessmentsHarness, other: UUID, totals: tuple[int, ...] = (4, 4, 4)) -> None:
    """Two stable cycles at 21 days, of which the second was answered under the other record."""
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    await harness.attend()
    began: date = harness.today
    for week, total in enumerate(totals, start=1):
        await harness.live_until(began + timedelta(days=7 * week))
        await answered(harness, other, total)


async def test_the_interval_rule_never_sees_half_of_what_a_person_answered(harness: AssessmentsHarness) -> None:
    other = await twin(harness)
    await two_cycles(harness, other)
    before = (await harness.proposals())[0]
    assert before["direction"] == "hold"
    await join(harness, other)
    now = (await harness.proposals())[0]
    assert (now["direction"], now["to_days"], evidence(now)) == ("lengthen", 28, [4, 4, 4])


async def test_worse_answers_under_the_other_record_are_never_left_out_of_a_proposal(
    harness: AssessmentsHarness,
) -> None:
    other = await twin(harness)
    await two_cycles(harness, other, (4, 15, 16))
    await join(harness, other)
    now = (await harness.proposals())[0]
    assert (now["direction"], now["to_days"]) == ("shorten", 14)


async def test_one_day_answered_under_two_records_counts_once_and_by_the_worse(harness: AssessmentsHarness) -> None:
    other = await twin(harness)
    await through_induction(harness)
    await harness.live_until(harness.today + timedelta(days=7))
    await harness.phq9(4)
    await answered(harness, other, 11)
    await join(harness, other)
    assert evidence((await harness.proposals())[0]) == [20, 11]


async def test_what_was_answered_in_a_course_of_before_is_not_this_ones(harness: AssessmentsHarness) -> None:
    other = await twin(harness)
    await answered(harness, other, 2)
    await harness.bench.tell(PatientDischarged(clinic=harness.bench.clinic, patient=other, version=2))
    await through_induction(harness)
    await harness.live_until(harness.today + timedelta(days=7))
    await harness.phq9(9)
    await join(harness, other, version=3)
    assert evidence((await harness.proposals())[0]) == [20, 9]


async def test_sessions_under_the_other_record_are_sessions_of_the_person(harness: AssessmentsHarness) -> None:
    other = await twin(harness)
    await through_induction(harness)
    await cycle(harness, (4, 4, 4))
    await attended(harness, other)
    await join(harness, other)
    await cycle(harness, (4, 4, 4))
    now = (await harness.proposals())[0]
    assert (now["direction"], now["to_days"]) == ("lengthen", 28), "two cycles, not one"


@pytest.mark.parametrize("late", [False, True])
async def test_no_interval_is_decided_over_an_alert_of_the_other_record(
    harness: AssessmentsHarness, *, late: bool
) -> None:
    other = await twin(harness)
    await two_cycles(harness, other)
    if not late:
        await answered(harness, other, 4, item_9=1)
        await join(harness, other)
    else:
        await join(harness, other)
        words = KEYRING.seal("i have the pills", context="reply")
        said = {"reply": uuid4(), "intent": "crisis", "session": None, "session_version": None}
        event = ReplyReceived(
            clinic=harness.bench.clinic, version=1, patient=other, text=words, at=harness.bench.clock.now(), **said
        )
        await harness.bench.tell(event)
    assert len(await harness.bench.said(AlertRaised)) == 1
    proposal = (await harness.proposals())[0]
    answer = await decide(harness, proposal, decision="change", interval_days=28, reason="Doing well.")
    assert (answer.status, "A safety alert of this patient is not closed" in answer.json["detail"]) == (409, True)


async def test_a_hold_for_an_alert_of_the_other_record_ends_with_that_alert(harness: AssessmentsHarness) -> None:
    other = await twin(harness)
    await two_cycles(harness, other)
    await answered(harness, other, 4, item_9=1)
    await join(harness, other)
    held = (await harness.proposals())[0]
    assert (held["direction"], held["reasons"][0]["code"]) == ("hold", "safety-alert-open")
    (alert,) = await harness.items("/alerts")
    closed = await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called, safe at home."})
    assert closed.status == 200
    now = (await harness.proposals())[0]
    assert (now["state"], now["direction"]) == ("open", "lengthen")


async def test_a_join_told_twice_changes_nothing_more(harness: AssessmentsHarness) -> None:
    other = await twin(harness)
    await two_cycles(harness, other)
    await join(harness, other)
    before = await harness.proposals()
    await join(harness, other)
    assert await harness.proposals() == before


async def test_records_joined_one_after_the_other_are_all_read(harness: AssessmentsHarness) -> None:
    first, second = await twin(harness), await twin(harness)
    await two_cycles(harness, first)
    await join(harness, first, second)
    await join(harness, second)
    assert (await harness.proposals())[0]["direction"] == "lengthen"
