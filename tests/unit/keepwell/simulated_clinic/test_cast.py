from datetime import date, timedelta

import pytest

from keepwell.simulated_clinic.cast import CAST, PAST_DAYS, of_the_cast, opening_day
from keepwell.simulated_clinic.people import person


@pytest.mark.parametrize("ahead", range(7))
def test_the_past_begins_on_a_monday_and_ends_on_a_thursday_that_has_come(ahead: int) -> None:
    today = date(2026, 11, 26) + timedelta(days=ahead)
    opened = opening_day(today)
    ends = opened + timedelta(days=PAST_DAYS)
    assert (opened.weekday(), ends.weekday()) == (0, 3)
    assert timedelta(0) <= today - ends < timedelta(days=7)


def test_one_phone_is_left_to_the_visitor() -> None:
    assert [index for index, part in CAST.items() if part.traits is None] == [4]


def test_no_two_of_the_cast_have_one_name() -> None:
    names = [(who.given_name, who.family_name) for who in (person(1, index) for index in range(12))]
    assert len(set(names)) == len(names)


def test_the_cast_are_reached_by_text_at_the_clinics_hours() -> None:
    for index in CAST:
        who = of_the_cast(person(1, index), "America/New_York")
        assert (who.zone, who.email) == ("America/New_York", None)
        assert set(who.by_text) == {"reminders", "checkins", "booking"}
