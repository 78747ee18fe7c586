"""The instruments themselves: what is asked, in which words, and which answers count."""

from fastapi import APIRouter

from services.assessments.api.access import Access
from services.assessments.model.instrument import Instrument, Item, Wording
from shared.web.api import Listing, Reads, View


class OptionView(View):
    """A choice: its value in the list of answers, and its words."""

    value: int
    text: str


class ItemView(View):
    """A question."""

    id: str
    text: str
    required: bool
    options: tuple[OptionView, ...]


class SectionView(View):
    """Questions under one stem, which may be empty."""

    stem: str
    items: tuple[ItemView, ...]


class WordingView(View):
    """An instrument in one language, letter by letter as its source has it."""

    title: str
    notice: str
    sections: tuple[SectionView, ...]
    words: str | None


class InstrumentView(View):
    """An instrument; answers by phone are given in the order of its required items.

    `words` asks for the patient's own words; it is null where there is no field for them.
    """

    id: str
    version: int
    validated: bool
    languages: dict[str, WordingView]

    @classmethod
    def of(cls, instrument: Instrument) -> "InstrumentView":
        """Show an instrument."""
        languages = {language: _wording(instrument, words) for language, words in instrument.wording.items()}
        return cls(id=instrument.id, version=instrument.version, validated=instrument.validated, languages=languages)


def add(routes: APIRouter, access: Access) -> None:
    """Add the route of instruments."""

    @routes.get("/instruments")
    async def list_instruments(_principal: Reads, *, every_version: bool = False) -> Listing[InstrumentView]:
        """Return every instrument that can be asked, in its present version and every language.

        With `every_version` also those of before, in which older scores were answered.
        """
        packs = access.deps.packs
        found = packs.every if every_version else [packs.get(instrument) for instrument in packs.ids]
        return Listing(items=[InstrumentView.of(one) for one in found], next=None)


def _wording(instrument: Instrument, words: Wording) -> WordingView:
    sections = tuple(
        SectionView(stem=words.stems[section.id], items=tuple(_item(instrument, item, words) for item in section.items))
        for section in instrument.sections
    )
    return WordingView(title=words.title, notice=words.notice, sections=sections, words=words.words)


def _item(instrument: Instrument, item: Item, words: Wording) -> ItemView:
    values = instrument.scales[item.scale].values
    options = tuple(
        OptionView(value=value, text=text) for value, text in zip(values, words.scales[item.scale], strict=True)
    )
    return ItemView(id=item.id, text=words.items[item.id], required=item.required, options=options)
