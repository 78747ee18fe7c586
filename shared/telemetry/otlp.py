"""Records spans with OpenTelemetry's SDK and sends them to a collector over OTLP/HTTP.

Imported only where traces are switched on: a process without a collector loads nothing of the SDK. Spans are sent by a
thread of the SDK's own; where the collector is away or too slow they are dropped, never waited for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from shared.telemetry.spans import Attributes, Kind, Span
from shared.telemetry.trace import Parent

MOST_LINKS: Final = 500
"""As many as a batch has records."""
EXPORT_TIMEOUT: Final = 5.0
"""Real seconds that the collector may take for one request."""
QUEUE: Final = 8192
"""Spans that wait to be sent; beyond that the newest are dropped."""

_KINDS: Final = {
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.PRODUCER: SpanKind.PRODUCER,
    Kind.CONSUMER: SpanKind.CONSUMER,
}


@dataclass(frozen=True)
class Collector:
    """Where spans go.

    Attributes:
        endpoint: base address, without a trailing slash; spans go to `/v1/traces` below it.
        headers: that the collector asks for, such as a key.
        share: of the traces that begin here, how many are recorded, 0 to 1; one from elsewhere brings its own mark.
    """

    endpoint: str
    headers: dict[str, str]
    share: float


class Recording:
    """Records spans until it is closed.

    Args:
        name: of the process, as traces show it.
        version: of the code.
        instance: which of several processes of that name.
        share: see `Collector`.
        processor: takes the spans that ended.
    """

    def __init__(self, *, name: str, version: str, instance: str, share: float, processor: SpanProcessor) -> None:
        described = {"service.name": name, "service.version": version, "service.instance.id": instance}
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource.create(described),
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_links=MOST_LINKS),
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("keepwell", version)

    def start(self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Attributes) -> Span:
        linked = [Link(_context(found)) for found in map(Parent.read, links) if found is not None]
        above = Parent.read(parent)
        around = None if above is None else set_span_in_context(NonRecordingSpan(_context(above)))
        begun = self._tracer.start_span(name, context=around, kind=_KINDS[kind], attributes=attributes, links=linked)
        return _Recorded(begun)

    def close(self) -> None:
        """Send what has ended and stop; blocks for some seconds at most."""
        self._provider.shutdown()


def to_collector(collector: Collector) -> SpanProcessor:
    """Return what sends spans to a collector, in batches, from a thread of its own."""
    exporter = OTLPSpanExporter(
        endpoint=f"{collector.endpoint}/v1/traces", headers=collector.headers, timeout=EXPORT_TIMEOUT
    )
    return BatchSpanProcessor(exporter, max_queue_size=QUEUE)


class _Recorded:
    def __init__(self, begun: SdkSpan) -> None:
        self._span = begun
        context = begun.get_span_context()
        self._traceparent = str(Parent(f"{context.trace_id:032x}", f"{context.span_id:016x}", int(context.trace_flags)))

    @property
    def traceparent(self) -> str:
        return self._traceparent

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, error: str) -> None:
        # The kind of error alone: its words may hold a number or a name.
        self._span.set_attribute("error.type", error)
        self._span.set_status(Status(StatusCode.ERROR, error))

    def end(self) -> None:
        self._span.end()


def _context(parent: Parent) -> SpanContext:
    return SpanContext(
        trace_id=int(parent.trace, 16),
        span_id=int(parent.span, 16),
        is_remote=True,
        trace_flags=TraceFlags(parent.flags),
    )
