"""How many segments a text costs, and how to keep it at one.

GSM-7 holds 160 characters in a single segment and 153 in each of several; one character outside it switches the whole
text to UCS-2 with 70 and 67 (Twilio help 223133407). Characters of the extension table count twice.
"""

import unicodedata
from math import ceil
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("\f^{}\\[~]|€")

_TYPOGRAPHY: Final = str.maketrans(
    {
        "‘": "'",  # noqa: RUF001 - the very characters that have to go
        "’": "'",  # noqa: RUF001 - the very characters that have to go
        "“": '"',
        "”": '"',
        "–": "-",  # noqa: RUF001 - the very characters that have to go
        "—": "-",
        "…": "...",
        "•": "-",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "`": "'",
        "ª": "a",
        "º": "o",
    }
)


def plain(text: str) -> str:
    """Return a text in GSM-7 characters where that is possible without changing what it says.

    `á`, `í`, `ó` and `ú` are not in GSM-7, `é`, `ñ`, `ü`, `¿` and `¡` are: the former lose their accent, as Spanish
    texts commonly do. A character without a stand-in stays, and the text then costs UCS-2.
    """
    simple = text.translate(_TYPOGRAPHY)
    return simple if BASIC.issuperset(simple) else "".join(map(_plain, simple))


def _plain(character: str) -> str:
    if character in BASIC or character in EXTENDED:
        return character
    base = "".join(part for part in unicodedata.normalize("NFD", character) if not unicodedata.combining(part))
    return base if base and all(part in BASIC for part in base) else character


def segments(text: str) -> int:
    """Return how many segments a text is billed as; an empty text is one."""
    if BASIC.issuperset(text) or (BASIC | EXTENDED).issuperset(text):
        return _gsm_segments(text)
    units = len(text.encode("utf-16-be")) // 2
    return 1 if units <= 70 else ceil(units / 67)  # noqa: PLR2004 - the protocol's numbers, given above


def _gsm_segments(text: str) -> int:
    sizes = [2 if character in EXTENDED else 1 for character in text]
    if sum(sizes) <= 160:  # noqa: PLR2004 - the protocol's number, given above
        return 1
    count, used = 1, 0
    for size in sizes:
        # An escape sequence is never split between two segments.
        if used + size > 153:  # noqa: PLR2004 - the protocol's number, given above
            count, used = count + 1, 0
        used += size
    return count
