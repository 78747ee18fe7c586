"""The service's metrics say how many wait for somebody, and never who."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import text

from shared.events import MessageFailed, MessageSent
from tests.integration.assessments.harness import AssessmentsHarness
from tests.support.figures import figure


async def measured(harness: AssessmentsHarness) -> None:
    async with harness.bench.database.reading() as reader:
        await harness.bench.service.measure(reader)


async def told(
    harness: AssessmentsHarness, kind: type[MessageSent | MessageFailed], *, about: UUID, purpose: str
) -> None:
    event = kind(
        clinic=harness.bench.clinic,
        version=2,
        patient=harness.patient,
        message=uuid4(),
        purpose=purpose,
        channel="sms",
        occurrence="page-1",
        about=about,
        to="+1•••••••0100",
        at=harness.bench.clock.now(),
    )
    await harness.bench.tell(event)


async def test_an_alert_is_shown_with_its_age_until_somebody_acknowledges_it(harness: AssessmentsHarness) -> None:
    await measured(harness)
    assert figure("keepwell_alerts_unacknowledged") == figure("keepwell_alert_unacknowledged_oldest_seconds") == 0
    await harness.phq9(9, item_9=1)
    await harness.bench.clock.move_by(timedelta(minutes=4))
    await measured(harness)
    assert figure("keepwell_alerts_unacknowledged") == 1
    assert figure("keepwell_alert_unacknowledged_oldest_seconds") == 240
    (alert,) = await harness.items("/alerts?state=open")
    assert (await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})).status == 200
    await measured(harness)
    assert figure("keepwell_alerts_unacknowledged") == figure("keepwell_alert_unacknowledged_oldest_seconds") == 0


async def test_an_alert_is_unreached_until_one_of_its_pages_has_gone_out(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=2)
    (alert,) = await harness.items("/alerts?state=open")
    await told(harness, MessageFailed, about=UUID(alert["id"]), purpose="page")
    await measured(harness)
    assert figure("keepwell_alerts_unreached") == 1
    await told(harness, MessageSent, about=UUID(alert["id"]), purpose="page")
    await measured(harness)
    assert figure("keepwell_alerts_unreached") == 0


async def test_a_check_in_is_open_then_overdue_where_nothing_ends_it(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await measured(harness)
    assert (figure("keepwell_checkins_open"), figure("keepwell_checkins_overdue")) == (1, 0)
    # The clock goes on and no timer fires, as where the relay is down.
    await harness.bench.clock.move_to(opened.expires_at + timedelta(seconds=1))
    await measured(harness)
    assert (figure("keepwell_checkins_open"), figure("keepwell_checkins_overdue")) == (1, 1)


async def test_a_check_in_whose_link_did_not_arrive_is_counted(harness: AssessmentsHarness) -> None:
    opened = await harness.ask("phq-9")
    await told(harness, MessageFailed, about=opened.checkin, purpose="checkin")
    await measured(harness)
    assert figure("keepwell_checkins_without_link") == 1


async def test_the_figures_are_taken_by_index(harness: AssessmentsHarness) -> None:
    statements = {
        "alerts_open": "SELECT count(*), min(raised_at) FROM alerts WHERE state = 'open'",
        "checkins_waiting": "SELECT count(*) FILTER (WHERE expires_at <= now()) FROM checkins"
        " WHERE state IN ('open', 'partial')",
    }
    async with harness.bench.database.transaction() as tx:
        # An empty table is read whole whatever its indexes: forbidden here, to see that the index fits the statement.
        await tx.execute(text("SET LOCAL enable_seqscan = off"))
        for index, statement in statements.items():
            plan = "\n".join(row[0] for row in await tx.all(text(f"EXPLAIN {statement}")))
            assert index in plan
