"""Geometry of the score chart and the sparkline: numbers in, coordinates out, drawn by a template as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final

WIDTH: Final = 360
HEIGHT: Final = 320
"""A unit is about a pixel where the chart stands in a column of a wide screen; text grows where it is smaller."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 28, 102, 18, 28
_MOST_DATES: Final = 4
_DATE_ROOM: Final = 58
"""Units from the middle of a date to that of the next: a date in the largest letters takes 54."""
_CLOSE: Final = 22
"""Units between two numbers side by side."""
_LINE: Final = 16
"""Units between two numbers one above the other, in the largest letters."""
_ABOVE, _BELOW = 9, 19
"""Units from a dot to the baseline of its number."""


@dataclass(frozen=True)
class Scale:
    """What is known of an instrument: its owner says it with each score, and nobody else keeps a copy.

    Attributes:
        name: what clinicians call it.
        lowest: of the numbers that can be drawn.
        bands: the first total of each, with the band's name, from the lowest.
        marks: what the axis names where there are no bands.
        higher_is_better: which end of the range is the good one.
        of: the answer that is drawn where there is no total.
    """

    name: str
    lowest: int
    highest: int
    bands: tuple[tuple[int, str], ...] = ()
    marks: tuple[int, ...] = ()
    higher_is_better: bool = False
    of: str | None = None

    @classmethod
    def plain(cls, name: str, numbers: Sequence[int], of: str | None = None) -> "Scale":
        """Return what can be drawn where nothing was said: no bands, and the range of the numbers."""
        return cls(name, min([0, *numbers]), max([1, *numbers]), of=of)

    def severity(self, band: str) -> float | None:
        """Return how far a band is from the best one, from 0 to 1; None where there is no such band."""
        names = [name for _, name in self.bands]
        if band not in names or len(names) == 1:
            return None
        place = names.index(band) / (len(names) - 1)
        return 1 - place if self.higher_is_better else place


@dataclass(frozen=True)
class Point:
    """One point to draw."""

    day: date
    total: int
    flagged: bool = False


@dataclass(frozen=True)
class Band:
    """A shaded band, from `top` over `height`, with the baseline of its name if that stood in one line."""

    number: int
    name: str
    top: float
    height: float
    label: float

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the name in the lines that have room beside the drawing."""
        return tuple(self.name.split())


@dataclass(frozen=True)
class Dot:
    """A reading's place; `label` is the baseline of its number, None where that has no room."""

    x: float
    y: float
    total: int
    flagged: bool
    label: float | None


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A line chart, ready to draw."""

    width: int
    height: int
    left: int
    right: int
    floor: float
    top: float
    bands: tuple[Band, ...]
    totals: tuple[Tick, ...]
    days: tuple[Tick, ...]
    sessions: tuple[float, ...]
    line: str
    dots: tuple[Dot, ...]


def draw(readings: Sequence[Point], sessions: Sequence[date], scale: Scale) -> Chart | None:
    """Return the chart of at least one reading, oldest first; sessions outside the readings' time widen it."""
    if not readings:
        return None
    ordered = sorted(readings, key=lambda reading: reading.day)
    first, last = ordered[0].day, ordered[-1].day
    marks = [day for day in sessions if abs((day - first).days) <= (last - first).days + 28]
    first, last = min([first, *marks]), max([last, *marks])
    span = max((last - first).days, 1)
    floor = HEIGHT - _BOTTOM

    def x(day: date) -> float:
        return round(_LEFT + 10 + (day - first).days / span * (WIDTH - _LEFT - _RIGHT - 24), 1)

    def y(total: float) -> float:
        return round(floor - (total - scale.lowest) / (scale.highest - scale.lowest) * (floor - _TOP), 1)

    dots = _labelled([Dot(x(one.day), y(one.total), one.total, one.flagged, None) for one in ordered])
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        floor=floor,
        top=_TOP,
        bands=_bands(scale, y),
        totals=tuple(Tick(y(start), str(start)) for start in _marks(scale)),
        days=_days(first, last, x),
        sessions=tuple(x(day) for day in marks),
        line=_line(dots),
        dots=tuple(dots),
    )


def _labelled(dots: Sequence[Dot]) -> list[Dot]:
    """Return the dots with their numbers where these have room.

    Flagged ones come first, from the highest down, above the dot or below it where a number is in the way; the others
    stand only where no number is near on either side.
    """
    taken: list[tuple[float, float]] = []
    found = list(dots)
    for at in sorted(range(len(dots)), key=lambda at: (not dots[at].flagged, dots[at].y if dots[at].flagged else at)):
        dot = dots[at]
        near = [y for x, y in taken if abs(dot.x - x) < _CLOSE]
        places = (dot.y - _ABOVE, dot.y + _BELOW) if dot.flagged else (dot.y - _ABOVE,) * (not near)
        label = next((place for place in places if all(abs(place - y) >= _LINE for y in near)), None)
        if label is not None:
            taken.append((dot.x, label))
            found[at] = replace(dot, label=label)
    return found


def spark(totals: Sequence[int], highest: int) -> tuple[str, float, float] | None:
    """Return the line of the last totals in a box of 88 by 24 and its last point, or None below two readings."""
    if len(totals) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    step = 80 / (len(totals) - 1)
    places = [(round(4 + at * step, 1), round(20 - total / highest * 16, 1)) for at, total in enumerate(totals)]
    return "M" + "L".join(f"{x} {y}" for x, y in places), *places[-1]


def _marks(scale: Scale) -> list[int]:
    return [*(scale.marks or [start for start, _ in scale.bands]), scale.highest]


def _bands(scale: Scale, y: Callable[[float], float]) -> tuple[Band, ...]:
    starts = [start for start, _ in scale.bands] + [scale.highest]
    return tuple(
        Band(
            number,
            name,
            y(starts[number + 1]),
            round(y(start) - y(starts[number + 1]), 1),
            round((y(start) + y(starts[number + 1])) / 2 + 4, 1),
        )
        for number, (start, name) in enumerate(scale.bands)
    )


def _days(first: date, last: date, x: Callable[[date], float]) -> tuple[Tick, ...]:
    """Return as many dates as have room, the first and the last among them."""
    span = (last - first).days
    days = [first]
    for steps in range(min(_MOST_DATES - 1, span), 0, -1):
        days = [date.fromordinal(first.toordinal() + round(span * at / steps)) for at in range(steps + 1)]
        if all(x(later) - x(sooner) >= _DATE_ROOM for sooner, later in pairwise(days)):
            break
    return tuple(Tick(x(day), f"{day:%b} {day.day}") for day in days)


def _line(dots: Sequence[Dot]) -> str:
    return "M" + "L".join(f"{dot.x} {dot.y}" for dot in dots)
