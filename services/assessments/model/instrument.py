"""What an instrument is: its sections, items and scales, its bands, and its wording in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from shared.evidence import Grade


class InstrumentError(Exception):
    """An instrument's data that does not fit together: the place and what is wrong with it."""


@dataclass(frozen=True)
class Scale:
    """The answers that an item allows.

    Args:
        values: what is stored and summed, lowest first.
        loinc: the LOINC answer code of each value, where it was verified.
    """

    values: tuple[int, ...]
    loinc: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """From which answer on a person must look.

    Args:
        kind: what the alert is about, such as `bladder`.
        level: how urgent it is.
        at_least: an answer of this value or more calls for it.
        at_most: an answer of this value or less calls for it.
    """

    kind: str
    level: str
    at_least: int | None = None
    at_most: int | None = None

    def calls(self, value: int) -> bool:
        """Tell whether an answer calls for the alert."""
        above = self.at_least is not None and value >= self.at_least
        return above or (self.at_most is not None and value <= self.at_most)

    def beyond(self, value: int) -> int:
        """Return how far an answer lies beyond where the alert begins."""
        above = value - self.at_least if self.at_least is not None else 0
        return max(above, self.at_most - value if self.at_most is not None else 0, 0)


@dataclass(frozen=True)
class Item:
    """One question.

    Args:
        id: unique in its instrument; stored with the answer.
        scale: the name of its scale.
        scored: whether it counts towards the total.
        required: whether the instrument is complete without it.
        flag: what an answer above zero puts on the score, or none.
        loinc: its LOINC code, where it was verified.
        alert: from which answer on a person must look, or none.
    """

    id: str
    scale: str
    scored: bool = True
    required: bool = True
    flag: str | None = None
    loinc: str | None = None
    alert: Alarm | None = None


@dataclass(frozen=True)
class Section:
    """Items under one stem."""

    id: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Band:
    """A range of totals with its published name; both ends belong to it."""

    lowest: int
    highest: int
    name: str


@dataclass(frozen=True)
class Chart:
    """What is drawn of an instrument over time.

    Args:
        better: whether a `lower` or a `higher` number is the better one.
        of: the item that is drawn where there is no total; none draws the total.
        marks: numbers that the axis names where there are no bands.
    """

    better: Literal["lower", "higher"]
    of: str | None = None
    marks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wording:
    """An instrument in one language, letter by letter as its source has it."""

    language: str
    title: str
    notice: str
    stems: Mapping[str, str]
    scales: Mapping[str, tuple[str, ...]]
    items: Mapping[str, str]
    words: str | None = None


@dataclass(frozen=True)
class BandSource:
    """Where the bands of an instrument are published, how good that source is, and when it was last read."""

    url: str
    grade: Grade
    read_on: date


@dataclass(frozen=True)
class Instrument:
    """One version of an instrument.

    Args:
        id: its id in the API and in events (`phq-9`).
        name: what clinicians call it.
        version: of this data; a change of any letter is a new one.
        validated: false for our own questions, which then have no total and no bands.
        recall_days: the days that its questions look back on.
        first_day: the first day after a session on which it says something about the time since.
        chart: what is drawn of it over time.
        bands: ranges of the total, empty where there is none.
        band_source: where the bands are published; none where there are no bands.
        words: whether there is a field for the patient's own words, asked for as the wording has it.
    """

    id: str
    name: str
    version: int
    validated: bool
    recall_days: int
    first_day: int
    sections: tuple[Section, ...]
    scales: Mapping[str, Scale]
    wording: Mapping[str, Wording]
    chart: Chart
    bands: tuple[Band, ...] = ()
    band_source: BandSource | None = None
    loinc_panel: str | None = None
    loinc_total: str | None = None
    words: bool = False

    def __post_init__(self) -> None:
        """Refuse data that does not fit together.

        Raises:
            InstrumentError: an unknown scale, a text that is missing or too many, bands with a gap or without a source.
        """
        for item in self.items:
            if item.scale not in self.scales:
                raise InstrumentError(f"{self.id}: item {item.id} names the scale {item.scale!r}, which is not there.")
        if self.chart.of is not None and self.item(self.chart.of) is None:
            raise InstrumentError(f"{self.id}: the chart is of item {self.chart.of!r}, which is not there.")
        for words in self.wording.values():
            self._check_wording(words)
        if bool(self.bands) != (self.band_source is not None):
            raise InstrumentError(f"{self.id}: bands and their source go together; one of them is missing.")
        for lower, upper in zip(self.bands, self.bands[1:], strict=False):
            if upper.lowest != lower.highest + 1:
                raise InstrumentError(f"{self.id}: bands {lower.name!r} and {upper.name!r} do not meet.")

    def _check_wording(self, words: Wording) -> None:
        expected = {
            "items": {item.id for item in self.items},
            "stems": {section.id for section in self.sections},
            "scales": set(self.scales),
        }
        found = {"items": set(words.items), "stems": set(words.stems), "scales": set(words.scales)}
        for part, names in expected.items():
            if odd := names ^ found[part]:
                raise InstrumentError(f"{self.id}/{words.language}: {part} {sorted(odd)} stand on one side only.")
        if self.words != (words.words is not None):
            raise InstrumentError(f"{self.id}/{words.language}: the field for own words stands on one side only.")
        for name, scale in self.scales.items():
            if len(words.scales[name]) != len(scale.values):
                raise InstrumentError(f"{self.id}/{words.language}: scale {name!r} needs {len(scale.values)} texts.")

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Every item in the order that it is asked in."""
        return tuple(item for section in self.sections for item in section.items)

    @cached_property
    def required(self) -> tuple[Item, ...]:
        """The items without which there is no score."""
        return tuple(item for item in self.items if item.required)

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest number that can be drawn: of the total, or of the item that stands for it."""
        drawn = [item for item in self.items if (item.scored if self.chart.of is None else item.id == self.chart.of)]
        scales = [self.scales[item.scale].values for item in drawn]
        return sum(min(values) for values in scales), sum(max(values) for values in scales)

    def item(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)
