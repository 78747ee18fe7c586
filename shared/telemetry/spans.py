"""Spans: what was done within a trace, and for how long. Off unless a process switches a recorder on.

A trace is carried by its W3C traceparent (`shared.telemetry.trace`) whether spans are recorded or not: through
requests, outbox rows, records and messages. So a process that records goes on with the trace of one that does not.

A span tells what kind of thing was done, never to whom: no id of a person, no address, no path, no error's own words.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Protocol

from shared.telemetry import trace

Attributes = Mapping[str, str | int | float | bool]


class Kind(StrEnum):
    """Which side of a call a span is, as OpenTelemetry has it."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """A span that was begun.

    Attributes:
        traceparent: what its children name as their parent.
    """

    @property
    def traceparent(self) -> str:
        """Return what its children name as their parent."""

    def note(self, attributes: Attributes) -> None:
        """Add what became known meanwhile."""

    def rename(self, name: str) -> None:
        """Give it the name that became known meanwhile."""

    def fail(self, error: str) -> None:
        """Say that it came to nothing, by the kind of error."""

    def end(self) -> None: ...


class Recorder(Protocol):
    """Where spans go."""

    def start(self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Attributes) -> Span:
        """Begin a span; with no parent it begins a trace."""


class _Unrecorded:
    """Stands for a span where none is recorded."""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def note(self, attributes: Attributes) -> None:
        """Add nothing."""

    def rename(self, name: str) -> None:
        """Rename nothing."""

    def fail(self, error: str) -> None:
        """Say nothing."""

    def end(self) -> None:
        """End nothing."""


class _Switch:
    recorder: Recorder | None = None


def switch(recorder: Recorder | None) -> None:
    """Record spans from now on, or no more."""
    _Switch.recorder = recorder


def recorded() -> bool:
    """Tell whether spans are recorded: where not, hot paths leave out even the asking."""
    return _Switch.recorder is not None


def start(
    name: str, kind: Kind, *, parent: str | None, links: Sequence[str] = (), attributes: Attributes | None = None
) -> Span:
    """Begin a span that the caller ends; it is not what the code in between goes on with.

    Args:
        name: what is done, in few words that are the same each time.
        kind: see there.
        parent: a traceparent; None, or one that is malformed, begins a trace.
        links: traceparents of what it has to do with besides.
        attributes: by OpenTelemetry's names, or beginning with `keepwell.`.
    """
    recorder = _Switch.recorder
    if recorder is None:
        return _Unrecorded(trace.child(parent))
    return recorder.start(name, kind, parent, links, attributes or {})


@contextmanager
def span(
    name: str, kind: Kind, *, parent: str | None, links: Sequence[str] = (), attributes: Attributes | None = None
) -> Iterator[Span]:
    """Do what the block does within a span: what it publishes and calls goes on from there. See `start`."""
    begun = start(name, kind, parent=parent, links=links, attributes=attributes)
    try:
        with trace.within(begun.traceparent):
            yield begun
    except BaseException as error:
        begun.fail(type(error).__name__)
        raise
    finally:
        begun.end()
