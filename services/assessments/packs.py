"""Instruments as data: read from `packs/<id>/<version>/`, and refused where a letter is not the pinned one.

A pack is versioned and pinned because a changed item is a modified instrument: it would need another id.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from services.assessments.model.alert import AlertKind, AlertLevel
from services.assessments.model.instrument import (
    Alarm,
    Band,
    Chart,
    Instrument,
    InstrumentError,
    Item,
    Scale,
    Section,
    Wording,
)
from shared.languages import LANGUAGES

FOLDER: Final = Path(__file__).parent / "packs"

PINNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "phq-9/1/en.toml": "00a13ef338e56a031205fd18fdab5ccb277ffa6eb85a00d97f4b03900776f4ee",
        "phq-9/1/es.toml": "13b6f134d39cb56533cc0d6d723f35e1b1932c68cc2eded80a06d814e7032cb8",
        "phq-9/1/pack.toml": "91799f20fb236e67d9a958259af3af7c55cfcfde568496a383034cf7e822c81c",
        "post-session/1/en.toml": "6632160eb40fc917646e2b5e322072c1e176f9ade5e29f1141e4494245b31488",
        "post-session/1/es.toml": "0347213f1e678a7c874def1e1c11c1719394b004cda469c17d8e989aabd10e8a",
        "post-session/1/pack.toml": "baace1ac321d46931ab02a6188dc08bd37a344c3ba59f5d2fa4e9100ee9976d2",
        "post-session/2/en.toml": "1591292c85348104efc586e569a17572aa4d4dbb8944f7f3b652f8b25156ecbd",
        "post-session/2/es.toml": "4cb63abf2f4b2da255d43d03c0ab946668a78b218b70711bcb3b7ae84c2d762b",
        "post-session/2/pack.toml": "62b0a688d969b3a5a00a03ec1e419cdc2a742b079b6da804bdccc5b254a9bec1",
    },
)
"""SHA-256 of every file of every pack."""


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
    band_source: str | None = None
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
    def load(cls, folder: Path = FOLDER, pinned: Mapping[str, str] = PINNED) -> "Packs":
        """Read every pack.

        Raises:
            InstrumentError: a file is not the pinned one, or a pack does not fit together.
        """
        found = [_read(pack.parent, folder, pinned) for pack in sorted(folder.glob("*/*/pack.toml"))]
        return cls({(one.id, one.version): one for one in found})

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all instruments."""
        return tuple(self._newest)

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


def _text(path: Path, folder: Path, pinned: Mapping[str, str]) -> str:
    raw = path.read_bytes()
    name = path.relative_to(folder).as_posix()
    found = hashlib.sha256(raw).hexdigest()
    if pinned.get(name) != found:
        raise InstrumentError(f"{name} is not the pinned text: its SHA-256 is {found}. Changes make a new version.")
    return raw.decode()


def _read(place: Path, folder: Path, pinned: Mapping[str, str]) -> Instrument:
    pack = _Pack.model_validate(tomllib.loads(_text(place / "pack.toml", folder, pinned)))
    wording = {}
    for language in LANGUAGES:
        words = _Wording.model_validate(tomllib.loads(_text(place / f"{language}.toml", folder, pinned)))
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
        band_source=pack.band_source,
        loinc_panel=pack.loinc_panel,
        loinc_total=pack.loinc_total,
        words=pack.words,
    )
