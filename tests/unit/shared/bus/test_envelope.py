from datetime import UTC, datetime
from uuid import uuid4

from shared.bus.envelope import decode, headers
from shared.events import PatientDischarged
from shared.ids import ClinicId, new_id

EVENT = PatientDischarged(clinic=ClinicId(uuid4()), patient=uuid4(), version=7)


def test_an_event_is_read_back_as_it_was_written() -> None:
    event_id, trace = new_id(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    written = headers(
        event_id=event_id,
        event_type=EVENT.TYPE,
        service="clinic",
        time=datetime(2026, 12, 1, 17, tzinfo=UTC),
        subject=str(EVENT.patient),
        trace=trace,
    )
    received = decode(written, EVENT.model_dump_json().encode())
    assert (received.id, received.type, received.trace, received.event) == (event_id, EVENT.TYPE, trace, EVENT)
    assert dict(written)["ce_time"] == b"2026-12-01T17:00:00+00:00"


def test_two_events_of_a_type_have_headers_of_their_own() -> None:
    def of(number: int) -> dict[str, bytes]:
        instant = datetime(2026, 12, number, tzinfo=UTC)
        pairs = headers(
            event_id=new_id(), event_type=EVENT.TYPE, service="clinic", time=instant, subject=str(number), trace="t"
        )
        return dict(pairs)

    first, second = of(1), of(2)
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"ce_id", "ce_time", "ce_subject"}
