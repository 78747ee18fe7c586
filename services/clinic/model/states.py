"""States that other services name: a later version may know more of them."""

from enum import StrEnum
from typing import TypeVar

Known = TypeVar("Known", bound=StrEnum)


def known(kind: type[Known], word: str) -> Known | str:
    """Return a state as this version knows it; a word of a later version as it is, to be shown plainly."""
    return kind(word) if word in set(kind) else word
