import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.model.segments import BASIC, plain, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 8, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_are_counted_as_they_are_billed(text: str, count: int) -> None:
    assert segments(text) == count


def test_an_escape_sequence_is_not_split_between_segments() -> None:
    assert segments("a" * 152 + "€" * 77) == 3


def test_spanish_loses_only_the_accents_that_texts_cannot_carry() -> None:
    assert plain("El sábado, ¿está aquí? Niño, café, pingüino") == "El sabado, ¿esta aqui? Niño, café, pingüino"


def test_typography_of_phones_becomes_plain() -> None:
    assert plain("10:00\u202fAM – it’s “on”…") == '10:00 AM - it\'s "on"...'  # noqa: RUF001 - the characters meant


def test_what_has_no_stand_in_stays() -> None:
    assert plain("診療所") == "診療所"


@given(st.text())
def test_plain_text_never_costs_more(text: str) -> None:
    assert all(character in BASIC for character in plain("".join(c for c in text if c in BASIC)))
    assert plain(plain(text)) == plain(text)
