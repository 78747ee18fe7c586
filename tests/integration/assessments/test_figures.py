"""The service's metrics say how many wait for somebody, and never who."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import text

from shared.events import MessageFailed, MessageSent
from tests.integration.assessments.ward import Ward
from tests.support.figures import figure


async def measured(ward: Ward) -> None:
    async with ward.bench.database.reading() as reader:
        await ward.bench.service.measure(reader)


async def told(ward: Ward, kind: type[MessageSent | MessageFailed], *, about: UUID, purpose: str) -> None:
    event = kind(
        clinic=ward.bench.clinic,
        version=2,
        patient=ward.patient,
        message=uuid4(),
        purpose=purpose,
        channel="sms",
        occurrence="page-1",
        about=about,
        to="+1•••••••0100",
        at=ward.bench.clock.now(),
    )
    await ward.bench.tell(event)


async def test_an_alert_is_shown_with_its_age_until_somebody_acknowledges_it(ward: Ward) -> None:
    await measured(ward)
    assert figure("keepwell_alerts_unacknowledged") == figure("keepwell_alert_unacknowledged_oldest_seconds") == 0
    await ward.phq9(9, item_9=1)
    await ward.bench.clock.move_by(timedelta(minutes=4))
    await measured(ward)
    assert figure("keepwell_alerts_unacknowledged") == 1
    assert figure("keepwell_alert_unacknowledged_oldest_seconds") == 240
    (alert,) = await ward.items("/alerts?state=open")
    assert (await ward.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})).status == 200
    await measured(ward)
    assert figure("keepwell_alerts_unacknowledged") == figure("keepwell_alert_unacknowledged_oldest_seconds") == 0


async def test_an_alert_is_unreached_until_one_of_its_pages_has_gone_out(ward: Ward) -> None:
    await ward.phq9(9, item_9=2)
    (alert,) = await ward.items("/alerts?state=open")
    await told(ward, MessageFailed, about=UUID(alert["id"]), purpose="page")
    await measured(ward)
    assert figure("keepwell_alerts_unreached") == 1
    await told(ward, MessageSent, about=UUID(alert["id"]), purpose="page")
    await measured(ward)
    assert figure("keepwell_alerts_unreached") == 0


async def test_a_check_in_is_open_then_overdue_where_nothing_ends_it(ward: Ward) -> None:
    opened = await ward.ask("phq-9")
    await measured(ward)
    assert (figure("keepwell_checkins_open"), figure("keepwell_checkins_overdue")) == (1, 0)
    # The clock goes on and no timer fires, as where the relay is down.
    await ward.bench.clock.move_to(opened.expires_at + timedelta(seconds=1))
    await measured(ward)
    assert (figure("keepwell_checkins_open"), figure("keepwell_checkins_overdue")) == (1, 1)


async def test_a_check_in_whose_link_did_not_arrive_is_counted(ward: Ward) -> None:
    opened = await ward.ask("phq-9")
    await told(ward, MessageFailed, about=opened.checkin, purpose="checkin")
    await measured(ward)
    assert figure("keepwell_checkins_without_link") == 1


async def test_the_figures_are_taken_by_index(ward: Ward) -> None:
    statements = {
        "alerts_open": "SELECT count(*), min(raised_at) FROM alerts WHERE state = 'open'",
        "checkins_waiting": "SELECT count(*) FILTER (WHERE expires_at <= now()) FROM checkins"
        " WHERE state IN ('open', 'partial')",
    }
    async with ward.bench.database.transaction() as tx:
        # An empty table is read whole whatever its indexes: forbidden here, to see that the index fits the statement.
        await tx.execute(text("SET LOCAL enable_seqscan = off"))
        for index, statement in statements.items():
            plan = "\n".join(row[0] for row in await tx.all(text(f"EXPLAIN {statement}")))
            assert index in plan
