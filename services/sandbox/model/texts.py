"""Facts about the body of a text: its segments, its links, what it asks for, and what makes two texts the same."""

import re
from math import ceil
from typing import Final

LONGEST_BODY: Final = 1600
"""Characters that the provider takes in one message (error 21617 above it)."""

_GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
_LINK = re.compile(r"https?://[^\s<>\"']+")
_ASKS_FOR_C = re.compile(r"(?<!\w)C(?!\w)")
_TRAILING = ".,;:!?)"


def segments(body: str) -> int:
    """Return how many segments a text takes: 160 then 153 each in GSM-7, 70 then 67 each in UCS-2.

    Source: Twilio help 223133407; one character outside GSM-7 switches the whole text, an emoji counts double.
    """
    if all(letter in _GSM_BASIC or letter in _GSM_EXTENDED for letter in body):
        units, single, joined = sum(2 if letter in _GSM_EXTENDED else 1 for letter in body), 160, 153
    else:
        units, single, joined = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= single else ceil(units / joined)


def links(body: str) -> tuple[str, ...]:
    """Return the web addresses in a text, without the punctuation that ends a sentence after them."""
    return tuple(found.rstrip(_TRAILING) for found in _LINK.findall(body))


def checkin_link(body: str) -> str | None:
    """Return the first link of a text that leads to a check-in, or None."""
    return next((link for link in links(body) if "/c/" in link), None)


def asks_for_c(body: str) -> bool:
    """Tell whether a text asks its reader, in whatever language, to answer with the letter C."""
    return bool(_ASKS_FOR_C.search(_LINK.sub("", body)))


def pattern(body: str) -> str:
    """Return the text with every link's secret taken out, so that two runs with other secrets compare as equal."""
    return _LINK.sub("<link>", body).strip()
