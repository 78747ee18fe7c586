from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.envelope import Undecodable, decode, headers
from shared.bus.publish import shard_of
from shared.bus.tables import SHARDS
from shared.events import EVENTS, PatientDischarged
from shared.ids import ClinicId

NAMES = [event.TYPE for event in EVENTS]
RAW_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_dataschema", "traceparent", "x"]),
        st.one_of(
            st.none(),
            st.binary(max_size=40),
            st.sampled_from([name.encode() for name in NAMES]),
            st.uuids().map(lambda each: str(each).encode()),
            st.just(b"https://keepwell.dev/schemas/patient.discharged/1"),
        ),
    ),
    max_size=6,
)


@given(RAW_HEADERS, st.one_of(st.none(), st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_whatever_comes_is_an_event_or_undecodable(raw: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    try:
        received = decode(raw, value)
    except Undecodable as error:
        assert str(error).endswith(".")
    else:
        assert received.type in NAMES


def test_an_event_survives_the_journey() -> None:
    event = PatientDischarged(clinic=ClinicId(uuid4()), patient=uuid4(), version=7)
    event_id = uuid4()
    sent = headers(
        event_id=event_id,
        event_type=event.TYPE,
        service="clinic",
        time=datetime(2026, 12, 1, tzinfo=UTC),
        subject=str(event.patient),
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    received = decode(sent, event.model_dump_json().encode())
    assert (received.id, received.event) == (event_id, event)


def test_an_error_never_shows_the_body() -> None:
    event = PatientDischarged(clinic=ClinicId(uuid4()), patient=uuid4(), version=1)
    sent = headers(
        event_id=uuid4(),
        event_type=event.TYPE,
        service="clinic",
        time=datetime(2026, 12, 1, tzinfo=UTC),
        subject=str(event.patient),
        trace="",
    )
    with pytest.raises(Undecodable) as caught:
        decode(sent, b'{"clinic": "a secret answer"}')
    assert "secret" not in str(caught.value)
    assert "clinic" in str(caught.value)


@given(st.uuids())
def test_a_key_always_has_the_same_shard(key: object) -> None:
    assert 0 <= shard_of(key) == shard_of(key) < SHARDS  # type: ignore[arg-type]
