"""A message's trace: from the event that plans it over the provider's call to the report of its delivery."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import select

from services.notifier.tables import BUS, MESSAGES
from shared.bus.envelope import Received
from shared.events import MessageDelivered, MessageSent, SessionDue
from shared.ids import new_id
from shared.telemetry.trace import Parent
from tests.integration.notifier.harness import NotifierHarness, Session, at, contact_of
from tests.support.bench import running
from tests.support.recorded import ALLOWED, Recorded, recorded

FIRST = "0af7651916cd43dd8448eb211c80319c"
SECOND = "1bf7651916cd43dd8448eb211c80319d"
PHONES = ("+15550101234", "+15550101235")


@pytest.fixture
def kept() -> Iterator[Recorded]:
    with recorded() as kept:
        yield kept


def received(harness: NotifierHarness, session: Session, trace: str) -> Received:
    event = SessionDue(
        clinic=harness.bench.clinic,
        version=session.version,
        patient=session.patient,
        session=session.id,
        occurrence="3d",
        starts_at=session.starts_at,
        zone=session.zone,
        starts_at_utc=at(session.starts_at, session.zone),
        minutes=90,
    )
    return Received(new_id(), event.TYPE, f"00-{trace}-b7ad6b7169203331-01", event)


async def become_due(harness: NotifierHarness, traces: tuple[str, ...]) -> list[UUID]:
    """Let a session of one patient each become due, all in one batch."""
    patients = [await harness.enrol(contact_of("sms", phone)) for phone, _ in zip(PHONES, traces, strict=False)]
    sessions = [await harness.book(patient) for patient in patients]
    await harness.bench.said(clear=True)
    async with harness.bench.database.transaction() as tx:
        crowd = [received(harness, session, trace) for session, trace in zip(sessions, traces, strict=True)]
        await harness.bench.service.handlers.handle_all(tx, crowd)
    return patients


async def said(harness: NotifierHarness) -> dict[str, list[str]]:
    """Return the traces of the events that wait to be sent, by type."""
    async with harness.bench.database.reading() as reader:
        rows = await reader.all(select(BUS.outbox.c.type, BUS.outbox.c.trace).order_by(BUS.outbox.c.seq))
    found: dict[str, list[str]] = {}
    for row in rows:
        parent = Parent.read(row.trace)
        assert parent is not None
        found.setdefault(row.type, []).append(parent.trace)
    return found


async def test_the_call_and_the_report_go_on_with_the_trace_of_the_event_that_planned_the_message(
    harness: NotifierHarness, kept: Recorded
) -> None:
    await become_due(harness, (FIRST,))
    await harness.in_state("accepted")
    await harness.fake_provider.report(harness.fake_provider.ledger[-1], "delivered")
    await harness.in_state("delivered")
    handled, call, report = (kept.only(name) for name in ("handle session.due", "send sms", "report delivered"))
    assert {span.traceparent.trace for span in (handled, call, report)} == {FIRST}
    assert handled.parent == "b7ad6b7169203331"
    assert call.parent == report.parent == handled.traceparent.span
    assert call.attributes["keepwell.outcome"] == "accepted"
    assert await said(harness) == {MessageSent.TYPE: [FIRST], MessageDelivered.TYPE: [FIRST]}


async def test_reminders_that_fall_due_together_keep_each_its_own_trace(
    harness: NotifierHarness, kept: Recorded
) -> None:
    patients = await become_due(harness, (FIRST, SECOND))
    await harness.in_state("accepted", "accepted")
    async with harness.bench.database.reading() as reader:
        rows = await reader.all(select(MESSAGES.c.patient, MESSAGES.c.trace))
    found = {row.patient: Parent.read(row.trace) for row in rows}
    assert [parent.trace for patient in patients if (parent := found[patient])] == [FIRST, SECOND]
    calls = {span.traceparent.trace for span in kept.all() if span.name == "send sms"}
    assert calls == {FIRST, SECOND}
    assert sorted((await said(harness))[MessageSent.TYPE]) == [FIRST, SECOND]


async def test_a_refusal_is_told_by_its_code_and_the_mail_that_follows_stays_in_the_trace(
    resting: NotifierHarness, kept: Recorded
) -> None:
    resting.fake_provider.script.append("refuse 21211")
    await become_due(resting, (FIRST,))
    async with running(resting.bench.service):
        await resting.settled()
    (call,) = [span for span in kept.all() if span.name == "send sms"]
    assert call.error == call.attributes["error.type"]
    assert (await said(resting))["message.failed"] == [FIRST]


async def test_no_span_names_a_person(harness: NotifierHarness, kept: Recorded) -> None:
    patients = await become_due(harness, (FIRST, SECOND))
    await harness.in_state("accepted", "accepted")
    for sent in list(harness.fake_provider.ledger):
        await harness.fake_provider.report(sent, "delivered")
    await harness.in_state("delivered", "delivered")
    assert len(kept.all()) >= 6
    for span in kept.all():
        assert set(span.attributes) <= ALLOWED
        told = f"{span.name} {span.attributes}"
        assert not any(str(patient) in told for patient in patients)
        assert not any(phone.strip("+") in told for phone in PHONES)


async def test_a_message_of_an_older_version_has_no_trace_and_goes_out_like_any_other(resting: NotifierHarness) -> None:
    await become_due(resting, (FIRST,))
    async with resting.bench.database.transaction() as tx:
        await tx.execute(MESSAGES.update().values(trace=None))
    async with running(resting.bench.service):
        await resting.in_state("accepted")
        with recorded() as kept:
            await resting.fake_provider.report(resting.fake_provider.ledger[-1], "delivered")
            await resting.in_state("delivered")
            assert kept.only("report delivered").parent is None
