"""What is said of an instrument beside each of its scores, so that whoever shows them needs no copy of it."""

from typing import Literal

from services.assessments.model.instrument import Instrument
from shared.web.api import View


class BandView(View):
    """A range of totals with its published name; both ends belong to it."""

    lowest: int
    highest: int
    name: str


class InstrumentBrief(View):
    """An instrument as a score shows it.

    `lowest` and `highest` bound what is drawn: the total, or the item `of` where there is none. `better` says which end
    is the good one; `marks` are numbers that an axis names where there are no bands.
    """

    name: str
    lowest: int
    highest: int
    better: Literal["lower", "higher"]
    of: str | None
    bands: tuple[BandView, ...]
    marks: tuple[int, ...]

    @classmethod
    def of_instrument(cls, instrument: Instrument) -> "InstrumentBrief":
        """Say it of an instrument in the version that was answered."""
        lowest, highest = instrument.range
        return cls(
            name=instrument.name,
            lowest=lowest,
            highest=highest,
            better=instrument.chart.better,
            of=instrument.chart.of,
            bands=tuple(BandView(**vars(band)) for band in instrument.bands),
            marks=instrument.chart.marks,
        )
