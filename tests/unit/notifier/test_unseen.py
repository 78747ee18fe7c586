"""Wishes about texts in words that nobody had seen: heard as a stop, or asked about, or counted as missed."""

import tomllib
from pathlib import Path
from typing import Final

import pytest

from services.notifier.model.inbound import Intent, meaning_of

FOLDER: Final = Path(__file__).parent / "texts"
PARTS: Final = {
    name: tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("unseen", "rounds", "measured")
}
MOST_PASSED_OVER: Final = {"unseen": 1, "rounds": 1, "measured": 9}
MOST_ASKED_IN_VAIN: Final = {"unseen": 1, "rounds": 5, "measured": 3}
LANGUAGES: Final = ("en", "es")


def texts(part: str, kind: str) -> list[str]:
    return [text for language in LANGUAGES for text in PARTS[part][f"{kind}_{language}"]]


@pytest.mark.parametrize("part", PARTS)
def test_no_sentence_about_something_else_ends_a_persons_texts(part: str) -> None:
    assert [text for text in texts(part, "other") if meaning_of(text).ends_texts] == []


@pytest.mark.parametrize("part", PARTS)
def test_a_wish_to_stop_is_hardly_ever_met_with_silence(part: str) -> None:
    silent = [
        text
        for text in texts(part, "stop")
        if not (meaning := meaning_of(text)).ends_texts and meaning.intent is not Intent.DOUBT
    ]
    assert len(silent) <= MOST_PASSED_OVER[part], silent


@pytest.mark.parametrize("part", PARTS)
def test_other_talk_is_hardly_ever_answered_with_a_question_about_texts(part: str) -> None:
    asked = [text for text in texts(part, "other") if meaning_of(text).intent is Intent.DOUBT]
    assert len(asked) <= MOST_ASKED_IN_VAIN[part], asked


def test_sixty_wishes_and_sixty_other_texts_of_each_language_were_written_unseen() -> None:
    assert {len(set(found)) for found in PARTS["unseen"].values()} == {60}


@pytest.mark.parametrize("text", ["alto, ¿es hoy o mañana?", "basta, ya entendí jaja", "Para. ¿Qué hora es?"])
def test_a_word_that_also_means_wait_ends_nothing_beside_something_else(text: str) -> None:
    assert not meaning_of(text).ends_texts


@pytest.mark.parametrize("text", ["no me llame, mejor un mensaje", "no me llamen, escríbanme", "don't call, just text"])
def test_whoever_wants_texts_in_place_of_calls_is_not_asked_about_texts(text: str) -> None:
    assert meaning_of(text).intent not in {Intent.STOP, Intent.DOUBT}


@pytest.mark.parametrize(
    "text",
    [
        "I didn't get the text about Friday",
        "no me llegó el mensaje",
        "I can't open the message",
        "no entiendo el mensaje",
        "why did I not get a reminder this time",
    ],
)
def test_a_text_that_did_not_come_is_no_wish_for_none(text: str) -> None:
    assert meaning_of(text).intent not in {Intent.STOP, Intent.DOUBT}
