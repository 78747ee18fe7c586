"""Spans of records that arrive: one for the batch, linked to where each came from, and one for each event handled.

FastStream's own middleware finds no links behind a raw parser, and a batch has as many traces as records: so a batch
belongs to none of them, and each event's handling goes on with its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiokafka import ConsumerRecord

from shared.bus.envelope import Received
from shared.database import Transaction
from shared.telemetry import spans

TRACEPARENT = "traceparent"


@contextmanager
def batch_span(service: str, group: str, topic: str, records: Sequence[ConsumerRecord[bytes, bytes]]) -> Iterator[None]:
    """Handle a batch within a span of its own, linked to the trace of each record."""
    if not spans.recorded():
        yield
        return
    links = [
        value.decode(errors="replace")
        for record in records
        for name, value in record.headers
        if name == TRACEPARENT and value is not None
    ]
    about: spans.Attributes = {
        "keepwell.service": service,
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.destination.name": topic,
        "messaging.consumer.group.name": group,
        "messaging.batch.message_count": len(records),
    }
    with spans.span(f"consume {topic}", spans.Kind.CONSUMER, parent=None, links=links, attributes=about):
        yield


@contextmanager
def handling(tx: Transaction, received: Received, batch: str) -> Iterator[str]:
    """Handle an event in its own trace; give the traceparent that what follows from it goes on with.

    Args:
        tx: the transaction that it is handled in.
        received: the event.
        batch: traceparent of the batch that it came in.
    """
    about = {"keepwell.service": tx.schema, "messaging.system": "kafka"}
    name = f"handle {received.type}"
    with spans.span(name, spans.Kind.CONSUMER, parent=received.trace, links=[batch], attributes=about) as span:
        yield span.traceparent
