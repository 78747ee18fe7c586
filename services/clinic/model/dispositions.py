"""How an alert ended: a short list, and the words of whoever closes it."""

from typing import Final

DISPOSITIONS: Final = (
    "Spoke with the patient",
    "Spoke with family or a carer",
    "Emergency help was sent",
    "An earlier visit is arranged",
    "No danger, the words meant something else",
    "Something else",
)


def disposition_of(outcome: str, words: str) -> str:
    """Return the note on how an alert was dealt with; words that say nothing stay alone, so that they are refused."""
    if outcome not in DISPOSITIONS[:-1] or not any(letter.isalpha() for letter in words):
        return words
    return f"{outcome}. {words}"
