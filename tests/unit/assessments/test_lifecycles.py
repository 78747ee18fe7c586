import pytest

from services.assessments.model.lifecycles import ALERT, CHECKIN, PROPOSAL, AlertState, CheckinState, ProposalState
from services.assessments.model.machine import IllegalTransitionError


def test_a_check_in_is_answered_in_one_go_or_in_parts() -> None:
    assert CHECKIN.move(CheckinState.OPEN, CheckinState.COMPLETED) is CheckinState.COMPLETED
    assert CHECKIN.move(CheckinState.OPEN, CheckinState.PARTIAL) is CheckinState.PARTIAL
    assert CHECKIN.move(CheckinState.PARTIAL, CheckinState.COMPLETED) is CheckinState.COMPLETED


@pytest.mark.parametrize("end", [CheckinState.COMPLETED, CheckinState.EXPIRED])
def test_nothing_follows_a_completed_or_expired_check_in(end: CheckinState) -> None:
    assert CHECKIN.ended(end)
    assert not any(CHECKIN.allows(end, state) for state in CheckinState)


def test_an_expired_check_in_refuses_answers_with_a_sentence() -> None:
    with pytest.raises(IllegalTransitionError, match="This check-in is expired and cannot become completed"):
        CHECKIN.move(CheckinState.EXPIRED, CheckinState.COMPLETED)


def test_a_closed_alert_is_never_opened_again() -> None:
    assert ALERT.allows(AlertState.OPEN, AlertState.CLOSED)
    assert ALERT.allows(AlertState.ACKNOWLEDGED, AlertState.OPEN)
    assert not ALERT.allows(AlertState.CLOSED, AlertState.OPEN)
    assert not ALERT.allows(AlertState.CLOSED, AlertState.ACKNOWLEDGED)


DECIDED = [ProposalState.APPROVED, ProposalState.CHANGED, ProposalState.REFUSED]
OVER = [ProposalState.SUPERSEDED, ProposalState.EXPIRED]


@pytest.mark.parametrize("state", DECIDED)
def test_a_proposal_is_decided_once_and_that_can_only_be_taken_back(state: ProposalState) -> None:
    assert PROPOSAL.allows(ProposalState.OPEN, state)
    assert [after for after in ProposalState if PROPOSAL.allows(state, after)] == [ProposalState.TAKEN_BACK]


@pytest.mark.parametrize("state", [*OVER, ProposalState.TAKEN_BACK])
def test_nothing_follows_a_proposal_that_is_over(state: ProposalState) -> None:
    assert PROPOSAL.allows(ProposalState.OPEN, state) is (state in OVER)
    assert PROPOSAL.ended(state)


def test_a_hold_waits_for_nobody_and_can_still_be_changed() -> None:
    after = {state for state in ProposalState if PROPOSAL.allows(ProposalState.HELD, state)}
    assert after == {ProposalState.CHANGED, ProposalState.SUPERSEDED}
