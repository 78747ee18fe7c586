"""What a person wrote of a text: without reactions, quotes and our own words.

Phones send a reaction as a text of its own (`Liked “...”`), in the language of the phone, with the whole text that it
is about in quotation marks; other people quote by `>`. What stands in the quote nobody wrote.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Reaction(StrEnum):
    """What a reaction says."""

    FOR = "for"
    AGAINST = "against"
    TAKEN_BACK = "taken back"


@dataclass(frozen=True)
class Written:
    """A text, as far as a person wrote it.

    Attributes:
        words: what is left; empty for a bare reaction or quote.
        reaction: to one of our texts, where it is one.
        quoted: whether there was more than these words, which others wrote.
    """

    words: str
    reaction: Reaction | None = None
    quoted: bool = False


_OPENING: Final = "“„«\"‟‹‘'"  # noqa: RUF001 - what phones send
_CLOSING: Final = "”“»\"›’'"  # noqa: RUF001 - what phones send
_AGAINST: Final = (
    "disliked|thumbs?[- ]downed|no le gust[oó]|no me gusta|(?:ha )?indicad?o? que no le gusta|dio un no me gusta a"
    "|(?:ha )?dado un no me gusta a|(?:le )?disgust[oó]"
)
_FOR: Final = (
    "liked|loved|laughed at|emphasi[sz]ed|questioned|hearted|thumbs?[- ]upped|replied with a sticker to"
    "|le gust[oó]|me gusta|le gusta|le encant[oó]|me encant[aó]|le encanta|a \\w+ le (?:gusta|encanta)"
    "|(?:ha )?indic(?:ado|[oó]) que le (?:gusta|encanta)|(?:le )?dio risa|me da risa|se (?:ri[oó]|r[ií]e) de"
    "|se ha re[ií]do (?:de|con)|enfatiz[oó]|ha enfatizado|enfatizado|destac[oó]|ha destacado|exclam[oó] por"
    "|cuestion[oó]|ha cuestionado|pregunt[oó] por|dio (?:un )?(?:me gusta|me encanta) a"
    "|(?:ha )?dado (?:un )?(?:me gusta|me encanta) a|le dio (?:un )?(?:me gusta|like|coraz[oó]n) a"
)
_TAKEN_BACK: Final = r"removed .{1,40}? from|(?:quit[oó]|elimin[oó]|ha quitado|ha eliminado) .{1,40}? (?:de|a)"
_WITH: Final = r"(?:reacted|reaccion[oó]|ha reaccionado)(?: (?:with|con))?"
_SYMBOLS: Final = r"[^\w\s“”«»\"'‘’.,;:!?()<>-]{1,12}"  # noqa: RUF001 - what phones send
_OBJECTS: Final = (
    r"(?:an? |un[ao]? |this |el |la )(?:image|photo|picture|video|message|attachment|sticker|link|movie|audio message"
    r"|contact|location|imagen|foto|mensaje|v[ií]deo|archivo|enlace|mensaje de (?:voz|audio))"
)
_THUMBS_DOWN: Final = "👎"


def _shape(verb: str) -> re.Pattern[str]:
    quote = rf"[{_OPENING}](?P<quote>.*?)(?:[{_CLOSING}](?P<rest>[^{_CLOSING}]*))?"
    return re.compile(rf"\s*(?:{verb})\s*(?:{quote}|{_OBJECTS})\s*", re.IGNORECASE | re.DOTALL)


_SHAPES: Final = (
    (Reaction.TAKEN_BACK, _shape(_TAKEN_BACK)),
    (Reaction.AGAINST, _shape(_AGAINST)),
    (Reaction.FOR, _shape(_FOR)),
    (None, _shape(rf"(?:{_WITH}\s*)?(?P<mark>{_SYMBOLS})\s*(?:to|a|en|ante|for|al?)")),
)
_QUOTED_LINE: Final = re.compile(r"^\s*(?:>|&gt;)")
_SAID_BY: Final = re.compile(
    r"^\s*(?:on .{4,80} wrote:|el .{4,80} escribi[oó]:|-{2,}\s*(?:original message|mensaje original).*)\s*$",
    re.IGNORECASE,
)
_FORWARDED: Final = re.compile(r"\W*(?:fwd?|re|rv|forwarded|reenviado)\W*", re.IGNORECASE)
_INVISIBLE: Final = re.compile(r"[\u200a-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0e\ufe0f]")

_APOSTROPHES: Final = str.maketrans(dict.fromkeys("’‘´`", "'"))  # noqa: RUF001 - what phones send


def written(text: str, without_ours: Callable[[str], str]) -> Written:
    """Return what a person wrote.

    Args:
        text: as it came.
        without_ours: takes words that are our own out of a text.
    """
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).translate(_APOSTROPHES)
    for reaction, shape in _SHAPES:
        if (found := shape.fullmatch(seen)) is not None:
            rest = (found.group("rest") or "").strip(" .,;:-\n")
            said = reaction or (Reaction.AGAINST if _THUMBS_DOWN in found.group("mark") else Reaction.FOR)
            return Written(without_ours(rest).strip(), said, quoted=True)
    lines = seen.splitlines()
    own = "\n".join(line for line in lines if not _QUOTED_LINE.match(line) and not _SAID_BY.match(line))
    words = without_ours(own).strip()
    if _FORWARDED.fullmatch(words):
        words = ""
    return Written(words, quoted=words != seen.strip())
