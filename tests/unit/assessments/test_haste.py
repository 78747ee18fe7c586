from datetime import datetime, timedelta

import pytest

from services.assessments.model.haste import is_quick, seconds_after
from tests.conftest import TUESDAY_NOON

SENT = TUESDAY_NOON


def at(seconds: float) -> datetime:
    return SENT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("sent", "delivered", "answered", "seconds"),
    [
        (0, 2, 40, 38),  # it counts from the arrival
        (0, None, 40, 40),  # no report came
        (0, 60, 40, 40),  # the report came after the answer
        (0, 2, 3, 1),  # a program
        (1, 2, 0.4, 0),  # a program, quicker than what is known of the sending
        (600, 605, 300, None),  # the outcome of the call was learnt long after the text had gone out
        (None, None, 40, None),
    ],
)
def test_the_time_to_an_answer_counts_from_what_is_known_of_the_link(
    sent: float | None, delivered: float | None, answered: float, seconds: int | None
) -> None:
    found = seconds_after(
        sent_at=None if sent is None else at(sent),
        delivered_at=None if delivered is None else at(delivered),
        answered_at=at(answered),
    )
    assert found == seconds


@pytest.mark.parametrize(("seconds", "quick"), [(None, False), (0, True), (9, True), (10, False)])
def test_nobody_is_taken_for_a_program_whose_time_is_not_known(seconds: int | None, quick: bool) -> None:
    assert is_quick(seconds) is quick
