"""CloudEvents 1.0 on Kafka, binary mode: attributes as headers, JSON as value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from shared.events import BY_TYPE, Event

SPEC_VERSION: Final = "1.0"
SOURCE_PREFIX: Final = "/keepwell/"
SCHEMA_PREFIX: Final = "https://keepwell.dev/schemas/"


class Undecodable(Exception):  # noqa: N818 - reads as what it is: a record that cannot be decoded
    """A record that is no event of the catalogue; its message says what is wrong, never with the value."""


@dataclass(frozen=True)
class Received:
    """An event with the attributes it travelled with."""

    id: UUID
    type: str
    trace: str | None
    event: Event


def headers(
    *, event_id: UUID, event_type: str, service: str, time: datetime, subject: str, trace: str
) -> list[tuple[str, bytes]]:
    return encoded_headers(
        event_id=str(event_id).encode(),
        event_type=event_type,
        service=service,
        time=time,
        subject=subject.encode(),
        trace=trace.encode(),
    )


def encoded_headers(
    *, event_id: bytes, event_type: str, service: str, time: datetime, subject: bytes, trace: bytes
) -> list[tuple[str, bytes]]:
    """Return a record's headers from values that are encoded already: a relay makes tens of thousands a second."""
    return [
        ("ce_id", event_id),
        ("ce_time", _instant(time)),
        ("ce_subject", subject),
        ("traceparent", trace),
        *_fixed(event_type, service),
    ]


@cache
def _fixed(event_type: str, service: str) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that all events of a type from a service share."""
    attributes = {
        "ce_specversion": SPEC_VERSION,
        "ce_type": event_type,
        "ce_source": SOURCE_PREFIX + service,
        "ce_dataschema": f"{SCHEMA_PREFIX}{event_type}/{BY_TYPE[event_type].SCHEMA}",
        "content-type": "application/json",
    }
    return tuple((name, value.encode()) for name, value in attributes.items())


@lru_cache(maxsize=4096)
def _instant(time: datetime) -> bytes:
    """Return an instant in ISO 8601; timers of one morning and events of one transaction share theirs."""
    return time.isoformat().encode()


def decode(raw_headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> Received:
    """Return the event of a record.

    Raises:
        Undecodable: a header is missing, null, there twice or no UTF-8, the type or schema version is unknown, or the
            body does not fit.
    """
    attributes = _text(raw_headers)
    try:
        event_id = UUID(attributes["ce_id"])
        event_type = attributes["ce_type"]
        address, _, number = attributes["ce_dataschema"].rpartition("/")
        schema = int(number)
    except (KeyError, ValueError) as error:
        raise Undecodable(f"A CloudEvents header is missing or malformed: {type(error).__name__}.") from error
    model = BY_TYPE.get(event_type)
    if model is None:
        raise Undecodable(f"There is no event type {event_type[:80]!r} in this version's catalogue.")
    if attributes.get("ce_specversion") != SPEC_VERSION or address != SCHEMA_PREFIX + event_type or schema < 1:
        raise Undecodable(f"{event_type} came with headers of another kind of event.")
    if schema > model.SCHEMA:
        raise Undecodable(f"{event_type} has schema {schema}; this version reads up to {model.SCHEMA}.")
    if value is None:
        raise Undecodable(f"{event_type} came without a body.")
    try:
        # Strictly: a number in quotation marks fits no schema that we publish.
        event = model.model_validate_json(value, strict=True)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, flaw["loc"])) or "body" for flaw in error.errors(include_input=False))
        raise Undecodable(f"{event_type} does not fit its schema at: {places}.") from error
    return Received(event_id, event_type, attributes.get("traceparent"), event)


def _text(raw_headers: Sequence[tuple[str, bytes | None]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in raw_headers:
        if value is None:
            raise Undecodable(f"Header {name[:80]!r} is null.")
        if name in found:
            raise Undecodable(f"Header {name[:80]!r} came twice.")
        try:
            found[name] = value.decode()
        except UnicodeDecodeError as error:
            raise Undecodable(f"Header {name[:80]!r} is not UTF-8.") from error
    return found
