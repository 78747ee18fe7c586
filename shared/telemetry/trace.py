"""The W3C trace context that travels from a request through the outbox and Kafka to the provider's callback."""

import re
import secrets
from contextvars import ContextVar
from typing import Final

_PATTERN: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("keepwell_traceparent", default=None)


def current() -> str:
    """Return the traceparent of this task; a new trace where none was begun."""
    return _current.get() or begin(None)


def begin(parent: str | None) -> str:
    """Go on with a caller's trace, or begin one where the caller sent none or a malformed one."""
    match = _PATTERN.fullmatch(parent or "")
    trace = match.group(1) if match else secrets.token_hex(16)
    traceparent = f"00-{trace}-{secrets.token_hex(8)}-01"
    _current.set(traceparent)
    return traceparent
