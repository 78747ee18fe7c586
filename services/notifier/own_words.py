"""Our own words in what somebody wrote: a text that was forwarded, quoted or copied is not an order."""

import re
from functools import lru_cache
from itertools import product
from typing import Final

from services.notifier.model.segments import plain
from services.notifier.wording import BLANK, TEXTS, Content
from shared.languages import LANGUAGES

_SHORTEST: Final = 12
"""Characters of a part of a template that is known for ours wherever it stands."""
_EDGES: Final = " \t\n\"'“”«»‘’.,:;-"  # noqa: RUF001 - what is left around a quote


def without_our_words(text: str, sender: str) -> str:
    """Return a text without the words that the notifier itself sends.

    Args:
        text: what somebody wrote.
        sender: the name under which we write, where it is known whose; else empty.
    """
    rest = text
    for pattern in _patterns(sender):
        rest = pattern.sub(" ", rest)
    return rest.strip(_EDGES) if rest != text else text


@lru_cache(64)
def _patterns(sender: str) -> tuple[re.Pattern[str], ...]:
    """Return whole texts, the longest first, then parts that no person would write by chance."""
    blank = dict.fromkeys([*Content("", "", "").values(), "number"], BLANK)
    whole: set[str] = set()
    parts: set[str] = set()
    for language, key in product(LANGUAGES, sorted(TEXTS.keys())):
        if not key.startswith("sms."):
            continue
        said = TEXTS.say(language, key, **blank)
        for words in {said, plain(said)}:
            # What stands before our name is the person's own, so that no blank may begin a pattern.
            whole.add(words.removeprefix(BLANK))
            parts |= {part.strip(_EDGES) for part in words.split(BLANK)}
    by_length = [*sorted(whole, key=len, reverse=True), *sorted(parts, key=len, reverse=True)]
    named = f"(?:{re.escape(sender)})?" if sender else ""
    return tuple(
        re.compile(named + _pattern(words), re.IGNORECASE)
        for words in by_length
        if len(words.replace(BLANK, "").strip()) >= _SHORTEST
    )


def _pattern(words: str) -> str:
    loose = r"\s+".join(re.escape(word) for word in words.split())
    return loose.replace(BLANK, r"[^\n]{0,80}?")
