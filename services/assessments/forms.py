"""What a patient's form shows: sections, questions and choices in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.assessments.model.instrument import Instrument, Item, Section

PREFIX: Final = "q-"
WORDS: Final = "words"
MOST_WORDS: Final = 4000
"""Characters of own words that are kept; the field takes half as many."""
MINUTES: Final = 2
"""What a form takes, roughly: nine to eleven short questions."""
_PAIR: Final = 2
_LADDER: Final = 10


@dataclass(frozen=True)
class OptionView:
    """One choice."""

    value: int
    text: str
    chosen: bool


@dataclass(frozen=True)
class ItemView:
    """One question; `wrong` where it was sent without an answer, `shape` says how its choices lie."""

    id: str
    text: str
    required: bool
    wrong: bool
    shape: str
    options: tuple[OptionView, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """The ids of the texts that describe it."""
        error = (f"error-{self.id}",) if self.wrong else ()
        return error if self.required else (*error, f"note-{self.id}")


@dataclass(frozen=True)
class SectionView:
    """Questions under one stem."""

    stem: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class Part:
    """Which instrument this is, and which of how many."""

    instrument: str
    title: str
    notice: str
    number: int
    count: int
    minutes: int


@dataclass(frozen=True)
class WordsView:
    """The field for the patient's own words, with what was just typed into it."""

    text: str
    typed: str
    most: int


@dataclass(frozen=True)
class Form:
    """A page of one instrument; `resumed` where some of it was answered on an earlier visit."""

    part: Part
    sections: tuple[SectionView, ...]
    errors: tuple[ItemView, ...]
    resumed: bool
    words: WordsView | None


def choices(instrument: Instrument, posted: Mapping[str, str]) -> dict[str, int]:
    """Return the answers of a sent form; what is no choice of its question counts as not answered."""
    found: dict[str, int] = {}
    for item in instrument.items:
        text = posted.get(PREFIX + item.id, "")
        allowed = {str(value): value for value in instrument.scales[item.scale].values}
        if text in allowed:
            found[item.id] = allowed[text]
    return found


def words_of(instrument: Instrument, posted: Mapping[str, str]) -> str | None:
    """Return what was written in own words, or None."""
    written = posted.get(WORDS, "").replace("\x00", "").replace("\r\n", "\n").strip()
    return written[:MOST_WORDS] or None if instrument.words else None


def form_of(
    instrument: Instrument,
    language: str,
    all_instruments: Sequence[str],
    *,
    saved: Mapping[str, int],
    posted: Mapping[str, int] | None = None,
    absent: Sequence[str] = (),
    words: str | None = None,
) -> Form:
    """Return what a form shows.

    Args:
        instrument: what is asked.
        language: in which words.
        all_instruments: every instrument of the check-in, for "part 1 of 2".
        saved: what is kept of this instrument. Its questions are left out, and its answers never shown: whoever opens
            the link again need not be the patient.
        posted: what this very request sent; those questions stay, as they were answered.
        absent: the questions that this request left out.
        words: what this very request wrote.
    """
    shown = [
        _section(instrument, section, language, saved=saved, posted=posted or {}, absent=absent)
        for section in instrument.sections
    ]
    sections = tuple(section for section in shown if section.items)
    wording = instrument.wording[language]
    return Form(
        part=Part(
            instrument=instrument.id,
            title=wording.title,
            notice=wording.notice,
            number=list(all_instruments).index(instrument.id) + 1,
            count=len(all_instruments),
            minutes=MINUTES,
        ),
        sections=sections,
        errors=tuple(item for section in sections for item in section.items if item.wrong),
        resumed=posted is None and bool(saved),
        words=WordsView(wording.words, words or "", MOST_WORDS // 2) if wording.words else None,
    )


def _section(
    instrument: Instrument,
    section: Section,
    language: str,
    *,
    saved: Mapping[str, int],
    posted: Mapping[str, int],
    absent: Sequence[str],
) -> SectionView:
    return SectionView(
        stem=instrument.wording[language].stems[section.id],
        items=tuple(
            _item(instrument, item, language, chosen=posted.get(item.id), wrong=item.id in absent)
            for item in section.items
            if item.id not in saved or item.id in posted
        ),
    )


def _item(instrument: Instrument, item: Item, language: str, *, chosen: int | None, wrong: bool) -> ItemView:
    words = instrument.wording[language]
    values = instrument.scales[item.scale].values
    shape = "yes" if len(values) == _PAIR else "ladder" if len(values) > _LADDER else "choice"
    return ItemView(
        id=item.id,
        text=words.items[item.id],
        required=item.required,
        wrong=wrong,
        shape=shape,
        options=tuple(
            OptionView(value, text, chosen=value == chosen)
            for value, text in zip(values, words.scales[item.scale], strict=True)
        ),
    )
