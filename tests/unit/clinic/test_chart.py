from datetime import date, timedelta
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.clinic.model.chart import Point, Scale, draw, spark
from tests.unit.clinic.samples import SCALE

DAY = date(2026, 12, 1)
POINTS = st.lists(
    st.builds(Point, st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 27), st.booleans()), min_size=1
)


def test_no_reading_is_no_chart() -> None:
    assert draw([], [DAY], SCALE) is None


def test_a_higher_score_stands_higher_and_a_later_one_further_right() -> None:
    chart = draw([Point(DAY + timedelta(days=7), 4), Point(DAY, 20)], [], SCALE)
    assert chart is not None
    first, second = chart.dots
    assert first.total == 20
    assert first.y < second.y
    assert first.x < second.x


@given(POINTS, st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=9))
def test_every_point_and_session_stays_inside_the_drawing(readings: list[Point], sessions: list[date]) -> None:
    chart = draw(readings, sessions, SCALE)
    assert chart is not None
    assert all(chart.left <= dot.x <= chart.right and 0 <= dot.y <= chart.floor for dot in chart.dots)
    assert all(chart.left <= at <= chart.right for at in chart.sessions)
    assert len(chart.dots) == len(readings)


def test_the_bands_fill_the_drawing_without_a_gap() -> None:
    chart = draw([Point(DAY, 4)], [], SCALE)
    assert chart is not None
    assert [band.name for band in chart.bands] == ["minimal", "mild", "moderate", "moderately severe", "severe"]
    assert abs(sum(band.height for band in chart.bands) - (chart.floor - chart.bands[-1].top)) < 1


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 2000))
def test_dates_on_the_axis_never_touch(first: date, span: int) -> None:
    chart = draw([Point(first, 4), Point(first + timedelta(days=span), 9)], [], SCALE)
    assert chart is not None
    assert all(later.at - sooner.at >= 58 for sooner, later in pairwise(chart.days))


def test_a_long_name_of_a_band_takes_two_lines() -> None:
    chart = draw([Point(DAY, 4)], [], SCALE)
    assert chart is not None
    assert chart.bands[3].lines == ("moderately", "severe")


def test_a_line_needs_two_readings() -> None:
    assert spark([7], 27) is None
    drawn = spark([20, 4], 27)
    assert drawn is not None
    assert drawn[0].startswith("M4")


def test_an_instrument_that_nobody_described_is_drawn_plainly_and_stops_no_page() -> None:
    chart = draw([Point(DAY, 31), Point(DAY + timedelta(days=7), 12)], [], Scale.plain("XYZ-2", [31, 12]))
    assert chart is not None
    assert chart.bands == ()
    assert [tick.text for tick in chart.totals] == ["31"]
    assert all(0 <= dot.y <= chart.floor for dot in chart.dots)


def test_a_range_that_does_not_begin_at_zero_fills_the_drawing() -> None:
    chart = draw([Point(DAY, 10), Point(DAY + timedelta(days=7), 60)], [], Scale("K10", 10, 60))
    assert chart is not None
    assert (chart.dots[0].y, chart.dots[1].y) == (chart.floor, chart.top)


def test_where_higher_is_better_the_lowest_band_is_the_grave_one() -> None:
    scale = Scale("WHO-5", 0, 25, ((0, "poor"), (13, "good")), higher_is_better=True)
    assert (scale.severity("poor"), scale.severity("good"), scale.severity("no such band")) == (1, 0, None)


@pytest.mark.parametrize("totals", [(14, 15), (15, 14), (14, 14), (27, 26), (0, 1), (3, 20)])
def test_the_numbers_of_two_scores_on_one_day_never_lie_on_each_other(totals: tuple[int, int]) -> None:
    day = date(2026, 9, 14)
    readings = [Point(day, 19), *(Point(day + timedelta(days=30), total, flagged=True) for total in totals)]
    chart = draw([*readings, Point(day + timedelta(days=31), 12)], [], SCALE)
    assert chart is not None
    placed = [(dot.x, dot.label) for dot in chart.dots if dot.label is not None]
    assert len(placed) >= 3, "a flagged score always has its number where there is room below it"
    for at, (x, y) in enumerate(placed):
        assert all(abs(x - other) >= 22 or abs(y - label) >= 16 for other, label in placed[:at])
        assert chart.top - 18 <= y <= chart.floor + 20
