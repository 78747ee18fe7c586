"""Texts of people in two languages: no false stop, and none missed that is not asked about."""

import tomllib
from pathlib import Path
from typing import Final

import pytest

from services.notifier.model.inbound import Intent, TextMeaning, meaning_of
from services.notifier.own_words import without_our_words

FOLDER: Final = Path(__file__).parent / "texts"
OURS: Final = "Riverside: your visit is on Tuesday, December 15 at 10:00 AM. Reply C to confirm, STOP to end texts."
PARTS: Final = {
    name: tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")) for name in ("tuned", "held_back")
}
MOST_MISSED: Final = 0.01


def meaning_in(text: str) -> TextMeaning:
    return meaning_of(text.replace("%", OURS), without_ours=lambda words: without_our_words(words, "Riverside"))


def wrong(part: str, kind: str, right: set[Intent]) -> list[str]:
    texts = PARTS[part][kind]
    return [text for text in texts if (meaning := meaning_in(text)).intent not in right or _ends(meaning, right)]


def _ends(meaning: TextMeaning, right: set[Intent]) -> bool:
    return meaning.ends_texts and Intent.STOP not in right


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["free", "ordinary", "reaction"])
def test_no_sentence_about_something_else_ends_a_persons_texts(part: str, kind: str) -> None:
    assert wrong(part, kind, set(Intent) - {Intent.STOP}) == []


@pytest.mark.parametrize("part", PARTS)
def test_no_wish_to_stop_is_passed_over(part: str) -> None:
    missed = wrong(part, "stop", {Intent.STOP, Intent.DOUBT}) + wrong(part, "ask", {Intent.STOP, Intent.DOUBT})
    assert len(missed) <= MOST_MISSED * (len(PARTS[part]["stop"]) + len(PARTS[part]["ask"])), missed


@pytest.mark.parametrize("part", PARTS)
def test_a_clear_stop_is_obeyed_without_a_question(part: str) -> None:
    asked = wrong(part, "stop", {Intent.STOP})
    assert len(asked) <= 0.05 * len(PARTS[part]["stop"]), asked


@pytest.mark.parametrize("part", PARTS)
def test_ordinary_talk_is_not_answered_with_a_question_about_texts(part: str) -> None:
    assert wrong(part, "ordinary", set(Intent) - {Intent.STOP, Intent.DOUBT}) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_reaction_neither_stops_nor_agrees(part: str) -> None:
    assert wrong(part, "reaction", {Intent.REACTION}) == []


def test_the_corpus_is_large_and_a_third_of_it_was_put_aside() -> None:
    counts = {part: sum(len(texts) for texts in kinds.values()) for part, kinds in PARTS.items()}
    assert sum(counts.values()) >= 250
    assert counts["held_back"] >= counts["tuned"] / 3
