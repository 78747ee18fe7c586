from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.model.call_outcomes import Accepted, CallOutcome, Later, Refused, Unknown
from services.notifier.model.circuit_breaker import IN_A_ROW, LONGEST, SHORTEST, CircuitBreaker, answered

MOST = 400
TAKEN = Accepted("SM1", "queued")
LOST = Unknown("ConnectionResetError")
OUTCOMES = st.sampled_from([TAKEN, Refused("21211"), Later(timedelta(seconds=5), "20429"), LOST])


def after(breaker: CircuitBreaker, *outcomes: CallOutcome) -> CircuitBreaker:
    """Return the breaker after calls that were each begun in the turn they ended in."""
    for outcome in outcomes:
        breaker = breaker.after(outcome, turn=breaker.turn)
    return breaker


def test_who_says_no_or_later_is_there_and_who_was_not_reached_is_not() -> None:
    assert answered(Refused("21610"))
    assert answered(Later(timedelta(seconds=7), "20429"))
    assert not answered(Later(timedelta(seconds=5), "ConnectionRefusedError", reached=False))
    assert not answered(LOST)


def test_calls_lost_by_chance_change_nothing() -> None:
    breaker = after(CircuitBreaker.closed(MOST), *[LOST] * (IN_A_ROW - 1), TAKEN, *[LOST] * (IN_A_ROW - 1))
    assert (breaker.well, breaker.turn) == (True, 0)


def test_a_provider_that_answers_nobody_is_tried_with_one_message_ever_less_often() -> None:
    breaker = after(CircuitBreaker.closed(MOST), *[LOST] * IN_A_ROW)
    assert (breaker.width, breaker.turn, breaker.pause) == (1, 1, SHORTEST)
    pauses = []
    for _ in range(6):
        breaker = after(breaker, LOST)
        pauses.append(breaker.pause)
    assert pauses == [SHORTEST * 2, SHORTEST * 4, LONGEST, LONGEST, LONGEST, LONGEST]
    assert (breaker.width, breaker.turn) == (1, 7)


def test_each_answer_makes_room_for_one_more_until_all_is_well() -> None:
    breaker = after(CircuitBreaker.closed(8), *[LOST] * IN_A_ROW, TAKEN, TAKEN)
    assert (breaker.width, breaker.well, breaker.pause) == (3, False, timedelta())
    assert after(breaker, *[TAKEN] * 5).well


def test_a_call_that_was_begun_before_it_was_given_up_says_nothing() -> None:
    away = after(CircuitBreaker.closed(MOST), *[LOST] * IN_A_ROW)
    assert away.after(LOST, turn=0) == away
    assert away.after(TAKEN, turn=0) == away


@given(st.lists(OUTCOMES), st.integers(1, 50))
def test_there_is_always_room_for_one_and_never_for_more_than_the_most(outcomes: list[CallOutcome], most: int) -> None:
    breaker = CircuitBreaker.closed(most)
    for outcome in outcomes:
        before, breaker = breaker, after(breaker, outcome)
        assert 1 <= breaker.worth <= breaker.width <= most
        assert breaker.lost < IN_A_ROW
        assert breaker.turn == before.turn or (breaker.width == 1 and SHORTEST <= breaker.pause <= LONGEST)
