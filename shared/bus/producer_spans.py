"""Spans of outbox rows on their way to Kafka: each goes on with the trace that its row carries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.telemetry import spans

Carry = Callable[[str, str, bytes], bytes]
"""Takes an event's type, its topic and its row's traceparent; returns the traceparent that its record carries."""


@contextmanager
def record_spans(service: str) -> Iterator[Carry | None]:
    """Give what begins the span of a record; all of them end with the block. None where no spans are recorded."""
    if not spans.recorded():
        yield None
        return
    begun: list[spans.Span] = []

    def carry(event_type: str, topic: str, traceparent: bytes) -> bytes:
        one = spans.start(
            f"relay {event_type}",
            spans.Kind.PRODUCER,
            parent=traceparent.decode(),
            attributes={
                "keepwell.service": service,
                "messaging.system": "kafka",
                "messaging.operation.name": "send",
                "messaging.destination.name": topic,
            },
        )
        begun.append(one)
        return one.traceparent.encode()

    try:
        yield carry
    except BaseException as error:
        for one in begun:
            one.fail(type(error).__name__)
        raise
    finally:
        for one in begun:
            one.end()
