"""Why staff did something, in their words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Reason:
    """A reason that somebody typed.

    Attributes:
        thing: what it was about, such as a session; the patient, where it was about them.
        what: the word for what was done, such as `cancelled`.
        by: who did it.
    """

    thing: UUID
    what: str
    words: str
    by: str
    at: datetime
