"""Words of crisis: what is missed, and whom ordinary words would wake."""

import tomllib
from pathlib import Path
from typing import Final

import pytest

from shared.crisis import Level, find

CORPUS: Final = tomllib.loads((Path(__file__).parent / "corpus.toml").read_text(encoding="utf-8"))
LANGUAGES: Final = sorted(CORPUS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_cry_for_help_is_taken_for_an_ordinary_text(language: str) -> None:
    cries = CORPUS[language]["crisis"]
    missed = [text for text in cries if find(text) is None]
    assert not missed, f"{language}: {len(cries) - len(missed)} of {len(cries)} found; missed: {missed}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_woken_for_an_ordinary_text(language: str) -> None:
    ordinary, near = CORPUS[language]["ordinary"], CORPUS[language]["near"]
    woken = {text: level for text in ordinary if (level := find(text))}
    pages = sum(find(text) is not None for text in near)
    said = f"{language}: {len(woken)} of {len(ordinary)} ordinary texts page, {pages} of {len(near)} near ones"
    assert not woken, f"{said}: {woken}"


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    sizes = {language: sum(map(len, CORPUS[language].values())) for language in LANGUAGES}
    assert sum(sizes.values()) >= 450, sizes
    assert min(sizes.values()) >= 150, sizes


@pytest.mark.parametrize(
    "text",
    [
        *("quiero suicidarme", "I dont want to be here anymore", "i have the pills", "i took all of them"),
        *("I want to die", "kill myself", "kms", "unalive", "better off dead", "end it all", "overdose", "cut myself"),
        *("ya no quiero vivir", "me quiero morir", "matarme"),
    ],
)
def test_plain_words_of_suicide_are_never_less_than_high(text: str) -> None:
    assert find(text) is Level.HIGH


@pytest.mark.parametrize("text", ["I am not suicidal", "no suicidal thoughts today", "no soy suicida"])
def test_what_is_said_to_deny_is_seen_at_the_lower_level(text: str) -> None:
    assert find(text) is Level.ELEVATED


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u200b",
        "~",
        "💀",
        "a" * 4096,
        "no " * 1365,
        "\ud83d\udc4d".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    assert find(text) is None
