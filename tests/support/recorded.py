"""Spans that this process records while a block runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.telemetry import spans
from shared.telemetry.otlp import Recording
from shared.telemetry.trace import Parent

ALLOWED = frozenset(
    {
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "keepwell.area",
        "keepwell.channel",
        "keepwell.code",
        "keepwell.message",
        "keepwell.ordered_of",
        "keepwell.outcome",
        "keepwell.purpose",
        "keepwell.service",
        "keepwell.status",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.operation.name",
        "messaging.system",
    }
)
"""Every attribute that a span may have. A new one is a decision: whom could it name?"""


@dataclass(frozen=True)
class Kept:
    """A span that ended."""

    name: str
    traceparent: Parent
    parent: str | None
    links: tuple[Parent, ...]
    attributes: dict[str, Any]
    error: str | None


class Recorded:
    """What was recorded."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[Kept]:
        """Return the spans that have ended, in the order in which they did."""
        return [_kept(span) for span in self._exporter.get_finished_spans()]

    def of_trace(self, trace: str) -> list[Kept]:
        return [span for span in self.all() if span.traceparent.trace == trace]

    def only(self, name: str) -> Kept:
        (span,) = [span for span in self.all() if span.name == name]
        return span


def _kept(span: ReadableSpan) -> Kept:
    context = span.get_span_context()
    assert context is not None
    return Kept(
        name=span.name,
        traceparent=Parent(f"{context.trace_id:032x}", f"{context.span_id:016x}", int(context.trace_flags)),
        parent=None if span.parent is None else f"{span.parent.span_id:016x}",
        links=tuple(
            Parent(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}", int(link.context.trace_flags))
            for link in span.links
        ),
        attributes=dict(span.attributes or {}),
        error=None if span.status.is_ok or span.status.is_unset else span.status.description,
    )


@contextmanager
def recorded(*, share: float = 1) -> Iterator[Recorded]:
    """Record spans in memory while the block runs."""
    exporter = InMemorySpanExporter()
    recording = Recording(
        name="keepwell-test", version="0", instance="test", share=share, processor=SimpleSpanProcessor(exporter)
    )
    spans.switch(recording)
    try:
        yield Recorded(exporter)
    finally:
        spans.switch(None)
        recording.close()
