import re
from collections.abc import Iterator

import pytest

from services.assessments.rendering import ROOM, STYLE, numbers
from shared.languages import LANGUAGES, Texts

TEXTS = Texts.load(ROOM / "texts")
READABLE = 4.5
PAIRS = [
    ("ink", "ground"),
    ("ink", "card"),
    ("ink", "wash"),
    ("ink", "care-wash"),
    ("ink", "warn-wash"),
    ("soft", "ground"),
    ("soft", "card"),
    ("accent", "ground"),
    ("accent", "warn-wash"),
    ("on-accent", "accent"),
    ("warn", "card"),
    ("warn", "warn-wash"),
    ("care", "care-wash"),
    ("care", "card"),
]


def said(language: str) -> Iterator[str]:
    for key in TEXTS.keys():  # noqa: SIM118 - a method of the catalogue, not of a mapping
        yield TEXTS.say(language, key, number=1, count=2, minutes=2, name="A.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_promises_that_somebody_watches_or_was_told(language: str) -> None:
    promises = re.compile(
        r"notified|informed|we will call|monitor|you are safe|24/7|avisad|informad|le llamaremos|está a salvo",
        re.IGNORECASE,
    )
    assert [text for text in said(language) if promises.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_names_a_drug_a_diagnosis_or_a_crisis_number(language: str) -> None:
    private = re.compile(r"ketamin|esketamin|depres|suicid|988|911", re.IGNORECASE)
    assert [text for text in said(language) if private.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_short_enough_for_somebody_who_feels_unwell(language: str) -> None:
    sentences = [part for text in said(language) for part in re.split(r"[.?!:]\s*", text)]
    assert [part for part in sentences if len(part.split()) > 22] == []


def test_the_numbers_of_a_crisis_text_can_be_called() -> None:
    text = "Call or text 988 at any hour; in danger 911. Or us: +1 (555) 010-0199, day 1 to 31."
    assert numbers(text) == [("988", "988"), ("911", "911"), ("+1 (555) 010-0199", "+15550100199")]


def test_a_text_without_numbers_has_none() -> None:
    assert numbers("Go to the nearest emergency room.") == []


def colours(sheet: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", sheet))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: str, front: str, back: str) -> None:
    light, dark = STYLE.decode().split("@media (prefers-color-scheme: dark)")
    sheet = colours(light if scheme == "light" else dark)
    lighter, darker = sorted((luminance(sheet[front]), luminance(sheet[back])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= READABLE


def test_the_stylesheet_is_small() -> None:
    assert len(STYLE) < 8000
