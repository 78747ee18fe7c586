"""How fast the demonstration's time runs, in words."""

from datetime import UTC, datetime

import pytest

from services.clinic.views.components import say_grade, say_speed
from shared.clock import FastClock, LivedClock, RealClock, SteppedClock
from shared.evidence import Grade

NOW = datetime(2026, 12, 1, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (0, "Time stands still here until it is moved."),
        (1, "Time runs here as it does for you."),
        (2, "Time runs faster here: 1 minute of yours is about 2 min."),
        (60, "Time runs faster here: 1 minute of yours is about 1 h."),
        (90, "Time runs faster here: 1 minute of yours is about 1 h 30 min."),
        (10_000, "Time runs faster here: 1 second of yours is about 2 h 46 min."),
        (200_000, "Time runs faster here: 1 second of yours is about 2 days."),
    ],
)
def test_a_speed_is_said_by_what_a_visitor_feels(speed: float, words: str) -> None:
    assert say_speed(speed) == words


def test_each_clock_tells_its_own_speed() -> None:
    lived = LivedClock(NOW)
    assert [RealClock().speed, SteppedClock(NOW).speed, lived.speed] == [1.0, 0.0, 0.0]
    lived.run_at(60)
    assert lived.speed == 60
    lived.run_at(10_000)
    assert lived.speed == 10_000
    assert FastClock(30, real_origin=NOW, origin=NOW).speed == 30


@pytest.mark.parametrize("grade", Grade)
def test_no_grade_reaches_a_screen_in_the_codes_word(grade: Grade) -> None:
    assert say_grade(grade) != grade.replace("_", " ").lower()


def test_a_grade_of_a_later_version_is_shown_as_it_came() -> None:
    assert say_grade("META_ANALYSIS") == "meta analysis"
