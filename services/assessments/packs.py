"""Instruments as data: read from `packs/<id>/<version>/`, and refused where a letter is not the pinned one.

A pack is versioned and pinned because a changed item is a modified instrument: it would need another id. What ships is
changed by nobody; a further instrument is a further folder.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from services.assessments.model.alert import AlertKind, AlertLevel
from services.assessments.model.instrument import (
    Alarm,
    Band,
    BandSource,
    Chart,
    Instrument,
    InstrumentError,
    Item,
    Scale,
    Section,
    Wording,
)
from shared.evidence import Grade
from shared.languages import LANGUAGES

FOLDER: Final = Path(__file__).parent / "packs"

PINS: Final = "SHA256SUMS"
"""The file of a pack that holds the SHA-256 of each of its texts; `sha256sum *.toml > SHA256SUMS` writes it."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Scale(_Form):
    values: tuple[int, ...]
    loinc: tuple[str, ...] = ()


class _Alarm(_Form):
    kind: AlertKind
    level: AlertLevel
    at_least: int | None = None
    at_most: int | None = None


class _Item(_Form):
    id: str
    scale: str
    scored: bool = True
    required: bool = True
    flag: str | None = None
    loinc: str | None = None
    alert: _Alarm | None = None

    def item(self) -> Item:
        """Return the question."""
        return Item(**{**dict(self), "alert": None if self.alert is None else Alarm(**dict(self.alert))})


class _Section(_Form):
    id: str
    items: tuple[_Item, ...]


class _Band(_Form):
    lowest: int
    highest: int
    name: str


class _BandSource(_Form):
    url: str
    grade: Grade
    read_on: date


class _Chart(_Form):
    better: Literal["lower", "higher"]
    of: str | None = None
    marks: tuple[int, ...] = ()


class _Pack(_Form):
    id: str
    name: str
    version: int
    validated: bool
    recall_days: int
    first_day: int
    sections: tuple[_Section, ...]
    scales: dict[str, _Scale]
    chart: _Chart
    bands: tuple[_Band, ...] = ()
    band_source: _BandSource | None = None
    loinc_panel: str | None = None
    loinc_total: str | None = None
    words: bool = False


class _Wording(_Form):
    title: str
    notice: str
    words: str | None = None
    stems: dict[str, str]
    scales: dict[str, tuple[str, ...]]
    items: dict[str, str]


class UnknownInstrumentError(Exception):
    """An instrument was asked for that no pack holds."""


class Packs:
    """The instruments that this service can ask, the newest version of each; older ones tell what was answered."""

    def __init__(self, instruments: Mapping[tuple[str, int], Instrument]) -> None:
        self._every = dict(instruments)
        self._newest = {one.id: one for _, one in sorted(self._every.items())}

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Packs":
        """Read every pack.

        Raises:
            InstrumentError: a file is not the pinned one, or a pack does not fit together.
        """
        found = [_read(pack.parent) for pack in sorted(folder.glob("*/*/pack.toml"))]
        return cls({(one.id, one.version): one for one in found})

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all instruments."""
        return tuple(self._newest)

    @property
    def newest(self) -> tuple[Instrument, ...]:
        """The newest version of every instrument."""
        return tuple(self._newest.values())

    @property
    def every(self) -> tuple[Instrument, ...]:
        """Every version of every instrument."""
        return tuple(self._every.values())

    def get(self, instrument_id: str, version: int | None = None) -> Instrument:
        """Return an instrument in its newest version, or in the one that something was answered in.

        Raises:
            UnknownInstrumentError: there is none of that id and version.
        """
        try:
            return self._newest[instrument_id] if version is None else self._every[instrument_id, version]
        except KeyError as error:
            known = ", ".join(self.ids)
            raise UnknownInstrumentError(f"There is no instrument {instrument_id!r}; there are {known}.") from error


def _pins(place: Path) -> dict[str, str]:
    """Return the pinned SHA-256 of each text of a pack, by its name."""
    try:
        lines = (place / PINS).read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise InstrumentError(f"{_name(place)} has no {PINS}. Write it with `sha256sum *.toml > {PINS}`.") from error
    return {name: pin for pin, name in (line.split(maxsplit=1) for line in lines)}


def _name(path: Path) -> str:
    return "/".join(path.parts[-2 if path.is_dir() else -3 :])


def _text(path: Path, pins: Mapping[str, str]) -> str:
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if pins.get(path.name) != found:
        raise InstrumentError(
            f"{_name(path)} is not the pinned text: its SHA-256 is {found}. Changes make a new version."
        )
    return raw.decode()


def _read(place: Path) -> Instrument:
    pins = _pins(place)
    pack = _Pack.model_validate(tomllib.loads(_text(place / "pack.toml", pins)))
    wording = {}
    for language in LANGUAGES:
        words = _Wording.model_validate(tomllib.loads(_text(place / f"{language}.toml", pins)))
        wording[str(language)] = Wording(language=str(language), **dict(words))
    return Instrument(
        id=pack.id,
        name=pack.name,
        version=pack.version,
        validated=pack.validated,
        recall_days=pack.recall_days,
        first_day=pack.first_day,
        sections=tuple(Section(section.id, tuple(item.item() for item in section.items)) for section in pack.sections),
        scales={name: Scale(**dict(scale)) for name, scale in pack.scales.items()},
        wording=wording,
        chart=Chart(**dict(pack.chart)),
        bands=tuple(Band(**dict(band)) for band in pack.bands),
        band_source=None if pack.band_source is None else BandSource(**dict(pack.band_source)),
        loinc_panel=pack.loinc_panel,
        loinc_total=pack.loinc_total,
        words=pack.words,
    )
