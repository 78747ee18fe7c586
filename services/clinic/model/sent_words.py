"""What a message said, as far as the notifier kept it."""

import json
from dataclasses import dataclass
from typing import Final, Self

CONTEXT: Final = "sent-words"
"""The context that the notifier seals them for."""


@dataclass(frozen=True)
class SentWords:
    """The words of a message; `subject` is empty but for mail."""

    body: str
    subject: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read them as the notifier tells them."""
        kept = json.loads(text)
        return cls(kept["body"], kept["subject"])
