"""The counts of the loop: who answered everything, what was measured, which way the proposals went."""

from datetime import UTC, datetime

from keepwell.simulated_clinic.counter import CheckinSeen, ProposalSeen, ReasonSeen
from keepwell.simulated_clinic.courses import Course, counts

NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)


def checkin(occurrence: str, state: str = "completed", instrument: str = "phq-9") -> CheckinSeen:
    return CheckinSeen(id=occurrence, state=state, occurrence=occurrence, instruments=(instrument,))


def proposal(direction: str, *codes: str, decision: str | None = None, override: str | None = None) -> ProposalSeen:
    return ProposalSeen(
        id=direction,
        state="open",
        direction=direction,
        from_days=28,
        to_days=28,
        proposed_at=NOON,
        decision=decision,
        reasons=tuple(ReasonSeen(code=code) for code in codes),
        override_reason=override,
    )


def course(*checkins: CheckinSeen, proposals: tuple[ProposalSeen, ...] = (), induced: bool = True) -> Course:
    return Course(induced, checkins, proposals)


WEEKS = tuple(checkin(f"week-{number}") for number in (1, 2, 3))


def test_one_measure_that_ran_out_is_not_everything() -> None:
    assert course(checkin("baseline"), *WEEKS).answers_everything
    assert course(checkin("baseline"), checkin("week-4", "open")).answers_everything
    assert not course(checkin("baseline"), checkin("week-1", "expired")).answers_everything
    assert not course(checkin("day-1", instrument="post-session")).answers_everything


def test_a_check_of_effects_that_ran_out_is_no_missing_measure() -> None:
    assert course(checkin("baseline"), checkin("day-1", "expired", "post-session")).answers_everything


def test_what_was_asked_and_not_answered_is_not_counted_as_measured() -> None:
    seen = course(checkin("baseline", "expired"), checkin("week-1"), checkin("week-2", "expired"), checkin("day-7"))
    assert not seen.has_baseline
    assert seen.in_induction == 1


def test_proposals_are_counted_by_direction_and_decisions_by_kind() -> None:
    all_ways = (
        proposal("shorten", "late-scores-high", decision="approve"),
        proposal("hold", "insufficient-data"),
        proposal("hold", "previous-cycle-insufficient", "late-scores-stable"),
        proposal("lengthen", "late-scores-stable", decision="change", override="Agreed."),
    )
    told = counts([course(checkin("baseline"), *WEEKS, proposals=all_ways), course(checkin("week-1", "expired"))])
    assert told["proposals"] == {"all": 4, "shorten": 1, "hold": 2, "lengthen": 1}
    assert told["decisions"] == {"all": 2, "approve": 1, "change": 1, "refuse": 0, "against_objections": 1}
    assert told["measures"] == {
        "patients": 2,
        "baselines": 1,
        "induction_completed": 2,
        "in_induction_min": 0,
        "in_induction_median": 1.5,
        "proposals": 4,
        "insufficient_data": 2,
    }
    assert told["measures_of_who_answer_everything"] == {
        "patients": 1,
        "baselines": 1,
        "induction_completed": 1,
        "in_induction_min": 3,
        "in_induction_median": 3,
        "proposals": 4,
        "insufficient_data": 2,
    }


def test_who_is_still_in_induction_is_no_minimum() -> None:
    told = counts([course(checkin("baseline"), induced=False)])
    assert told["measures"] == {
        "patients": 1,
        "baselines": 1,
        "induction_completed": 0,
        "in_induction_min": None,
        "in_induction_median": None,
        "proposals": 0,
        "insufficient_data": 0,
    }
