from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.model.outcomes import Accepted, Later, Outcome, Refused, Unknown
from services.notifier.model.outlook import IN_A_ROW, LONGEST, SHORTEST, Outlook, answered

MOST = 400
TAKEN = Accepted("SM1", "queued")
LOST = Unknown("ConnectionResetError")
OUTCOMES = st.sampled_from([TAKEN, Refused("21211"), Later(timedelta(seconds=5), "20429"), LOST])


def after(outlook: Outlook, *outcomes: Outcome) -> Outlook:
    """Return the outlook after calls that were each begun in the turn they ended in."""
    for outcome in outcomes:
        outlook = outlook.after(outcome, turn=outlook.turn)
    return outlook


def test_who_says_no_or_later_is_there_and_who_was_not_reached_is_not() -> None:
    assert answered(Refused("21610"))
    assert answered(Later(timedelta(seconds=7), "20429"))
    assert not answered(Later(timedelta(seconds=5), "ConnectionRefusedError", reached=False))
    assert not answered(LOST)


def test_calls_lost_by_chance_change_nothing() -> None:
    outlook = after(Outlook.fair(MOST), *[LOST] * (IN_A_ROW - 1), TAKEN, *[LOST] * (IN_A_ROW - 1))
    assert (outlook.well, outlook.turn) == (True, 0)


def test_a_provider_that_answers_nobody_is_tried_with_one_message_ever_less_often() -> None:
    outlook = after(Outlook.fair(MOST), *[LOST] * IN_A_ROW)
    assert (outlook.width, outlook.turn, outlook.pause) == (1, 1, SHORTEST)
    pauses = []
    for _ in range(6):
        outlook = after(outlook, LOST)
        pauses.append(outlook.pause)
    assert pauses == [SHORTEST * 2, SHORTEST * 4, LONGEST, LONGEST, LONGEST, LONGEST]
    assert (outlook.width, outlook.turn) == (1, 7)


def test_each_answer_makes_room_for_one_more_until_all_is_well() -> None:
    outlook = after(Outlook.fair(8), *[LOST] * IN_A_ROW, TAKEN, TAKEN)
    assert (outlook.width, outlook.well, outlook.pause) == (3, False, timedelta())
    assert after(outlook, *[TAKEN] * 5).well


def test_a_call_that_was_begun_before_it_was_given_up_says_nothing() -> None:
    away = after(Outlook.fair(MOST), *[LOST] * IN_A_ROW)
    assert away.after(LOST, turn=0) == away
    assert away.after(TAKEN, turn=0) == away


@given(st.lists(OUTCOMES), st.integers(1, 50))
def test_there_is_always_room_for_one_and_never_for_more_than_the_most(outcomes: list[Outcome], most: int) -> None:
    outlook = Outlook.fair(most)
    for outcome in outcomes:
        before, outlook = outlook, after(outlook, outcome)
        assert 1 <= outlook.worth <= outlook.width <= most
        assert outlook.lost < IN_A_ROW
        assert outlook.turn == before.turn or (outlook.width == 1 and SHORTEST <= outlook.pause <= LONGEST)
