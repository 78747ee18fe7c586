"""What was lost on its way is told again: alerts, results and proposals, as they now stand."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from services.assessments.dependencies import Dependencies
from services.assessments.packs import Packs
from services.assessments.retelling import retell
from shared.bus.tables import tables_of
from shared.events import (
    AlertAcknowledged,
    AlertClosed,
    AlertOverdue,
    AlertRaised,
    CheckinOpened,
    IntervalDecided,
    IntervalExpired,
    IntervalProposed,
    ResultChanged,
    UnknownNumberTexted,
)
from shared.ids import new_id
from tests.integration.assessments.harness import AssessmentsHarness
from tests.integration.assessments.test_proposals import decide, stable_at_21
from tests.support.bench import KEYRING


async def retold(harness: AssessmentsHarness) -> list[Any]:
    """Return what is told anew, and nothing of what was told before."""
    await harness.bench.said(clear=True)
    context = harness.bench.context
    deps = Dependencies(context.keyring, Packs.load(), context.settings.assessments, context.public_url, trial=True)
    told = await retell(harness.bench.database, deps)
    said: list[Any] = await harness.bench.said()
    assert told == len(said)
    return said


async def test_an_open_alert_whose_record_was_lost_is_told_with_its_page_and_version(
    harness: AssessmentsHarness,
) -> None:
    await harness.phq9(9, item_9=1)
    (first,) = await harness.bench.said(AlertRaised)
    (again,) = [event for event in await retold(harness) if isinstance(event, AlertRaised)]
    assert again == first


async def test_a_page_that_was_made_again_is_told_under_its_own_number(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=1)
    await harness.bench.live_until(harness.bench.clock.now() + timedelta(minutes=31))
    (again,) = [event for event in await retold(harness) if isinstance(event, AlertRaised)]
    assert again.page_number == 3


async def test_paging_never_ends_because_the_record_of_a_page_that_fell_due_was_lost(
    harness: AssessmentsHarness,
) -> None:
    await harness.phq9(9, item_9=1)
    outbox = tables_of(harness.bench.service.name).outbox
    async with harness.bench.database.transaction() as tx:
        await tx.execute(delete(outbox).where(outbox.c.timer.startswith("alert:")))
    await retold(harness)
    ((due_at, event),) = [timer for name, timer in (await harness.bench.pending()).items() if name.startswith("alert:")]
    assert isinstance(event, AlertOverdue)
    assert (event.page_number, due_at) == (2, harness.bench.clock.now())


async def test_a_timer_that_is_set_is_not_hurried_by_telling_again(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=1)
    before = await harness.bench.pending()
    await retold(harness)
    assert await harness.bench.pending() == before


async def test_an_acknowledged_alert_is_never_told_as_newly_open(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=1)
    (alert,) = await harness.items("/alerts")
    await harness.bench.call("POST", f"/alerts/{alert['id']}/acknowledge", {})
    (taken,) = await harness.bench.said(AlertAcknowledged)
    raised, again = [event for event in await retold(harness) if isinstance(event, AlertRaised | AlertAcknowledged)]
    assert again == taken
    assert isinstance(raised, AlertRaised)
    assert raised.version < taken.version


async def test_a_closed_alert_pages_nobody_again(harness: AssessmentsHarness) -> None:
    await harness.phq9(9, item_9=1)
    (alert,) = await harness.items("/alerts")
    await harness.bench.call("POST", f"/alerts/{alert['id']}/close", {"disposition": "Called, safe at home."})
    (closed,) = await harness.bench.said(AlertClosed)
    said = await retold(harness)
    assert [event for event in said if isinstance(event, AlertClosed | AlertRaised)] == [closed]
    assert not [name for name in await harness.bench.pending() if name.startswith("alert:")]
    await harness.bench.live_until(harness.bench.clock.now() + timedelta(days=32))
    assert not [event for event in await retold(harness) if isinstance(event, AlertClosed)]


async def test_the_alert_of_a_number_that_is_no_patients_is_told_too(harness: AssessmentsHarness) -> None:
    await harness.bench.tell(
        UnknownNumberTexted(
            clinic=harness.bench.clinic,
            version=1,
            reply=new_id(),
            intent="other",
            number=KEYRING.seal("+12025550177", context="contact"),
            masked="+1•••••••0177",
            text=KEYRING.seal("quiero suicidarme", context="reply"),
            at=harness.bench.clock.now(),
        )
    )
    (first,) = await harness.bench.said(AlertRaised)
    assert await retold(harness) == [first]


async def test_answers_are_told_and_no_link_is(harness: AssessmentsHarness) -> None:
    await harness.phq9(9)
    open_still = await harness.ask("phq-9", occurrence="day-9")
    (answered,) = [
        one for one in await harness.items(f"/patients/{harness.patient}/checkins") if one["state"] == "completed"
    ]
    said = await retold(harness)
    (result,) = [event for event in said if isinstance(event, ResultChanged)]
    assert (str(result.checkin), result.version, result.state) == (answered["id"], answered["version"], "completed")
    assert not [event for event in said if isinstance(event, CheckinOpened)]
    assert open_still.checkin not in {event.checkin for event in said if isinstance(event, ResultChanged)}
    assert (await harness.bench.call("GET", harness.path(open_still), token="")).status == 200


async def test_a_proposal_that_waits_is_told_as_it_was(harness: AssessmentsHarness) -> None:
    await stable_at_21(harness)
    first = (await harness.bench.said(IntervalProposed))[-1]
    assert first in await retold(harness)


async def test_only_the_newest_decision_is_told(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    await decide(harness, proposal, decision="refuse", reason="She prefers to come as now.")
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(4)
    newer = (await harness.proposals())[0]
    assert newer["id"] != proposal["id"]
    (told,) = [event for event in await retold(harness) if isinstance(event, IntervalDecided)]
    assert str(told.proposal) == proposal["id"]
    assert (await decide(harness, newer, decision="refuse", reason="Not now.")).status == 200
    (told,) = [event for event in await retold(harness) if isinstance(event, IntervalDecided)]
    assert str(told.proposal) == newer["id"]


async def test_a_proposal_that_was_overtaken_is_not_left_to_be_decided(harness: AssessmentsHarness) -> None:
    proposal = await stable_at_21(harness)
    await harness.live_until(harness.today + timedelta(days=1))
    await harness.phq9(16)
    said = [event for event in await retold(harness) if getattr(event, "proposal", None) is not None]
    mine = [event for event in said if str(event.proposal) == proposal["id"]]
    assert [type(event) for event in mine] == [IntervalProposed, IntervalExpired]
    assert mine[0].version < mine[1].version
