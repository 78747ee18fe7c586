"""Whatever bytes come: an event of the catalogue that says what its record says, or a named refusal."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from shared.bus.envelope import SCHEMA_PREFIX, Received, Undecodable, decode, headers
from shared.events import BY_TYPE, ClinicChanged, CrisisTexts, PatientDischarged, SessionDue
from shared.ids import ClinicId, new_id
from tests.conftest import TUESDAY_NOON

EVENT = SessionDue(
    clinic=ClinicId(uuid4()),
    patient=uuid4(),
    version=7,
    session=uuid4(),
    occurrence="3d",
    starts_at="2026-12-04T10:00",
    zone="America/New_York",
    starts_at_utc=TUESDAY_NOON,
    minutes=90,
)
BODY = EVENT.model_dump_json().encode()
GOOD: list[tuple[str, bytes | None]] = list(
    headers(
        event_id=new_id(),
        event_type=EVENT.TYPE,
        service="scheduler",
        time=TUESDAY_NOON,
        subject=str(EVENT.patient),
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
)
NAMES = [name for name, _ in GOOD]
FUZZ = settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
VALUES = strategies.one_of(
    strategies.none(),
    strategies.binary(max_size=60),
    strategies.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    strategies.sampled_from(list(BY_TYPE)).map(str.encode),
    strategies.integers().map(lambda number: f"{SCHEMA_PREFIX}{EVENT.TYPE}/{number}".encode()),
    strategies.uuids().map(lambda each: str(each).encode()),
    strategies.sampled_from([b"1.0", b"0.3", b"{%s}" % str(uuid4()).encode(), b"9" * 5000, "\uff11".encode()]),
)
HEADERS = strategies.lists(
    strategies.tuples(strategies.one_of(strategies.sampled_from(NAMES), strategies.text(max_size=9)), VALUES)
)
JSON = strategies.recursive(
    strategies.one_of(
        strategies.none(),
        strategies.booleans(),
        strategies.integers(),
        strategies.floats(),
        strategies.text(max_size=9),
    ),
    lambda inner: strategies.one_of(
        strategies.lists(inner), strategies.dictionaries(strategies.text(max_size=9), inner)
    ),
    max_leaves=8,
)


def decoded(raw: Any, value: bytes | None) -> Received | None:
    """Return what was decoded, or None where it was refused by name; anything else that is raised is a crash."""
    try:
        return decode(raw, value)
    except Undecodable:
        return None


@FUZZ
@given(HEADERS, strategies.one_of(strategies.none(), strategies.binary(), strategies.just(BODY)))
@example([("ce_id", None)], BODY)
@example([*GOOD, ("ce_id", str(uuid4()).encode())], BODY)
@example([*GOOD, ("\ud800", b"")], BODY)
def test_headers_of_any_kind_give_an_event_that_they_name_or_a_refusal(raw: Any, value: bytes | None) -> None:
    found = decoded(raw, value)
    if found is not None:
        said = dict(raw)
        assert len(said) == len(raw)
        assert found.id == UUID(said["ce_id"].decode())
        assert (found.type, found.event.TYPE) == (said["ce_type"].decode(),) * 2


@FUZZ
@given(strategies.sampled_from(NAMES), VALUES)
def test_one_header_that_is_wrong_is_never_read_as_if_it_were_right(name: str, value: bytes | None) -> None:
    found = decoded([(key, value if key == name else old) for key, old in GOOD], BODY)
    if found is not None:
        assert found.event == EVENT
        assert name in {"ce_id", "ce_time", "ce_subject", "ce_source", "traceparent", "content-type"} or value == dict(
            GOOD
        ).get(name)


@FUZZ
@given(strategies.sampled_from(sorted(json.loads(BODY))), JSON)
def test_a_field_of_another_kind_is_refused_and_none_is_bent_into_shape(field: str, value: Any) -> None:
    body = json.loads(BODY) | {field: value}
    found = decoded(GOOD, json.dumps(body).encode())
    if found is not None:
        again = json.loads(found.event.model_dump_json())
        assert type(again[field]) is type(value)
        assert again[field] == value or field in {"clinic", "patient", "session", "starts_at_utc"}


@FUZZ
@given(strategies.integers(0, len(BODY) - 1), strategies.integers(0, 255))
def test_a_body_with_one_byte_changed_or_cut_off_is_whole_or_refused(place: int, byte: int) -> None:
    assert decoded(GOOD, BODY[:place]) is None
    changed = BODY[:place] + bytes([byte]) + BODY[place + 1 :]
    found = decoded(GOOD, changed)
    if found is not None:
        assert isinstance(found.event, SessionDue)


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
CLINIC = ClinicChanged(
    clinic=ClinicId(uuid4()),
    version=1,
    name="Harbor",
    sender_name="Harbor",
    zone="UTC",
    phone="+1",
    crisis=CrisisTexts(en="a", es="b"),
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"NaN",
        BODY.replace(b'"version":7', b'"version":NaN'),
        BODY.replace(b'"version":7', b'"version":Infinity'),
        BODY.replace(b'"version":7', b'"version":7.0'),
        BODY.replace(b'"version":7', b'"version":"7"'),
        BODY.replace(b'"version":7', b'"version":true'),
        BODY.replace(b'"version":7', b'"version":0'),
        BODY.replace(b'"version":7', b'"version":' + b"9" * 5000),
        BODY.replace(b"2026-12-04T10:00", b"\\ud800"),
        BODY.replace(b"2026-12-04T10:00", b"\xed\xa0\x80"),
        BODY.replace(b"2026-12-04T10:00", b"\xff"),
        BODY.replace(b"America/New_York", b"\x00"),
        BODY[:-1] + b',"more":' + DEEP + b"}",
        DEEP,
        b"\xef\xbb\xbf" + BODY[:-1],
        BODY + BODY,
        BODY.decode().encode("utf-16"),
    ],
)
def test_a_body_that_no_writer_of_ours_writes_is_refused(body: bytes) -> None:
    assert decoded(GOOD, body) is None


def test_a_field_that_a_later_version_adds_is_passed_over() -> None:
    found = decoded(GOOD, BODY[:-1] + b',"colour":"green"}')
    assert found is not None
    assert found.event == EVENT


@pytest.mark.parametrize(
    "event", [EVENT, CLINIC, PatientDischarged(clinic=CLINIC.clinic, patient=uuid4(), version=2**60)]
)
def test_what_a_service_of_ours_writes_is_read(event: Any) -> None:
    written = headers(event_id=new_id(), event_type=event.TYPE, service="x", time=TUESDAY_NOON, subject="s", trace="")
    assert decode(written, event.model_dump_json().encode()).event == event
