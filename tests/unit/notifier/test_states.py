from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.model.states import (
    FINAL,
    NEXT,
    PROVIDER_STATUS,
    IllegalTransitionError,
    Standing,
    State,
    move,
    report,
)

STATUSES = st.sampled_from([*PROVIDER_STATUS, "received", "brand-new"])
REPORTS = st.lists(st.tuples(STATUSES, st.none() | st.sampled_from(["30003", "30008"])), max_size=12)


def test_a_sent_message_never_goes_back_to_planned() -> None:
    for state in (State.ACCEPTED, State.SENT, *FINAL):
        assert State.PLANNED not in NEXT[state]
        with pytest.raises(IllegalTransitionError, match="cannot become planned"):
            move(state, State.PLANNED)


def test_an_unknown_message_is_only_sent_again_by_way_of_planned() -> None:
    assert State.SENDING not in NEXT[State.UNKNOWN]
    assert move(State.UNKNOWN, State.PLANNED) is State.PLANNED


@pytest.mark.parametrize("order", list(permutations(["queued", "sending", "sent", "delivered"])))
def test_reports_in_any_order_end_at_the_same_state(order: tuple[str, ...]) -> None:
    standing = Standing(State.SENDING)
    for status in order * 2:
        standing = report(standing, status, None)
    assert standing == Standing(State.DELIVERED)


def test_a_late_report_does_not_erase_the_error() -> None:
    standing = report(Standing(State.ACCEPTED), "failed", "30005")
    for status in ("sent", "delivered", "queued", "failed"):
        standing = report(standing, status, None)
    assert standing == Standing(State.FAILED, "30005")


def test_a_failure_without_a_code_keeps_the_word() -> None:
    assert report(Standing(State.SENT), "undelivered", None) == Standing(State.UNDELIVERED, "undelivered")


@given(REPORTS)
def test_no_success_ever_stands_beside_an_error(reports: list[tuple[str, str | None]]) -> None:
    standing = Standing(State.SENDING)
    for status, error in reports:
        standing = report(standing, status, error)
        assert (standing.error is not None) == (standing.state in {State.FAILED, State.UNDELIVERED})


@given(REPORTS)
def test_a_state_only_moves_forward(reports: list[tuple[str, str | None]]) -> None:
    standing = Standing(State.UNKNOWN)
    seen = [standing.state]
    for status, error in reports:
        standing = report(standing, status, error)
        if standing.state != seen[-1]:
            assert standing.state in NEXT[seen[-1]]
            assert standing.state not in seen
            seen.append(standing.state)
