"""Does a note on how an alert was dealt with say anything?"""

import re
from typing import Final

FEWEST_LETTERS: Final = 10
FEWEST_WORDS: Final = 2
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SAME: Final = re.compile(r"(.)\1*")


def flaw_of(note: str) -> str | None:
    """Return what is wrong with a note, in words for who wrote it, or None.

    Engineering default: a later reader must learn what was done. A full stop, "ok" or "done" tells nothing.
    """
    words = [word for word in _WORD.findall(note) if not _SAME.fullmatch(word)]
    if len(words) >= FEWEST_WORDS and sum(map(len, words)) >= FEWEST_LETTERS:
        return None
    return (
        f"Say what was done, in at least {FEWEST_WORDS} words and {FEWEST_LETTERS} letters, such as "
        '"Called the patient, safe at home with her sister".'
    )
