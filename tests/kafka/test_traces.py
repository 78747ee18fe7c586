"""One trace, from the order that books a session over its timer and Kafka to the report that the text was delivered."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.support.bench import eventually
from tests.support.collector import Collector, Span, collector
from tests.support.recorded import ALLOWED
from tests.support.running import Keepwell, keepwell

TRIAL = {"KEEPWELL_CLOCK": "steps", "KEEPWELL_TRIAL": "true", "KEEPWELL_SANDBOX__PROFILE": "calm"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"
PHONE = "+12025550171"
LAST = "handle message.delivered"


@dataclass(frozen=True)
class Turn:
    """What a reminder left at the collector."""

    collector: Collector
    patient: str
    message: str

    def spans(self) -> list[Span]:
        return self.collector.of_trace(TRACE)

    def chain(self, span: Span) -> list[str]:
        """Return the names from a span up to where its trace came in."""
        by_id = {one.span: one for one in self.spans()}
        names = [span.name]
        while (above := by_id.get(span.parent)) is not None:
            names.append(above.name)
            span = above
        assert span.parent == "b7ad6b7169203331"
        return names


@pytest.fixture(scope="module")
async def turn(servers: Mapping[str, str]) -> AsyncIterator[Turn]:
    """A session booked by a caller with a trace, and lived until its reminder was delivered."""
    async with collector() as taking:
        settings = TRIAL | {
            "KEEPWELL_OTLP_ENDPOINT": taking.url,
            "KEEPWELL_OTLP_HEADERS": "x-key=open sesame",
            **servers,
        }
        async with keepwell(settings) as running:
            patient, message = await remind(running)
            await eventually(lambda: arrived(taking), seconds=60)
        yield Turn(taking, patient, message)


async def remind(running: Keepwell) -> tuple[str, str]:
    contact = {
        "kind": "sms",
        "value": PHONE,
        "consents": [{"purpose": "reminders", "how": "paper", "at": "2026-11-01T12:00:00Z"}],
    }
    body = {
        "given_name": "Ana",
        "family_name": "Rivera",
        "zone": "Africa/Abidjan",
        "language": "en",
        "contacts": [contact],
    }
    patient = await running.post("/patients", body, status=201)
    starts = (await running.now() + timedelta(days=5)).replace(hour=12, minute=0)
    session = {
        "patient": patient["id"],
        "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
        "minutes": 60,
        "zone": "Africa/Abidjan",
    }
    status, _ = await running.call("POST", "/sessions", session, traceparent=CALLER)
    assert status == 201
    await running.live_until(starts - timedelta(days=2))
    (message,) = (await running.get(f"/patients/{patient['id']}/messages"))["items"]
    assert message["state"] == "delivered"
    return patient["id"], message["id"]


async def arrived(taking: Collector) -> bool:
    """Tell whether the last spans of the turn have come: clinic and assessments hear of the delivery."""
    return {span.service for span in taking.of_trace(TRACE) if span.name == LAST} == {"clinic", "assessments"}


async def test_the_trace_goes_from_the_order_through_the_timers_row_and_kafka_to_the_providers_call(turn: Turn) -> None:
    (call,) = [span for span in turn.spans() if span.name == "send sms"]
    assert turn.chain(call) == [
        "send sms",
        "handle session.due",
        "relay session.due",
        "POST /api/v1/sessions",
    ]
    assert (call.attributes["keepwell.outcome"], call.attributes["keepwell.message"]) == ("accepted", turn.message)


async def test_the_report_of_the_delivery_is_found_its_trace_by_the_attempt_and_goes_on_across_services(
    turn: Turn,
) -> None:
    (report,) = [span for span in turn.spans() if span.name == "report delivered"]
    assert turn.chain(report)[1:] == ["handle session.due", "relay session.due", "POST /api/v1/sessions"]
    # The provider's own request carries no trace: it is linked, and lies in another.
    (linked,) = report.links
    assert linked != TRACE
    requests = [span.name for span in turn.collector.of_trace(linked)]
    assert requests == ["POST /webhooks/twilio/status"]
    for heard in (span for span in turn.spans() if span.name == LAST):
        assert turn.chain(heard)[:3] == [LAST, "relay message.delivered", "report delivered"]


async def test_every_service_of_the_turn_is_in_the_trace(turn: Turn) -> None:
    found = {(span.service, span.name) for span in turn.spans()}
    assert ("scheduler", "relay session.due") in found
    assert ("notifier", "handle session.due") in found
    assert ("notifier", "relay message.delivered") in found
    assert {("clinic", LAST), ("assessments", LAST)} <= found


async def test_a_batch_is_linked_to_the_traces_of_its_records(turn: Turn) -> None:
    batches = [span for span in turn.collector.spans if span.name == "consume keepwell.scheduling"]
    assert any(TRACE in span.links for span in batches)
    assert all(span.trace != TRACE for span in batches)
    groups = {span.attributes["messaging.consumer.group.name"] for span in batches}
    assert "keepwell.notifier.scheduling" in groups


async def test_the_process_says_who_it_is_and_sends_what_the_collector_asks_for(turn: Turn) -> None:
    (name,) = {span.process["service.name"] for span in turn.collector.spans}
    assert name == "keepwell"
    assert turn.collector.headers["x-key"] == "open sesame"


async def test_no_span_holds_who_the_patient_is(turn: Turn) -> None:
    secrets = {turn.patient, PHONE.strip("+"), "Rivera", "Ana"}
    for span in turn.collector.spans:
        assert set(span.attributes) <= ALLOWED, span
        told = f"{span.name} {span.attributes} {span.process}"
        assert not {secret for secret in secrets if secret in told}
