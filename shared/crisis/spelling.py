"""How people spell by phone, evened out, so that one phrase finds many spellings."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

MANY: Final = "manyamount"
"""What stands for a number above five: ordinary doses are smaller."""
_MANY_FROM: Final = 6

_SIGNS: Final = {
    "\N{PILL}": "pillsign",
    "\N{PISTOL}": "gunsign",
    "\N{HOCHO}": "knifesign",
    "\N{DAGGER KNIFE}": "knifesign",
    "\N{COFFIN}": "coffinsign",
    "\N{HEADSTONE}": "coffinsign",
    "\N{DROP OF BLOOD}": "bloodsign",
    "\N{KNOT}": "knotsign",
}
_APOSTROPHES: Final = re.compile("['`\u00b4\u02bc\u2018\u2019\u2032\uff07]")
_HIDDEN: Final = re.compile("(?<=[^\\W\\d_])[*_.·\u00ad\u200b-\u200f\u2060\ufeff-](?=[^\\W\\d_])")
_LIKE_LETTERS: Final = str.maketrans("013457@$!|", "oieastasil")
_MIXED: Final = re.compile(r"[^\W_]*[013457@$!|]+[^\W_]*[^\W\d_][\w@$!|]*|[^\W\d_]+[013457@$!|]+\w*")
_REPEATED: Final = re.compile(r"(.)\1+")
_SPELLED_OUT: Final = re.compile(r"(?<![^ ])(?:\w ){2,}\w(?![^ ])")

_OFTEN_MISSPELT: Final = [
    "suicide",
    "suicidal",
    "overdose",
    "overdosed",
    "myself",
    "unalive",
    "anymore",
    "hopeless",
    "worthless",
    "goodbye",
    "suicidarme",
    "suicidio",
    "sobredosis",
    "matarme",
    "morirme",
    "lastimarme",
    "pastillas",
]
_OTHER_WORDS: Final = frozenset(
    {"overdone", "overdoes", "himself", "itself", "atarme", "mandarme", "tratarme", "matarte", "matarle"}
)
_SHORTEST_MISSPELT: Final = 5
_EMERGENCY: Final = frozenset({"911", "988"})


def evened(text: str) -> Sequence[str]:
    """Return the ways to read a text, each as plain words in lower case with single spaces between.

    Accents, apostrophes, invisible characters and doubled letters are gone; digits and signs among letters are read
    as the letters they look like, letters with spaces between as one word, and long words one letter off as meant.
    """
    plain = _plain(text)
    ways = [plain, _plain(_HIDDEN.sub("", text)), _plain(_MIXED.sub(_as_letters, text))]
    ways += [_SPELLED_OUT.sub(lambda run: run.group().replace(" ", ""), way) for way in ways]
    ways += [re.sub(r"(?<![^ ])i (?=kms|kys)", "", way) for way in ways]
    return list(dict.fromkeys(_words(way) for way in ways))


def even_word(word: str) -> str:
    """Return a word as `evened` would leave it, read as it stands."""
    if word in _EMERGENCY:
        return word
    return _REPEATED.sub(r"\1", _plain(word))


def _plain(text: str) -> str:
    for sign, word in _SIGNS.items():
        text = text.replace(sign, f" {word} ")
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).casefold())
    letters = "".join(part for part in decomposed if not unicodedata.combining(part))
    return " ".join(re.sub(r"[^\w]+|_", " ", letters).split())


def _words(plain: str) -> str:
    return " ".join(_word(word) for word in plain.split())


@cache
def _misspellings() -> tuple[tuple[str, str], ...]:
    return tuple((even_word(word), word) for word in _OFTEN_MISSPELT)


def _word(word: str) -> str:
    if word in _EMERGENCY:
        return word
    if word.isdecimal():
        return MANY if len(word) > 3 or int(word) >= _MANY_FROM else word  # noqa: PLR2004
    evened_out = _REPEATED.sub(r"\1", word)
    if len(evened_out) < _SHORTEST_MISSPELT or word in _OTHER_WORDS or evened_out in _OTHER_WORDS:
        return evened_out
    return next((meant for meant, _ in _misspellings() if _one_letter_off(evened_out, meant)), evened_out)


def _as_letters(mixed: re.Match[str]) -> str:
    return mixed.group().translate(_LIKE_LETTERS)


def _one_letter_off(one: str, other: str) -> bool:
    """Say whether one letter was left out, added, changed, or swapped with the next; the first letter must fit."""
    if abs(len(one) - len(other)) > 1 or one[0] != other[0]:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    ours, theirs = one[start:], other[start:]
    return (
        ours[1:] == theirs[1:]
        or ours[1:] == theirs
        or ours == theirs[1:]
        or (ours[:2] == theirs[:2][::-1] and ours[2:] == theirs[2:])
    )
