"""The W3C trace context that travels from a request through the outbox and Kafka to the provider's callback."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

_PATTERN: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NOTHING: Final = ("0" * 32, "0" * 16)
SAMPLED: Final = 1
_current: ContextVar[str | None] = ContextVar("keepwell_traceparent", default=None)


@dataclass(frozen=True)
class Parent:
    """A traceparent taken apart.

    Attributes:
        trace: 32 hexadecimal digits.
        span: 16 hexadecimal digits.
        flags: with `SAMPLED` where its sender records it.
    """

    trace: str
    span: str
    flags: int

    @classmethod
    def read(cls, traceparent: str | None) -> "Parent | None":
        """Take a traceparent apart; None where there is none, or one that is malformed."""
        match = _PATTERN.fullmatch(traceparent or "")
        if match is None or match.group(1) == _NOTHING[0] or match.group(2) == _NOTHING[1]:
            return None
        return cls(match.group(1), match.group(2), int(match.group(3), 16))

    def __str__(self) -> str:
        return f"00-{self.trace}-{self.span}-{self.flags:02x}"


def current() -> str:
    """Return the traceparent of this task; a new trace where none was begun."""
    return _current.get() or begin(None)


def child(parent: str | None) -> str:
    """Return a traceparent that goes on with a caller's trace, or begins one where the caller sent none that holds."""
    # Made for each event that is handled, recorded or not: so without taking it apart.
    match = _PATTERN.fullmatch(parent or "")
    if match is None or match.group(1) == _NOTHING[0] or match.group(2) == _NOTHING[1]:
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{SAMPLED:02x}"
    return f"00-{match.group(1)}-{secrets.token_hex(8)}-{match.group(3)}"


def begin(parent: str | None) -> str:
    """Go on with a caller's trace in this task, or begin one; see `child`."""
    traceparent = child(parent)
    _current.set(traceparent)
    return traceparent


@contextmanager
def within(traceparent: str) -> Iterator[None]:
    """Let the block go on from a traceparent."""
    before = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(before)
