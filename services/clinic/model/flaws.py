"""What is wrong with an input, where, and how to mend it; all of it at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Read = TypeVar("Read")
Given = TypeVar("Given")


@dataclass(frozen=True)
class Flaw:
    """One thing to mend.

    Attributes:
        pointer: JSON pointer of the value, such as `/contacts/0/value`.
        detail: a sentence that says what is wrong and what to give instead.
    """

    pointer: str
    detail: str


class RefusedError(ValueError):
    """A value that cannot be taken; its message is a sentence for the person who gave it."""


class FlawedError(ValueError):
    """An input with at least one flaw."""

    def __init__(self, *flaws: Flaw) -> None:
        self.flaws = flaws
        super().__init__("; ".join(f"{flaw.pointer}: {flaw.detail}" for flaw in flaws))


class Flaws:
    """Collects flaws, so that a person mends a form once and not field by field."""

    def __init__(self) -> None:
        self._found: list[Flaw] = []

    def add(self, pointer: str, detail: str) -> None:
        """Note a flaw."""
        self._found.append(Flaw(pointer, detail))

    def take(self, pointer: str, read: Callable[[Given], Read], value: Given) -> Read | None:
        """Read a value; where it is refused, note why and return None."""
        try:
            return read(value)
        except ValueError as error:
            self.add(pointer, str(error))
            return None

    def stop_if_any(self) -> None:
        """Raise `FlawedError` with all that was noted, if anything was."""
        if self._found:
            raise FlawedError(*self._found)
